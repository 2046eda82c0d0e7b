//! Sealing: AES-256-GCM-SIV (RFC 8452) with random nonces, envelope-wise. Each row has a key of its own, which is sealed with the
//! configured key; both seals are bound to connection, tenant and version, so that nothing can be moved.
//!
//! ```text
//! version (1) | id of the key (8) | nonce (12) | sealed row key (32 + 16) | nonce (12) | sealed data (n + 16)
//! ```

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::digest;
use reveille_channel::Secret;

const VERSION: u8 = 1;
const KEY_BYTES: usize = 32;
const ID_BYTES: usize = 8;
const TAG_BYTES: usize = 16;

/// A key that seals. It prints nothing of itself.
#[derive(Clone)]
pub struct Key {
    hex: Secret,
    id: [u8; ID_BYTES],
}

/// What was given as a key is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key has 64 hexadecimal digits; make one with `openssl rand -hex 32`")]
pub struct BadKey;

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key([redacted])")
    }
}

impl Key {
    /// Reads 64 hexadecimal digits.
    ///
    /// # Errors
    /// [`BadKey`].
    pub fn parse(text: &Secret) -> Result<Self, BadKey> {
        let mut bytes = [0; KEY_BYTES];
        hex::decode_to_slice(text.expose(), &mut bytes).map_err(|_| BadKey)?;
        let hash = digest::digest(&digest::SHA256, &[b"reveille key id".as_slice(), &bytes].concat());
        let mut id = [0; ID_BYTES];
        id.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
        Ok(Self { hex: text.clone(), id })
    }

    fn aead(&self) -> Option<RandomizedNonceKey> {
        let bytes = hex::decode(self.hex.expose()).ok()?;
        RandomizedNonceKey::new(&AES_256_GCM_SIV, &bytes).ok()
    }
}

/// What a seal is bound to: each part with its length, so that parts cannot run together.
fn bound(place: &[&str], column: &str) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    for part in place.iter().chain([&column]) {
        bytes.extend(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        bytes.extend(part.as_bytes());
    }
    bytes
}

/// Why a row does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    /// It was sealed with another key.
    OtherKey,
    /// It is not what was sealed in this place.
    Changed,
}

/// Seals data to a place. `None`: there is no randomness to be had.
pub(crate) fn seal(key: &Key, place: &[&str], data: &[u8]) -> Option<Vec<u8>> {
    let mut row_key = [0; KEY_BYTES];
    aws_lc_rs::rand::fill(&mut row_key).ok()?;
    let mut sealed = vec![VERSION];
    sealed.extend(key.id);
    sealed.extend(seal_one(&key.aead()?, &bound(place, "key"), row_key.to_vec())?);
    let row = RandomizedNonceKey::new(&AES_256_GCM_SIV, &row_key).ok()?;
    sealed.extend(seal_one(&row, &bound(place, "data"), data.to_vec())?);
    Some(sealed)
}

fn seal_one(key: &RandomizedNonceKey, bound: &[u8], mut data: Vec<u8>) -> Option<Vec<u8>> {
    let nonce = key.seal_in_place_append_tag(Aad::from(bound), &mut data).ok()?;
    let mut sealed = nonce.as_ref().to_vec();
    sealed.append(&mut data);
    Some(sealed)
}

/// What was sealed to a place.
pub(crate) fn open(key: &Key, place: &[&str], sealed: &[u8]) -> Result<Vec<u8>, Broken> {
    let ([VERSION], rest) = sealed.split_at_checked(1).ok_or(Broken::Changed)? else {
        return Err(Broken::Changed);
    };
    let (id, rest) = rest.split_at_checked(ID_BYTES).ok_or(Broken::Changed)?;
    if id != key.id {
        return Err(Broken::OtherKey);
    }
    let (row_key, data) = rest.split_at_checked(NONCE_LEN + KEY_BYTES + TAG_BYTES).ok_or(Broken::Changed)?;
    let aead = key.aead().ok_or(Broken::Changed)?;
    let row_key = open_one(&aead, &bound(place, "key"), row_key)?;
    let row = RandomizedNonceKey::new(&AES_256_GCM_SIV, &row_key).map_err(|_| Broken::Changed)?;
    open_one(&row, &bound(place, "data"), data)
}

fn open_one(key: &RandomizedNonceKey, bound: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Broken> {
    let (nonce, data) = sealed.split_at_checked(NONCE_LEN).ok_or(Broken::Changed)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Broken::Changed)?;
    let mut data = data.to_vec();
    let opened = key.open_in_place(nonce, Aad::from(bound), &mut data).map_err(|_| Broken::Changed)?;
    Ok(opened.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: [&str; 2] = ["slack", "T1"];

    fn key(digit: char) -> Key {
        Key::parse(&Secret::new(digit.to_string().repeat(64))).unwrap()
    }

    #[test]
    fn what_was_sealed_opens_in_its_place_alone() {
        let sealed = seal(&key('a'), &PLACE, b"xoxb-1").unwrap();
        assert_eq!(open(&key('a'), &PLACE, &sealed).unwrap(), b"xoxb-1");
        assert_eq!(open(&key('b'), &PLACE, &sealed).unwrap_err(), Broken::OtherKey);
        for place in [["slack", "T2"], ["slack2", "T1"], ["slackT", "1"]] {
            assert_eq!(open(&key('a'), &place, &sealed).unwrap_err(), Broken::Changed, "{place:?}");
        }
        assert_eq!(open(&key('a'), &["slack"], &sealed).unwrap_err(), Broken::Changed);
        assert_ne!(sealed, seal(&key('a'), &PLACE, b"xoxb-1").unwrap(), "never the same twice");
    }

    #[test]
    fn no_byte_can_be_changed_or_left_out() {
        let sealed = seal(&key('a'), &PLACE, b"xoxb-1").unwrap();
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(open(&key('a'), &PLACE, &changed).is_err(), "{index}");
            assert!(open(&key('a'), &PLACE, &sealed[..index]).is_err(), "{index}");
        }
    }

    #[test]
    fn a_key_is_64_digits_and_is_not_printed() {
        for text in ["", "abc", &"g".repeat(64), &"a".repeat(62), &"a".repeat(66)] {
            assert_eq!(Key::parse(&Secret::new(text)).unwrap_err(), BadKey);
        }
        assert_eq!(format!("{:?}", key('a')), "Key([redacted])");
    }
}
