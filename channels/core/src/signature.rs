//! Signature checks: the only place a [`Proof`] comes from.

use ed25519_dalek::{Signature, VerifyingKey};
use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use sha2::Sha256;

use crate::{Reject, Secret};

/// Evidence that a signature was checked and right. It cannot be made outside this module.
#[derive(Debug)]
pub struct Proof(());

/// Checks an HMAC-SHA256 (RFC 2104) given in hexadecimal.
#[derive(Debug, Clone, Copy)]
pub struct HmacSha256Check<'a> {
    /// The shared secret.
    pub secret: &'a Secret,
    /// The header the signature came in, for the reason in [`Reject`].
    pub header: &'static str,
    /// What stands before the hexadecimal digits, such as `v0=` or `sha256=`; may be empty.
    pub prefix: &'static str,
}

impl HmacSha256Check<'_> {
    /// Compares `signature` with the code of the concatenated `message`, in constant time on the decoded bytes.
    ///
    /// # Errors
    /// [`Reject::BadHeader`] when the signature is not the prefix and exactly 64 lower-case hexadecimal digits,
    /// [`Reject::WrongSignature`] when it is another message's or another secret's.
    pub fn check(&self, message: &[&[u8]], signature: &str) -> Result<Proof, Reject> {
        let digits = signature.strip_prefix(self.prefix).ok_or(Reject::BadHeader(self.header))?;
        if digits.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(Reject::BadHeader(self.header));
        }
        let mut given = [0u8; 32];
        hex::decode_to_slice(digits, &mut given).map_err(|_| Reject::BadHeader(self.header))?;
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.secret.expose().as_bytes()).map_err(|_| Reject::WrongSignature)?;
        for part in message {
            mac.update(part);
        }
        mac.verify_slice(&given).map(|()| Proof(())).map_err(|_| Reject::WrongSignature)
    }
}

/// An Ed25519 public key (RFC 8032). It is no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ed25519Key(VerifyingKey);

impl Ed25519Key {
    /// Reads 64 hexadecimal digits. `None` for anything else, for bytes that are no point of the curve, and for the few
    /// points of small order, under which anybody could sign.
    #[must_use]
    pub fn parse(digits: &str) -> Option<Self> {
        let mut bytes = [0u8; 32];
        hex::decode_to_slice(digits, &mut bytes).ok()?;
        VerifyingKey::from_bytes(&bytes).ok().filter(|key| !key.is_weak()).map(Self)
    }
}

/// Checks an Ed25519 signature (RFC 8032) given in hexadecimal.
#[derive(Debug, Clone, Copy)]
pub struct Ed25519Check<'a> {
    /// The signer's public key.
    pub key: &'a Ed25519Key,
    /// The header the signature came in, for the reason in [`Reject`].
    pub header: &'static str,
}

impl Ed25519Check<'_> {
    /// Whether `signature` is the key holder's over the concatenated `message`. Nothing of it is secret, so no time is
    /// spent on hiding where it fails; each signature has one form only (`verify_strict`).
    ///
    /// # Errors
    /// [`Reject::BadHeader`] when the signature is not exactly 128 lower-case hexadecimal digits,
    /// [`Reject::WrongSignature`] when it is another message's or another key's.
    pub fn check(&self, message: &[&[u8]], signature: &str) -> Result<Proof, Reject> {
        if signature.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(Reject::BadHeader(self.header));
        }
        let mut given = [0u8; 64];
        hex::decode_to_slice(signature, &mut given).map_err(|_| Reject::BadHeader(self.header))?;
        let verified = self.key.0.verify_strict(&message.concat(), &Signature::from_bytes(&given));
        verified.map(|()| Proof(())).map_err(|_| Reject::WrongSignature)
    }
}

/// The one value of a security header, as text.
///
/// # Errors
/// [`Reject::MissingHeader`] when there is none, [`Reject::RepeatedHeader`] when there are several,
/// [`Reject::BadHeader`] when it is not visible ASCII.
pub fn single_header<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, Reject> {
    let mut values = headers.get_all(name).iter();
    let value = values.next().ok_or(Reject::MissingHeader(name))?;
    if values.next().is_some() {
        return Err(Reject::RepeatedHeader(name));
    }
    value.to_str().map_err(|_| Reject::BadHeader(name))
}

/// Checks that a signed time lies within `window_ms` of now, on either side.
///
/// # Errors
/// [`Reject::Stale`] outside the window; times that cannot be subtracted are outside.
pub fn check_freshness(signed_at_ms: i64, now_ms: i64, window_ms: u64) -> Result<(), Reject> {
    match now_ms.checked_sub(signed_at_ms) {
        Some(age) if age.unsigned_abs() <= window_ms => Ok(()),
        _ => Err(Reject::Stale),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of GitHub's page "Validating webhook deliveries".
    #[test]
    fn the_public_vector_is_right_and_one_changed_digit_is_not() {
        let secret = Secret::new("It's a Secret to Everybody");
        let check = HmacSha256Check { secret: &secret, header: "x-hub-signature-256", prefix: "sha256=" };
        let good = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert!(check.check(&[b"Hello, ", b"World!"], good).is_ok());
        let wrong = good.replace("e17", "e18");
        assert_eq!(check.check(&[b"Hello, World!"], &wrong).unwrap_err(), Reject::WrongSignature);
        let cut = good.strip_suffix('7').unwrap();
        for form in ["", "sha256=", "sha1=757107ea", cut, &good.to_uppercase(), &format!("{good}0")] {
            assert_eq!(
                check.check(&[b"Hello, World!"], form).unwrap_err(),
                Reject::BadHeader("x-hub-signature-256"),
                "{form}"
            );
        }
    }

    /// RFC 8032, section 7.1, test 2: a message of one byte.
    #[test]
    fn the_rfcs_vector_is_right_and_nothing_near_it() {
        let key = Ed25519Key::parse("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c").unwrap();
        let check = Ed25519Check { key: &key, header: "x-signature-ed25519" };
        let good = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
        assert!(check.check(&[b"", b"\x72"], good).is_ok());
        assert_eq!(check.check(&[b"\x73"], good).unwrap_err(), Reject::WrongSignature);
        let wrong = good.replacen("92a0", "92a1", 1);
        assert_eq!(check.check(&[b"\x72"], &wrong).unwrap_err(), Reject::WrongSignature);
        let cut = good.strip_suffix("00").unwrap();
        for form in
            ["", "00", cut, &good.to_uppercase(), &format!("{good}00"), &format!(" {good}"), &good.replace('9', "g")]
        {
            assert_eq!(check.check(&[b"\x72"], form).unwrap_err(), Reject::BadHeader("x-signature-ed25519"), "{form}");
        }
    }

    #[test]
    fn keys_that_anybody_could_sign_under_are_no_keys() {
        let zeros = "0".repeat(64);
        let one = format!("01{}", "0".repeat(62));
        for digits in ["", "hex", "3d40", &zeros, &one] {
            assert_eq!(Ed25519Key::parse(digits), None, "{digits}");
        }
        let key = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
        assert!(Ed25519Key::parse(&key.to_uppercase()).is_some());
    }

    #[test]
    fn freshness_has_two_sides_and_does_not_overflow() {
        assert!(check_freshness(0, 300_000, 300_000).is_ok());
        assert!(check_freshness(300_000, 0, 300_000).is_ok());
        for (signed, now) in [(0, 300_001), (300_001, 0), (i64::MIN, i64::MAX), (i64::MAX, i64::MIN), (i64::MIN, 0)] {
            assert_eq!(check_freshness(signed, now, 300_000), Err(Reject::Stale), "{signed} {now}");
        }
    }

    #[test]
    fn a_repeated_header_is_refused() {
        let mut headers = HeaderMap::new();
        assert_eq!(single_header(&headers, "x-a"), Err(Reject::MissingHeader("x-a")));
        headers.append("x-a", http::HeaderValue::from_static("1"));
        assert_eq!(single_header(&headers, "x-a"), Ok("1"));
        headers.append("x-a", http::HeaderValue::from_static("1"));
        assert_eq!(single_header(&headers, "x-a"), Err(Reject::RepeatedHeader("x-a")));
    }
}
