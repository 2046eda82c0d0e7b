//! Only a delivery with one right signature of its raw body is believed.

use crate::support::{app, delivery, signature};
use http::HeaderValue;
use proptest::prelude::*;
use reveille_channel::{Channel, Reject, Route};

const VECTOR: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

/// The vector of GitHub's page "Validating webhook deliveries".
#[test]
fn the_public_vector_is_right() {
    assert_eq!(signature(b"Hello, World!"), VECTOR);
    let verified = app().verify(delivery("ping", "Hello, World!", &[])).unwrap();
    assert_eq!(verified.body().as_ref(), b"Hello, World!");
}

#[test]
fn a_wrong_missing_or_doubled_signature_is_refused() {
    let github = app();
    let reject = |header: &str| {
        github.verify(delivery("ping", "Hello, World!", &[("x-hub-signature-256", header)])).unwrap_err()
    };
    let bad = Reject::BadHeader("x-hub-signature-256");
    assert_eq!(reject(""), Reject::MissingHeader("x-hub-signature-256"));
    assert_eq!(reject(&VECTOR.replace("e17", "e18")), Reject::WrongSignature);
    assert_eq!(reject(&signature(b"Hello, World?")), Reject::WrongSignature);
    let (digits, short) = (VECTOR.replace("sha256=", ""), VECTOR.replace("e17", "e1"));
    for form in [&digits, &short, &VECTOR.to_uppercase(), "sha1=757107ea0eb2509fc211221cce984b8a37570b6d"] {
        assert_eq!(reject(form), bad, "{form}");
    }
    let mut doubled = delivery("ping", "Hello, World!", &[]);
    doubled.headers.append("x-hub-signature-256", HeaderValue::from_static(VECTOR));
    assert_eq!(github.verify(doubled).unwrap_err(), Reject::RepeatedHeader("x-hub-signature-256"));
    // The older header is no substitute.
    let old = [("x-hub-signature-256", ""), ("x-hub-signature", "sha1=5b5d1bdd0f5b3c1a3ae2e0f6cbb0b9a4b7d3c3a2")];
    assert!(github.verify(delivery("ping", "Hello, World!", &old)).is_err());
}

#[test]
fn only_the_webhook_takes_deliveries() {
    for route in [Route::Events, Route::Commands, Route::Interactivity, Route::Interactions] {
        let mut elsewhere = delivery("ping", "Hello, World!", &[]);
        elsewhere.route = route;
        assert!(app().verify(elsewhere).is_err(), "{route:?}");
    }
    assert_eq!(app().routes(), [Route::Webhook]);
}

proptest! {
    #[test]
    fn no_bytes_make_verification_panic(body: Vec<u8>, header in "\\PC{0,80}") {
        let github = app_once();
        let mut given = delivery("issues", body, &[]);
        if let Ok(value) = HeaderValue::from_str(&header) {
            given.headers.insert("x-hub-signature-256", value);
        }
        prop_assert!(github.verify(given).is_err());
    }

    #[test]
    fn one_changed_bit_is_seen(mut body in proptest::collection::vec(any::<u8>(), 1..200), at: prop::sample::Index, bit in 0..8) {
        let right = signature(&body);
        let at = at.index(body.len());
        body[at] ^= 1u8 << bit;
        let changed = delivery("issues", body, &[("x-hub-signature-256", &right)]);
        prop_assert_eq!(app_once().verify(changed).unwrap_err(), Reject::WrongSignature);
    }
}

fn app_once() -> &'static reveille_github::GitHub {
    static GITHUB: std::sync::OnceLock<reveille_github::GitHub> = std::sync::OnceLock::new();
    GITHUB.get_or_init(app)
}
