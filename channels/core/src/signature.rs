//! Signature checks: the only place a [`Proof`] comes from.

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
