//! What a program can call: functions and namespaces of functions, by name alone.
//!
//! The names go into the prepared image, so they are a part of its hash. What a call means, who may make it and with
//! which arguments is the host's matter, at the other end of the door.

use serde::Serialize;

use crate::words::TAKEN;

/// The functions of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Api {
    namespaces: Vec<Namespace>,
    /// Those that stand in no namespace.
    functions: Vec<String>,
}

/// `workspace` with `readFile`, for `await workspace.readFile("a.txt")`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Namespace {
    name: String,
    functions: Vec<String>,
}

/// Why a name cannot be a part of the API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// It cannot be written by itself or behind a dot.
    #[error("`{0}` is no name in JavaScript: letters, digits and _, beginning with a letter")]
    NotAName(String),
    /// A program could no longer be written as one expects.
    #[error("`{0}` is a name of the language or of its library; choose another")]
    Taken(String),
    /// Two of the same name.
    #[error("`{0}` is there twice")]
    Twice(String),
}

impl Api {
    /// Adds a namespace: `workspace` with `readFile` is called as `await workspace.readFile("a.txt")`.
    ///
    /// # Errors
    ///
    /// As in [`ApiError`].
    pub fn namespace<'a>(mut self, name: &str, functions: impl IntoIterator<Item = &'a str>) -> Result<Self, ApiError> {
        self.check_global(name)?;
        let mut names: Vec<String> = Vec::new();
        for function in functions {
            check(function)?;
            if names.iter().any(|known| known == function) {
                return Err(ApiError::Twice(format!("{name}.{function}")));
            }
            names.push(function.to_owned());
        }
        self.namespaces.push(Namespace { name: name.to_owned(), functions: names });
        Ok(self)
    }

    /// Adds a function that stands in no namespace: `sleep` is called as `await sleep(1000)`, and its requests have that
    /// name and no dot.
    ///
    /// # Errors
    ///
    /// As in [`ApiError`].
    pub fn function(mut self, name: &str) -> Result<Self, ApiError> {
        self.check_global(name)?;
        self.functions.push(name.to_owned());
        Ok(self)
    }

    /// Whether `workspace.readFile`, or `sleep`, is a part of it.
    pub(crate) fn has(&self, full_name: &str) -> bool {
        let Some((name, function)) = full_name.split_once('.') else {
            return self.functions.iter().any(|known| known == full_name);
        };
        let namespace = self.namespaces.iter().find(|known| known.name == name);
        namespace.is_some_and(|namespace| namespace.functions.iter().any(|known| known == function))
    }

    /// Functions and namespaces are globals of a program, and share their names.
    fn check_global(&self, name: &str) -> Result<(), ApiError> {
        check(name)?;
        if TAKEN.contains(&name) {
            return Err(ApiError::Taken(name.to_owned()));
        }
        let mut known = self.namespaces.iter().map(|namespace| &namespace.name).chain(&self.functions);
        if known.any(|known| known == name) { Err(ApiError::Twice(name.to_owned())) } else { Ok(()) }
    }
}

fn check(name: &str) -> Result<(), ApiError> {
    let is_name = name.starts_with(|one: char| one.is_ascii_alphabetic())
        && name.chars().all(|one| one.is_ascii_alphanumeric() || one == '_');
    if is_name { Ok(()) } else { Err(ApiError::NotAName(name.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn api() -> Api {
        Api::default().namespace("workspace", ["readFile", "list"]).unwrap().function("sleep").unwrap()
    }

    #[test]
    fn it_has_what_was_added_by_its_full_name_alone() {
        let api = api();
        assert!(api.has("workspace.list") && api.has("sleep"));
        for name in ["workspace.write", "workspace", "list", "sleep.list", "workspace.sleep", ".sleep", "sleep.", ""] {
            assert!(!api.has(name), "{name}");
        }
    }

    #[test]
    fn only_names_that_a_program_can_write_are_taken() {
        for name in ["", "a-b", "1a", "a.b", "a\"b", "__proto__", "\u{e4}"] {
            let error = Err(ApiError::NotAName(name.to_owned()));
            assert_eq!(api().namespace(name, []), error);
            assert_eq!(api().function(name), error);
            assert_eq!(api().namespace("other", [name]), error);
        }
        for name in ["Promise", "await", "console", "parseInt"] {
            let error = Err(ApiError::Taken(name.to_owned()));
            assert_eq!(api().namespace(name, []), error);
            assert_eq!(api().function(name), error);
        }
        // Behind a dot it is a name like any other.
        assert!(api().namespace("other", ["delete", "Promise"]).is_ok());
    }

    #[test]
    fn functions_and_namespaces_share_their_names() {
        let twice = |name: &str| Err(ApiError::Twice(name.to_owned()));
        assert_eq!(api().namespace("workspace", []), twice("workspace"));
        assert_eq!(api().namespace("sleep", []), twice("sleep"));
        assert_eq!(api().function("workspace"), twice("workspace"));
        assert_eq!(api().function("sleep"), twice("sleep"));
        assert_eq!(api().namespace("a", ["b", "b"]), twice("a.b"));
    }
}
