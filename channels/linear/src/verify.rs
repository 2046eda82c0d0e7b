//! Whether a delivery comes from the holder of the webhook's secret, and lately.
//!
//! Linear signs the raw body alone, and the time it was sent is in the body: so the signature is checked first, over
//! bytes that nobody has parsed, and only of a body that is Linear's the time is read. Either failure is answered the same.

use reveille_channel::{Delivery, HmacSha256Check, Reject, Route, Secret, Verified, check_freshness, single_header};
use serde::Deserialize;
use serde_json::{Number, Value};

/// The header with the signature. `Linear-Timestamp` is not signed and never looked at.
const HEADER: &str = "linear-signature";

/// How far the signed time may be from now, on either side. Linear advises a minute; clocks of small servers are worse.
const WINDOW_MS: u64 = 300_000;

/// Checks `Linear-Signature`, hexadecimal HMAC-SHA256 of the raw body, then `webhookTimestamp`, milliseconds
/// (Linear developer documentation, "Webhooks": securing webhooks).
pub(crate) fn verify(secret: &Secret, delivery: Delivery) -> Result<Verified, Reject> {
    // The signature does not say which endpoint it was made for, so no other endpoint may take it.
    if delivery.route != Route::Webhook {
        return Err(Reject::WrongSignature);
    }
    let signature = single_header(&delivery.headers, HEADER)?;
    let proof = HmacSha256Check { secret, header: HEADER, prefix: "" }.check(&[&delivery.body], signature)?;
    // A signed body that is no JSON is no replay: what it is instead is said when it is normalised.
    if let Ok(signed) = serde_json::from_slice::<Signed>(&delivery.body) {
        let sent_at_ms = signed.webhook_timestamp.as_ref().and_then(Value::as_number).and_then(milliseconds);
        let sent_at_ms = sent_at_ms.ok_or(Reject::Stale)?;
        check_freshness(sent_at_ms, delivery.received_at_ms, WINDOW_MS)?;
    }
    Ok(delivery.verified_by(proof))
}

/// The one field that is read before anything is believed to be new.
#[derive(Deserialize)]
struct Signed {
    #[serde(default, rename = "webhookTimestamp")]
    webhook_timestamp: Option<Value>,
}

/// The schema calls it a `Float`; a fraction of a millisecond is nobody's.
fn milliseconds(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| number.as_f64().and_then(|number| format!("{number:.0}").parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_and_broken_milliseconds_are_read_and_what_overflows_is_none() {
        let read = |text: &str| milliseconds(&serde_json::from_str(text).unwrap());
        assert_eq!(read("1732500000123"), Some(1_732_500_000_123));
        assert_eq!(read("1732500000123.4"), Some(1_732_500_000_123));
        assert_eq!(read("1.7325e12"), Some(1_732_500_000_000));
        assert_eq!(read("-1"), Some(-1));
        assert_eq!(read("1e300"), None);
        assert_eq!(read("18446744073709551615"), None);
    }
}
