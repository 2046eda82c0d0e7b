//! The ids we choose for what we post, so that a repeat is refused as a duplicate and read back by id.
//!
//! Linear takes "the identifier in UUID v4 format" with what is created. A marker is 80 bits that nobody can guess; the id
//! is a hash of it in that format, so that a restart makes the same one.

use sha2::{Digest, Sha256};

/// The id of what is posted under `marker`; `what` tells several things of one marker apart.
pub(crate) fn id(marker: &str, what: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(b"linear");
    for part in [what, marker] {
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part.as_bytes());
    }
    let full: [u8; 32] = hash.finalize().into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(full.split_at(16).0);
    // RFC 9562, section 5.4: version 4 in the seventh byte, the variant in the ninth.
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
    *version = (*version & 0x0f) | 0x40;
    *variant = (*variant & 0x3f) | 0x80;
    let digits = hex::encode(bytes);
    let mut id = String::with_capacity(36);
    for (at, digit) in digits.chars().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            id.push('-');
        }
        id.push(digit);
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_the_form_of_version_four_and_is_the_same_again() {
        let one = id("abcdefghij234567", "reply");
        assert_eq!(one, id("abcdefghij234567", "reply"));
        assert_ne!(one, id("abcdefghij234567", "settled"));
        let groups: Vec<&str> = one.split('-').collect();
        assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert!(groups[2].starts_with('4') && groups[3].starts_with(['8', '9', 'a', 'b']), "{one}");
    }
}
