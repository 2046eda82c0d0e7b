//! `.env` beside the configuration: values that were given go in, and never come out again here.

use std::path::Path;

use reveille_channel::Secret;

use crate::cli::add::project::{read_if_there, write};
use crate::cli::failure::{Code, Failure};

/// Puts variables into the file: in place of a line that gives them no value, or at its end.
pub(super) fn put(path: &Path, values: &[(String, Secret)]) -> Result<(), Failure> {
    let before = read_if_there(path)?.unwrap_or_default();
    let mut lines: Vec<String> = before.lines().map(ToOwned::to_owned).collect();
    for (name, value) in values {
        let value = value.expose();
        let is_quoted = value.starts_with(['"', '\'']) || value.ends_with(['"', '\'']);
        if value.chars().any(char::is_control) || value.trim() != value || is_quoted {
            let what = format!("the value for {name} has line breaks, quotes or blanks around it");
            return Err(Failure::new(Code::Addition, what, "copy it again, without what stands around it"));
        }
        let line = format!("{name}={value}");
        match lines.iter_mut().find(|line| name_of(line) == Some(name)) {
            Some(old) => *old = line,
            None => lines.push(line),
        }
    }
    write(path, &format!("{}\n", lines.join("\n")), true)
}

/// The variable that a line sets.
fn name_of(line: &str) -> Option<&str> {
    let line = line.trim();
    let (name, _) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
    Some(name.trim()).filter(|name| !name.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn values_take_the_place_of_lines_without_one_and_the_rest_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".env");
        fs::write(&path, "# mine\nexport A=\nB=2").unwrap();
        put(&path, &[("A".into(), Secret::new("1")), ("C".into(), Secret::new("3=3"))]).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "# mine\nA=1\nB=2\nC=3=3\n");
        let refused = put(&path, &[("D".into(), Secret::new("two\nlines"))]).unwrap_err();
        assert!(!format!("{refused:?}").contains("lines\\n"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "# mine\nA=1\nB=2\nC=3=3\n");
    }
}
