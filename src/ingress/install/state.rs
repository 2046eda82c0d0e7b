//! The `state` of an installation: what lets a browser come back, once, within ten minutes, and no other.
//!
//! Nothing is stored when somebody sets out: the browser gets a random number as a cookie, the platform gets an
//! authentication code over that number, the connection, the time and the tenant that is meant. Whoever comes back has to
//! bring both. Only the codes that were used are remembered, until their time is over.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::{constant_time, hmac, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reveille_channel::Secret;

/// How long somebody may take at the platform's page, milliseconds.
pub(super) const LIFE_MS: i64 = 10 * 60 * 1000;

/// Used codes that are remembered. Who wants to use one twice has to use so many others before.
const USED_MAX: usize = 20_000;

const NONCE_BYTES: usize = 32;

/// The longest tenant's id that is taken along.
const INSTALLATION_MAX: usize = 64;

/// Makes states and takes them back.
pub(super) struct States {
    /// Of this process: a restart ends what was begun before it.
    key: Option<hmac::Key>,
    used: Mutex<VecDeque<(i64, String)>>,
}

/// Somebody sets out.
pub(super) struct Begun {
    pub(super) state: String,
    /// For the cookie.
    pub(super) nonce: Secret,
    /// Of PKCE (RFC 7636, section 4.2).
    pub(super) challenge: String,
}

/// Somebody came back.
pub(super) struct Back {
    /// Of PKCE.
    pub(super) verifier: Secret,
    /// The tenant that was meant.
    pub(super) installation: Option<String>,
}

/// Whether this may be a tenant's id.
pub(super) fn is_installation(id: &str) -> bool {
    (1..=INSTALLATION_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

impl States {
    pub(super) fn new() -> Self {
        let mut bytes = [0; 32];
        let key = rand::fill(&mut bytes).ok().map(|()| hmac::Key::new(hmac::HMAC_SHA256, &bytes));
        Self { key, used: Mutex::default() }
    }

    /// A state for one browser. `None`: there is no randomness to be had.
    pub(super) fn begin(&self, connection: &str, installation: Option<&str>, now_ms: i64) -> Option<Begun> {
        let key = self.key.as_ref()?;
        let mut bytes = [0; NONCE_BYTES];
        rand::fill(&mut bytes).ok()?;
        let nonce = URL_SAFE_NO_PAD.encode(bytes);
        let until_ms = now_ms.saturating_add(LIFE_MS);
        let installation = installation.unwrap_or_default();
        let code = code(key, &["state", connection, &nonce, &until_ms.to_string(), installation]);
        let challenge = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier(key, &nonce).as_bytes());
        Some(Begun {
            state: format!("{until_ms}.{installation}.{code}"),
            nonce: Secret::new(nonce),
            challenge: URL_SAFE_NO_PAD.encode(challenge),
        })
    }

    /// Takes a state back. `None`: it is not this browser's, not this connection's, too old, or was used before.
    pub(super) fn back(&self, connection: &str, state: &str, nonce: &str, now_ms: i64) -> Option<Back> {
        let key = self.key.as_ref()?;
        let (until, rest) = state.split_once('.')?;
        let (installation, given) = rest.split_once('.')?;
        let expected = code(key, &["state", connection, nonce, until, installation]);
        constant_time::verify_slices_are_equal(expected.as_bytes(), given.as_bytes()).ok()?;
        let until_ms: i64 = until.parse().ok()?;
        if until_ms <= now_ms {
            return None;
        }
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        while used.front().is_some_and(|(until_ms, _)| *until_ms <= now_ms) || used.len() >= USED_MAX {
            used.pop_front();
        }
        if used.iter().any(|(_, code)| code == given) {
            return None;
        }
        used.push_back((until_ms, given.to_owned()));
        Some(Back {
            verifier: Secret::new(verifier(key, nonce)),
            installation: Some(installation).filter(|id| !id.is_empty()).map(ToOwned::to_owned),
        })
    }
}

impl std::fmt::Debug for States {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("States")
    }
}

fn verifier(key: &hmac::Key, nonce: &str) -> String {
    code(key, &["verifier", nonce])
}

/// A code over parts that cannot run together.
fn code(key: &hmac::Key, parts: &[&str]) -> String {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        context.update(part.as_bytes());
    }
    URL_SAFE_NO_PAD.encode(context.sign())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_good_once_for_its_browser_connection_and_time() {
        let states = States::new();
        let begun = states.begin("slack", Some("T1"), 1_000).unwrap();
        let nonce = begun.nonce.expose();
        let other = states.begin("slack", None, 1_000).unwrap();
        assert!(states.back("slack", &begun.state, other.nonce.expose(), 2_000).is_none(), "another browser");
        assert!(states.back("linear", &begun.state, nonce, 2_000).is_none(), "another connection");
        assert!(states.back("slack", &begun.state.replace("T1", "T2"), nonce, 2_000).is_none(), "another tenant");
        assert!(states.back("slack", &begun.state, nonce, 1_000 + LIFE_MS).is_none(), "too late");
        assert!(States::new().back("slack", &begun.state, nonce, 2_000).is_none(), "another process");
        for nonsense in ["", ".", "..", "1.2", "99999999999999..", "x.T1.y"] {
            assert!(states.back("slack", nonsense, nonce, 2_000).is_none(), "{nonsense}");
        }
        let back = states.back("slack", &begun.state, nonce, 2_000).unwrap();
        assert_eq!(back.installation.as_deref(), Some("T1"));
        assert!(states.back("slack", &begun.state, nonce, 2_000).is_none(), "a second time");
        assert_eq!(states.back("slack", &other.state, other.nonce.expose(), 2_000).unwrap().installation, None);
    }

    #[test]
    fn the_challenge_is_the_hash_of_the_verifier_and_neither_is_in_the_state() {
        let states = States::new();
        let begun = states.begin("slack", None, 1_000).unwrap();
        let back = states.back("slack", &begun.state, begun.nonce.expose(), 2_000).unwrap();
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, back.verifier.expose().as_bytes());
        assert_eq!(begun.challenge, URL_SAFE_NO_PAD.encode(hash));
        assert!((43..=128).contains(&back.verifier.expose().len()));
        assert!(!begun.state.contains(back.verifier.expose()) && !begun.state.contains(begun.nonce.expose()));
    }
}
