//! The signature ("Interactions: Overview", "Validating Security Request Headers"): Ed25519 over timestamp and body.
//!
//! Discord names no window for the timestamp; without one, a captured request could be sent again for ever.

use reveille_channel::{Delivery, Ed25519Check, Ed25519Key, Reject, Verified, check_freshness, single_header};

const SIGNATURE: &str = "x-signature-ed25519";
const TIMESTAMP: &str = "x-signature-timestamp";

/// How far the signed time may be from now, on either side.
const WINDOW_MS: u64 = 300_000;

/// More digits than any second of this age needs.
const DIGITS_MAX: usize = 12;

pub(crate) fn verify(key: &Ed25519Key, delivery: Delivery) -> Result<Verified, Reject> {
    let timestamp = single_header(&delivery.headers, TIMESTAMP)?;
    let signature = single_header(&delivery.headers, SIGNATURE)?;
    if timestamp.is_empty() || timestamp.len() > DIGITS_MAX || !timestamp.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Reject::BadHeader(TIMESTAMP));
    }
    let seconds: i64 = timestamp.parse().map_err(|_| Reject::BadHeader(TIMESTAMP))?;
    let check = Ed25519Check { key, header: SIGNATURE };
    let proof = check.check(&[timestamp.as_bytes(), &delivery.body], signature)?;
    check_freshness(seconds.saturating_mul(1_000), delivery.received_at_ms, WINDOW_MS)?;
    Ok(delivery.verified_by(proof))
}
