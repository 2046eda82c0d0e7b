//! What never leaves, however it was tried.

use std::io::Write as _;
use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use tracing_subscriber::fmt::MakeWriter;

use super::*;

/// Keeps what is written.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Kept {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

const CANARY: &str = "canary/one+two=\"three\"\u{e9}";

fn logged(format: Format, act: impl FnOnce()) -> String {
    let kept = Kept::default();
    let sink = Sink::new(format, Scrubber::new(&[Secret::new(CANARY)]), kept.clone());
    tracing::subscriber::with_default(subscriber(format, EnvFilter::new("trace"), sink), act);
    kept.text()
}

fn encodings() -> Vec<String> {
    let bytes = CANARY.as_bytes();
    vec![
        CANARY.into(),
        BASE64_STANDARD.encode(bytes),
        BASE64_URL_SAFE_NO_PAD.encode(bytes),
        BASE64_STANDARD.encode(format!("user:{CANARY}")),
        BASE64_STANDARD.encode(format!("users:{CANARY} and more")),
        hex::encode(bytes),
        hex::encode_upper(bytes),
        url::form_urlencoded::byte_serialize(bytes).collect(),
        bytes.iter().map(|byte| format!("%{byte:02x}")).collect(),
        serde_json::to_string(CANARY).unwrap(),
        format!("{CANARY:?}"),
    ]
}

/// Whether any form of the canary is still there.
fn leaks(text: &str) -> bool {
    let forms = encodings();
    let inner = |form: &String| form.trim_matches('"').get(8..20).unwrap().to_owned();
    forms.iter().any(|form| text.contains(&inner(form)))
}

#[test]
fn a_secret_is_taken_out_in_every_form_from_every_place() {
    for format in [Format::Text, Format::Json] {
        for form in encodings() {
            let error = std::io::Error::other(form.clone());
            let text = logged(format, || {
                let span = tracing::info_span!("call", url = %form, header = ?form, later = tracing::field::Empty);
                span.record("later", form.as_str());
                let _entered = span.enter();
                tracing::info!("before {form} after");
                tracing::error!(?error, other = %form, str = form.as_str(), "failed");
                tracing::trace!(nested = ?vec![Some(&form)], "headers {:?}", [("authorization", &form)]);
            });
            assert_eq!(text.lines().count(), 3, "{text}");
            assert!(text.contains("[redacted]") && !leaks(&text), "{format:?} {form}\n{text}");
        }
    }
}

#[test]
fn a_secret_that_is_written_in_pieces_is_taken_out() {
    let kept = Kept::default();
    let sink = Sink::new(Format::Text, Scrubber::new(&[Secret::new(CANARY)]), kept.clone());
    let event = format!("{}{CANARY}{}\n", "x".repeat(16 * 1024 - 5), "y".repeat(100));
    let mut line = sink.make_writer();
    for piece in event.as_bytes().chunks(7) {
        line.write_all(piece).unwrap();
        line.flush().unwrap();
    }
    drop(line);
    assert!(!kept.text().contains("canary"));
    assert!(kept.text().contains("xx[redacted]yy"));
}

#[test]
fn everything_shaped_like_a_credential_is_taken_out() {
    let scrubber = Scrubber::new(&[]);
    for (text, expected) in [
        ("token xoxb-1234-5678-abcdefgh!", "token [redacted]!"),
        ("xapp-1-A111-222-abcdef", "[redacted]"),
        ("ghp_0123456789abcdefABCDEF and ghs_0123456789abcdefABCDEF", "[redacted] and [redacted]"),
        ("github_pat_11ABCDEFG0_abcdefghij", "[redacted]"),
        ("Incorrect API key: sk-proj-abcdefgh12345678.", "Incorrect API key: [redacted]."),
        ("x-api-key: sk-ant-api03-abcdefgh", "x-api-key: [redacted]"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer [redacted]"),
        ("authorization: basic dXNlcjpwYXNz", "authorization: basic [redacted]"),
        ("postgres://user:pass@host/db", "postgres://[redacted]@host/db"),
        ("https://host/models?key=abc123&alt=sse", "https://host/models?key=[redacted]&alt=sse"),
        ("a -----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- b", "a [redacted] b"),
        (r"-----BEGIN PRIVATE KEY-----\nMIIE\nhalf", "[redacted]"),
        ("eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxMjM0NSJ9.c2lnbmF0dXJl", "[redacted]"),
        ("task-force, desk-12345678, a bearer of news: ok", "task-force, desk-12345678, a bearer of news: ok"),
    ] {
        assert_eq!(scrubber.scrub(text), expected);
    }
}

#[test]
fn a_hostile_name_makes_one_line_and_no_escape_sequence() {
    let name = "\u{1b}]0;x\u{7}\n{\"level\":\"ERROR\"}\r\u{9b}2J\u{202e}";
    for format in [Format::Text, Format::Json] {
        let text = logged(format, || {
            let _span = tracing::info_span!("delivery", %name).entered();
            tracing::warn!(display = %name, debug = ?name, plain = name, "from {name}");
        });
        assert_eq!(text.lines().count(), 1, "{text}");
        assert_eq!(text.chars().filter(|c| is_unseen(*c)).collect::<String>(), "\n", "{text:?}");
        if format == Format::Json {
            let event: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(event["level"], "WARN");
            assert_eq!(event["fields"]["plain"], name);
        }
    }
}

#[test]
fn a_long_value_is_cut() {
    for format in [Format::Text, Format::Json] {
        let long = "\u{e9}".repeat(100_000);
        let text = logged(format, || tracing::info!(body = %long, "{long}"));
        assert!(text.len() < 20_000 && text.contains("more bytes]"), "{}", text.len());
    }
}

#[test]
fn a_secret_on_the_edge_of_a_cut_leaves_no_part_behind() {
    for format in [Format::Text, Format::Json] {
        for before in (4096 - CANARY.len()..4100).step_by(3) {
            let long = format!("{}{CANARY}{}", "x".repeat(before), "y".repeat(5000));
            let text = logged(format, || tracing::info!(body = %long));
            assert!(!text.contains("can") && !text.contains("three"), "{format:?} {before}");
        }
    }
}

#[test]
fn a_panic_is_one_scrubbed_line() {
    let kept = Kept::default();
    let sink = Sink::new(Format::Json, Scrubber::new(&[Secret::new(CANARY)]), kept.clone());
    let before = std::panic::take_hook();
    panic::install(sink);
    let thread = std::thread::Builder::new().name("panicking".into());
    let outcome = thread.spawn(|| std::panic::panic_any(format!("cannot use {CANARY}\nsecond line"))).unwrap().join();
    std::panic::set_hook(before);
    assert!(outcome.is_err());
    let text = kept.text();
    let line = text.lines().find(|line| line.contains("panicking")).unwrap();
    assert!(line.contains("cannot use [redacted]") && line.contains("tests.rs") && !leaks(line), "{line}");
}

#[test]
fn what_is_counted_is_rendered() {
    let metrics = Metrics::install().unwrap();
    ::metrics::counter!("reveille_deliveries_total", "connection" => "a\"b\n").increment(2);
    ::metrics::histogram!("reveille_turn_seconds").record(0.3);
    let text = metrics.render();
    assert!(text.contains(r#"reveille_deliveries_total{connection="a\"b\n"} 2"#), "{text}");
    assert!(text.contains(r#"reveille_turn_seconds_bucket{le="0.5"} 1"#), "{text}");
}
