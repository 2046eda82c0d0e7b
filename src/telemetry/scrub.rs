//! Takes credentials out of text.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use regex::{Captures, Regex, RegexBuilder};
use reveille_channel::Secret;

/// What stands where a credential stood.
const REDACTED: &str = "[redacted]";

/// The shortest text that is looked for: shorter ones would take ordinary words out.
const LEAST_BYTES: usize = 4;

/// What credentials look like, ours or not. The groups `before` and `after` stay.
const SHAPES: [&str; 9] = [
    // Slack: tokens of bots, users, apps, refresh and legacy ones.
    r"\bx(?:ox[a-z](?:\.[a-z]+)?|app)-[A-Za-z0-9-]{6,}",
    // GitHub: personal, OAuth, user, server, refresh, and fine-grained tokens.
    r"\b(?:gh[pousr]_[A-Za-z0-9_.-]{8,}|github_pat_[A-Za-z0-9_]{8,})",
    // OpenAI, Anthropic and those that follow them; Google.
    r"\b(?:sk|rk|pk)-[A-Za-z0-9_-]{8,}",
    r"\bAIza[A-Za-z0-9_-]{20,}",
    // JSON Web Tokens (RFC 7519).
    r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+)?",
    // HTTP authentication (RFC 6750, RFC 7617).
    r"(?P<before1>(?i:\b(?:bearer|basic))\s+)[A-Za-z0-9._~+/=-]{6,}",
    // Private keys (RFC 7468), cut off ones too.
    r"(?s:-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\z))",
    // User information in addresses (RFC 3986).
    r"(?P<before2>://)[^/\s@:]*:[^/\s@]+(?P<after2>@)",
    // Credentials in queries.
    r#"(?P<before3>[?&](?i:(?:access_|refresh_|id_)?token|(?:api_?)?key|(?:client_)?secret|password|code|sig(?:nature)?)=)[^&\s"'#]+"#,
];

/// Finds the configured secrets, in the forms they travel in, and everything that is shaped like a credential.
#[derive(Clone)]
pub struct Scrubber {
    known: Option<Arc<Regex>>,
    shapes: Option<Arc<Regex>>,
}

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scrubber")
    }
}

impl Scrubber {
    /// A scrubber for these secrets.
    #[must_use]
    pub fn new(secrets: &[Secret]) -> Self {
        let mut forms: Vec<String> = secrets.iter().flat_map(|secret| forms(secret.expose())).collect();
        // The longest first: a secret may be the beginning of another.
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        let literals: Vec<String> = forms.iter().map(|form| regex::escape(form)).collect();
        Self { known: compile(&literals), shapes: compile(&SHAPES.map(str::to_owned)) }
    }

    /// The text without credentials. Give it whole texts: a credential that is cut in two is not found.
    #[must_use]
    pub fn scrub<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let known = replace(self.known.as_deref(), text);
        match replace(self.shapes.as_deref(), &known) {
            Cow::Borrowed(_) => known,
            Cow::Owned(scrubbed) => Cow::Owned(scrubbed),
        }
    }
}

fn compile(alternatives: &[String]) -> Option<Arc<Regex>> {
    if alternatives.is_empty() {
        return None;
    }
    // The patterns are escaped literals and constants; the limit is far above what they come to.
    RegexBuilder::new(&alternatives.join("|")).size_limit(256 << 20).build().ok().map(Arc::new)
}

fn replace<'a>(pattern: Option<&Regex>, text: &'a str) -> Cow<'a, str> {
    let Some(pattern) = pattern else { return Cow::Borrowed(text) };
    pattern.replace_all(text, |found: &Captures<'_>| {
        let group = |names: [&str; 3]| names.iter().find_map(|name| found.name(name)).map_or("", |kept| kept.as_str());
        format!("{}{REDACTED}{}", group(["before1", "before2", "before3"]), group(["after2"; 3]))
    })
}

/// The forms a secret travels in.
fn forms(secret: &str) -> Vec<String> {
    let bytes = secret.as_bytes();
    let mut forms = vec![secret.to_owned(), hex::encode(bytes), hex::encode_upper(bytes)];
    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        forms.extend((0..3).map(|shift| base64_inside(engine, bytes, shift)));
    }
    forms.extend([
        percent(bytes, false, true),
        percent(bytes, false, false),
        percent(bytes, true, true),
        percent(bytes, true, false),
    ]);
    forms.push(format!("{secret:?}").trim_matches('"').to_owned());
    forms.push(serde_json::Value::from(secret).to_string().trim_matches('"').to_owned());
    forms.push(secret.chars().rev().collect());
    // A private key is also known by each of its lines.
    forms.extend(secret.lines().filter(|line| line.len() >= 16 && !line.starts_with("-----")).map(str::to_owned));
    forms.retain(|form| form.len() >= LEAST_BYTES);
    forms
}

/// The part of a Base64 text that these bytes come to wherever `shift` other bytes (modulo 3) stand before them and
/// anything behind them, as in `Basic` authentication.
fn base64_inside(engine: &impl Engine, bytes: &[u8], shift: usize) -> String {
    let padded = [vec![0; shift], bytes.to_vec()].concat();
    let text = engine.encode(&padded);
    // Characters that hold bits of a neighbour: the first ones after a shift, the last when the bytes do not fill it.
    let start = [0, 2, 3].get(shift).copied().unwrap_or(0);
    let end = padded.len() * 8 / 6;
    text.get(start..end).unwrap_or_default().to_owned()
}

/// Percent encoding (RFC 3986), of what has to be encoded or of every byte.
fn percent(bytes: &[u8], all: bool, upper: bool) -> String {
    let mut text = String::with_capacity(bytes.len() * 3);
    for byte in bytes {
        if !all && (byte.is_ascii_alphanumeric() || b"-._~".contains(byte)) {
            text.push(char::from(*byte));
        } else if upper {
            // Writing to a string does not fail.
            let _ = write!(text, "%{byte:02X}");
        } else {
            let _ = write!(text, "%{byte:02x}");
        }
    }
    text
}
