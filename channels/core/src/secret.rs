//! Credentials that cannot be printed.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A signing secret shorter than this is refused: it could be guessed from one captured delivery.
const LEAST_SECRET_BYTES: usize = 16;

/// What people leave in a configuration they copied.
const PLACEHOLDERS: [&str; 6] =
    ["changeme", "change-me", "change_me", "your-webhook-secret", "your_webhook_secret", "placeholder"];

/// A credential. `Debug` and `Display` print `[redacted]`; the memory is wiped when dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes the credential over.
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into()))
    }

    /// The credential itself, for the call that needs it. Never for a message, a log or an error.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// Why it cannot sign deliveries, if so: it leaves the door open. The reason holds nothing of it.
    #[must_use]
    pub fn weakness(&self) -> Option<String> {
        let secret = self.expose();
        let lower = secret.trim().to_ascii_lowercase();
        if lower.is_empty() {
            return Some("it is empty, so anybody could send deliveries".into());
        }
        if PLACEHOLDERS.iter().any(|placeholder| lower.contains(placeholder)) {
            return Some("it is a placeholder".into());
        }
        (secret.len() < LEAST_SECRET_BYTES).then(|| format!("it has less than {LEAST_SECRET_BYTES} bytes"))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
