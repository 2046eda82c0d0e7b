//! The signature ("Verifying requests from Slack"): `v0=` and HMAC-SHA256 over `v0:{timestamp}:{body}`.

use reveille_channel::{Delivery, HmacSha256Check, Reject, Secret, Verified, check_freshness, single_header};

const SIGNATURE: &str = "x-slack-signature";
const TIMESTAMP: &str = "x-slack-request-timestamp";

/// How far the signed time may be from now, on either side.
const WINDOW_MS: u64 = 300_000;

/// More digits than any second of this age needs.
const DIGITS_MAX: usize = 12;

pub(crate) fn verify(secret: &Secret, delivery: Delivery) -> Result<Verified, Reject> {
    let timestamp = single_header(&delivery.headers, TIMESTAMP)?;
    let signature = single_header(&delivery.headers, SIGNATURE)?;
    if timestamp.is_empty() || timestamp.len() > DIGITS_MAX || !timestamp.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Reject::BadHeader(TIMESTAMP));
    }
    let seconds: i64 = timestamp.parse().map_err(|_| Reject::BadHeader(TIMESTAMP))?;
    let check = HmacSha256Check { secret, header: SIGNATURE, prefix: "v0=" };
    let proof = check.check(&[b"v0:", timestamp.as_bytes(), b":", &delivery.body], signature)?;
    check_freshness(seconds.saturating_mul(1_000), delivery.received_at_ms, WINDOW_MS)?;
    Ok(delivery.verified_by(proof))
}
