//! References to secrets, and what cannot be a secret. Nothing here says a value.

use std::path::Path;

use super::environment::{Environment, is_name};

/// The largest secret that is read from a file, bytes.
const MOST_BYTES: u64 = 64 * 1024;

/// The least bytes of a secret that signs: RFC 2104 advises against keys shorter than the hash's security.
const LEAST_BYTES: usize = 16;

/// What kind of secret a key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Checks signatures.
    Signing,
    /// Is sent along with calls.
    Token,
    /// A private key in PEM.
    PrivateKey,
    /// A key that seals what is stored: 32 bytes in hexadecimal.
    SealingKey,
}

impl Shape {
    /// Where a good one comes from.
    pub(super) fn advice(self) -> &'static str {
        match self {
            Self::Signing => {
                "use the platform's own signing secret, or make a webhook secret with `openssl rand -hex 32`"
            }
            Self::Token => "put the token there that the platform or provider gave you",
            Self::SealingKey => "make one with `openssl rand -hex 32`, and keep it apart from the data",
            Self::PrivateKey => "use the .pem file that the platform gave you: `\"file:app.pem\"`",
        }
    }
}

/// Why a reference leads nowhere.
#[derive(Debug)]
pub(super) struct Unresolved {
    pub(super) what: String,
    pub(super) help: String,
    /// It simply is not set, as on a laptop that does not use it.
    pub(super) is_absence: bool,
}

/// Follows a reference. `None`: it is none, the secret itself stands there.
pub(super) fn resolve(written: &str, environment: &Environment, folder: &Path) -> Result<Option<String>, Unresolved> {
    if let Some(name) = written.strip_prefix("env:") {
        return variable(name, environment).map(Some);
    }
    written.strip_prefix("file:").map(|path| file(path, folder)).transpose()
}

fn variable(name: &str, environment: &Environment) -> Result<String, Unresolved> {
    if !is_name(name) || (name.len() > 24 && name.chars().any(|c| c.is_ascii_lowercase())) {
        // What stands after `env:` may be the secret itself: it is not repeated.
        return Err(Unresolved {
            what: "what stands after `env:` is not the name of a variable".into(),
            help: "write `\"env:NAME\"` with capital letters, digits and `_`".into(),
            is_absence: false,
        });
    }
    environment.get(name).map(str::to_owned).ok_or_else(|| {
        let near = environment.names().filter(|other| strsim::damerau_levenshtein(other, name) <= 2).min();
        let near = near.map_or_else(String::new, |near| format!(" (there is one named {near})"));
        Unresolved {
            what: format!("the variable {name} is not set"),
            help: format!("set {name}{near}, in the environment or in a file `.env` beside the configuration"),
            is_absence: true,
        }
    })
}

fn file(path: &str, folder: &Path) -> Result<String, Unresolved> {
    let path = folder.join(path);
    let read = || {
        let size = std::fs::metadata(&path)?.len();
        if size > MOST_BYTES {
            return Err(std::io::Error::other(format!("it has {size} bytes, more than a secret needs")));
        }
        std::fs::read_to_string(&path)
    };
    read().map_err(|error| Unresolved {
        what: format!("the file {} cannot be read: {error}", path.display()),
        help: "a relative path is taken from the folder of the configuration file".into(),
        is_absence: error.kind() == std::io::ErrorKind::NotFound,
    })
}

/// Why a value cannot be a secret of this shape, without saying it.
#[must_use]
pub fn unusable(value: &str, shape: Shape) -> Option<String> {
    let trimmed = value.trim();
    if trimmed.is_empty() {
        return Some("the secret is empty".into());
    }
    if is_placeholder(trimmed) {
        return Some("the secret is a placeholder".into());
    }
    if shape == Shape::PrivateKey {
        let is_key = trimmed.starts_with("-----BEGIN ") && trimmed.contains("PRIVATE KEY-----");
        return (!is_key).then(|| "the secret is not a private key in PEM".into());
    }
    if shape == Shape::SealingKey {
        let is_key = trimmed.len() == 64 && trimmed.bytes().all(|byte| byte.is_ascii_hexdigit());
        return (!is_key).then(|| "the secret is not a key of 64 hexadecimal digits".into());
    }
    // A webhook's secret is any text its owner chose, blanks inside included; a token is one word.
    let is_broken = value.chars().any(char::is_control) || value != trimmed;
    if is_broken || (shape != Shape::Signing && value.contains(char::is_whitespace)) {
        return Some("the secret has line breaks, control characters or blanks where none belong".into());
    }
    (shape == Shape::Signing && value.len() < LEAST_BYTES)
        .then(|| format!("the secret is shorter than {LEAST_BYTES} bytes"))
}

/// Whether somebody forgot to fill it in.
fn is_placeholder(value: &str) -> bool {
    let lower = value.to_lowercase();
    let squeezed: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
    let is_word =
        ["changeme", "changethis", "placeholder", "secret", "password", "example", "todo", "fixme", "none", "null"]
            .contains(&squeezed.as_str());
    let says_so =
        ["changeme", "replaceme", "replacewith", "yourtoken", "yoursecret", "yourkey", "insertyour", "putyour"]
            .iter()
            .any(|phrase| squeezed.contains(phrase));
    let mut letters = lower.chars();
    let first = letters.next();
    let is_one_letter = letters.all(|c| Some(c) == first || c == '-');
    is_word
        || says_so
        || is_one_letter
        || squeezed.is_empty()
        || lower.starts_with("your-")
        || lower.starts_with("your_")
        || lower.starts_with('$')
        || lower.ends_with("...")
        || (lower.starts_with('<') && lower.ends_with('>'))
}

/// The variable's name that a person would expect for a key.
#[must_use]
pub fn suggest_variable(path: &[String], key: &str) -> String {
    let table = path.last().map_or("", String::as_str);
    let name: String = format!("{table}_{key}")
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
        .collect();
    // No variable begins with a digit.
    if name.starts_with(|first: char| first.is_ascii_digit()) { format!("_{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_filled_in_is_a_placeholder_and_real_ones_are_not() {
        for value in [
            "changeme",
            "CHANGE-ME",
            "change_me_please_now",
            "xoxb-your-token",
            "<signing secret>",
            "xxxxxxxxxxxxxxxxxxxx",
            "your_secret_here",
            "${SLACK_SIGNING_SECRET}",
            "sk-...",
            "secret",
            "0000000000000000",
            "----",
        ] {
            assert!(unusable(value, Shape::Token).is_some(), "{value}");
        }
        for value in [
            "8f742231b10e8888abcd99yyyzzz85a5",
            "xoxb-17653672481-19874698323-pdFZKVeTuE8sk7oOcHrzzqgy",
            "test-signing-secret-1",
        ] {
            assert_eq!(unusable(value, Shape::Signing), None, "{value}");
        }
        assert!(unusable("fifteen-bytes-x", Shape::Signing).is_some());
        assert!(unusable("two\nlines", Shape::Token).is_some());
    }
}
