//! Snapshots hold what a program knows, so they are kept like secrets: sealed, each to its own place.

use reveille_channel::InstanceId;

use crate::journal::Turn;
use crate::vault::{Broken, Keys, open as unseal, seal as sealed};

/// What a snapshot belongs to. It opens nowhere else.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The instance.
    pub instance: InstanceId,
    /// The turn.
    pub turn: Turn,
    /// The call of the tool `code`.
    pub call: &'a str,
    /// Hash of the image that it stands on, and so of the engine.
    pub image: &'a str,
}

/// Why a snapshot cannot be used. The program is then not run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// The key was changed.
    #[error("the snapshot is sealed with another key; name that one as `storage.previous_key`")]
    OtherKey,
    /// It is not what was kept there.
    #[error("the snapshot was changed since it was kept, or belongs to another program")]
    Changed,
}

fn parts(place: Place<'_>) -> [String; 5] {
    let Place { instance, turn, call, image } = place;
    ["snapshot".to_owned(), instance.to_string(), turn.to_string(), call.to_owned(), image.to_owned()]
}

/// Seals a snapshot. `None`: there is no randomness to be had.
#[must_use]
pub fn seal(keys: &Keys, place: Place<'_>, snapshot: &[u8]) -> Option<Vec<u8>> {
    let parts = parts(place);
    sealed(&keys.key, &parts.each_ref().map(String::as_str), snapshot)
}

/// The snapshot that was sealed for this place.
///
/// # Errors
/// See [`NotOpened`].
pub fn open(keys: &Keys, place: Place<'_>, kept: &[u8]) -> Result<Vec<u8>, NotOpened> {
    let parts = parts(place);
    let parts = parts.each_ref().map(String::as_str);
    match unseal(&keys.key, &parts, kept) {
        Err(Broken::OtherKey) => match keys.previous.as_ref().map(|previous| unseal(previous, &parts, kept)) {
            Some(Ok(snapshot)) => Ok(snapshot),
            Some(Err(Broken::Changed)) => Err(NotOpened::Changed),
            Some(Err(Broken::OtherKey)) | None => Err(NotOpened::OtherKey),
        },
        Err(Broken::Changed) => Err(NotOpened::Changed),
        Ok(snapshot) => Ok(snapshot),
    }
}

#[cfg(test)]
mod tests {
    use reveille_channel::Secret;

    use super::*;
    use crate::vault::Key;

    fn keys(digit: char, previous: Option<char>) -> Keys {
        let key = |digit: char| Key::parse(&Secret::new(digit.to_string().repeat(64))).unwrap();
        Keys { key: key(digit), previous: previous.map(key) }
    }

    #[test]
    fn a_snapshot_opens_where_it_belongs_and_as_it_was_alone() {
        let instance = InstanceId::of("assistant/slack/T/C:1");
        let place = Place { instance, turn: 1, call: "call_1_1_0", image: "ab" };
        let kept = seal(&keys('a', None), place, b"memory").unwrap();
        assert_eq!(open(&keys('a', None), place, &kept).unwrap(), b"memory");
        assert_eq!(open(&keys('b', Some('a')), place, &kept).unwrap(), b"memory");
        assert_eq!(open(&keys('b', None), place, &kept), Err(NotOpened::OtherKey));
        let other = InstanceId::of("assistant/slack/T/C:2");
        for elsewhere in [
            Place { instance: other, ..place },
            Place { turn: 2, ..place },
            Place { call: "call_1_1_1", ..place },
            Place { image: "cd", ..place },
        ] {
            assert_eq!(open(&keys('a', None), elsewhere, &kept), Err(NotOpened::Changed), "{elsewhere:?}");
        }
        for at in 0..kept.len() {
            let mut changed = kept.clone();
            changed[at] ^= 1;
            assert!(open(&keys('a', None), place, &changed).is_err(), "{at}");
        }
    }
}
