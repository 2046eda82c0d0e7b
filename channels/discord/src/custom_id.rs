//! The `custom_id` of our buttons: what is asked about, and the choice ("Component Reference": 1 to 100 characters).

/// What ours begin with.
const PREFIX: &str = "rv:";

/// Discord's bound, characters.
const MOST: usize = 100;

/// The id of a choice's button; `None` when the two do not fit.
pub(crate) fn write(reference: &str, choice: &str) -> Option<String> {
    let id = format!("{PREFIX}{reference}:{choice}");
    (is_word(reference, 64) && is_word(choice, 24) && id.len() <= MOST).then_some(id)
}

/// Reference and choice of a button of ours.
pub(crate) fn read(id: &str) -> Option<(&str, &str)> {
    let (reference, choice) = id.strip_prefix(PREFIX)?.split_once(':')?;
    (is_word(reference, 64) && is_word(choice, 24)).then_some((reference, choice))
}

/// As [`reveille_channel::Ask`] has it, so without a colon.
fn is_word(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        let id = write(&"r".repeat(64), &"c".repeat(24)).unwrap();
        assert!(id.len() <= MOST);
        assert_eq!(read(&id), Some(("r".repeat(64).as_str(), "c".repeat(24).as_str())));
        assert_eq!(write("a:b", "c"), None);
        assert_eq!(write("", "c"), None);
        for id in ["", "rv:", "rv:a", "rv:a:", "rv::b", "rv:a:b:c", "xx:a:b", "rv:a b:c"] {
            assert_eq!(read(id), None, "{id}");
        }
    }
}
