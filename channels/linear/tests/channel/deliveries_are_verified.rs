//! Only a delivery with one right signature of its raw body, sent lately, is believed.

use crate::support::{SECRET, SENT_AT_MS, delivery, nobody, signature};
use http::HeaderValue;
use proptest::prelude::*;
use reveille_channel::{Channel, Delivery, Reject, Route};

fn body(sent_at: &str) -> String {
    format!(
        r#"{{"action":"create","type":"Comment","organizationId":"o","webhookTimestamp":{sent_at},"webhookId":"w"}}"#
    )
}

fn fresh() -> String {
    body(&SENT_AT_MS.to_string())
}

#[test]
fn a_right_signature_is_believed_and_the_body_stays_as_it_is() {
    let verified = nobody().verify(delivery(fresh(), &[])).unwrap();
    assert_eq!(verified.body().as_ref(), fresh().as_bytes());
}

#[test]
fn a_wrong_missing_or_doubled_signature_is_refused() {
    let linear = nobody();
    let right = signature(fresh().as_bytes());
    let reject = |header: &str| linear.verify(delivery(fresh(), &[("linear-signature", header)])).unwrap_err();
    assert_eq!(reject(""), Reject::MissingHeader("linear-signature"));
    assert_eq!(reject(&signature(b"other")), Reject::WrongSignature);
    let bad = Reject::BadHeader("linear-signature");
    let (short, prefixed) = (right.split_at(63).0.to_owned(), format!("sha256={right}"));
    for form in [&short, &prefixed, &right.to_uppercase(), "0"] {
        assert_eq!(reject(form), bad, "{form}");
    }
    let mut doubled = delivery(fresh(), &[]);
    doubled.headers.append("linear-signature", HeaderValue::from_str(&right).unwrap());
    assert_eq!(linear.verify(doubled).unwrap_err(), Reject::RepeatedHeader("linear-signature"));
    // The same JSON written otherwise is not what was signed.
    let spaced = fresh().replace(',', ", ");
    assert_eq!(linear.verify(delivery(spaced, &[("linear-signature", &right)])).unwrap_err(), Reject::WrongSignature);
}

#[test]
fn a_stale_delivery_is_refused_like_a_wrong_signature() {
    let linear = nobody();
    let at = |offset_ms: i64| {
        let one: Delivery = delivery(fresh(), &[]);
        linear.verify(Delivery { received_at_ms: SENT_AT_MS + offset_ms, ..one }).map(|_| ())
    };
    for (offset_ms, is_fresh) in
        [(0, true), (300_000, true), (-300_000, true), (300_001, false), (-300_001, false), (86_400_000, false)]
    {
        assert_eq!(at(offset_ms), if is_fresh { Ok(()) } else { Err(Reject::Stale) }, "{offset_ms}");
    }
    // Seconds for milliseconds, what is no time, and none at all: nobody knows that it is fresh.
    for sent_at in ["1732500000", "-1", "1e9", "1e300", "18446744073709551615", "null"] {
        assert_eq!(linear.verify(delivery(body(sent_at), &[])).unwrap_err(), Reject::Stale, "{sent_at}");
    }
    assert_eq!(linear.verify(delivery(r#"{"type":"Comment"}"#, &[])).unwrap_err(), Reject::Stale);
    // Nor does what is no number.
    for other in [r#""1732500000000""#, "true", "{}", "null"] {
        let body = format!(r#"{{"type":"Comment","webhookTimestamp":{other}}}"#);
        assert_eq!(linear.verify(delivery(body, &[])).unwrap_err(), Reject::Stale, "{other}");
    }
    // The unsigned header does not make it fresh.
    let old = delivery(body("1"), &[("linear-timestamp", "1732500000000")]);
    assert_eq!(linear.verify(old).unwrap_err(), Reject::Stale);
    // A wrong signature is found first: nothing was parsed before.
    let unsigned = delivery(body("1"), &[("linear-signature", &signature(b"other"))]);
    assert_eq!(linear.verify(unsigned).unwrap_err(), Reject::WrongSignature);
}

#[test]
fn a_signed_body_that_is_no_json_is_malformed_and_not_stale() {
    let linear = nobody();
    for nonsense in ["nonsense", "", r#"{"webhookTimestamp":1e400}"#] {
        let verified = linear.verify(delivery(nonsense, &[])).unwrap();
        assert!(linear.normalise(&verified).is_err(), "{nonsense}");
    }
}

#[test]
fn only_the_webhook_takes_deliveries() {
    for route in [Route::Events, Route::Commands, Route::Interactivity, Route::Interactions] {
        let elsewhere = Delivery { route, ..delivery(fresh(), &[]) };
        assert!(nobody().verify(elsewhere).is_err(), "{route:?}");
    }
    assert_eq!(nobody().routes(), [Route::Webhook]);
}

proptest! {
    #[test]
    fn no_bytes_make_verification_panic(body: Vec<u8>, header in "\\PC{0,80}") {
        let mut given = delivery(body.clone(), &[]);
        if let Ok(value) = HeaderValue::from_str(&header) {
            given.headers.insert("linear-signature", value);
            prop_assert!(once().verify(given).is_err());
        }
        let _ = once().verify(delivery(body, &[]));
    }

    #[test]
    fn one_changed_bit_is_seen(at: prop::sample::Index, bit in 0..8) {
        let mut body = fresh().into_bytes();
        let right = signature(&body);
        let at = at.index(body.len());
        body[at] ^= 1u8 << bit;
        let changed = delivery(body, &[("linear-signature", &right)]);
        prop_assert_eq!(once().verify(changed).unwrap_err(), Reject::WrongSignature);
    }
}

fn once() -> &'static reveille_linear::Linear {
    static LINEAR: std::sync::OnceLock<reveille_linear::Linear> = std::sync::OnceLock::new();
    LINEAR.get_or_init(nobody)
}

#[test]
fn linears_own_package_agrees() {
    let bodies = [fresh(), format!(r#"{{"webhookTimestamp":{SENT_AT_MS},"a":"ä😀"}}"#)];
    let case = |body: &str, signature: String| serde_json::json!({ "platform": "linear", "secret": SECRET, "body": body, "timestamp": SENT_AT_MS / 1_000, "signature": signature });
    let mut cases: Vec<_> = bodies.iter().map(|body| case(body, signature(body.as_bytes()))).collect();
    cases.push(case(&bodies[0], signature(b"other")));
    let told = reveille_oracles::run("webhook-signatures", &serde_json::to_string(&cases).unwrap()).unwrap();
    assert_eq!(told, "[true,true,false]");
    for body in bodies {
        assert!(nobody().verify(delivery(body.clone(), &[])).is_ok(), "{body}");
    }
}
