//! Delivering webhooks, signed, with each platform's own rules of trying again.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::slack::Sockets;
use crate::{Shared, lock};

/// A delivery and what became of it.
#[derive(Debug, Clone)]
pub struct Delivered {
    /// The body.
    pub body: Bytes,
    /// Headers besides the signature's.
    pub headers: Vec<(String, String)>,
    /// The path it goes to.
    pub path: String,
    /// The status of the last answer; `None` without one.
    pub status: Option<u16>,
    /// The body of the last answer.
    pub answer: Bytes,
    /// How often it was sent.
    pub tries: u32,
    /// It repeats an earlier one.
    pub is_again: bool,
    /// When it was sent first, seconds since the Unix epoch.
    pub(crate) at_s: u64,
}

/// All deliveries of one platform.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    all: Arc<Mutex<Vec<Delivered>>>,
    /// In place of HTTP, once the app has opened some.
    sockets: Option<Sockets>,
}

/// Header names and values.
pub(crate) type Headers = Vec<(String, String)>;

/// How a platform delivers.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) path: String,
    pub(crate) secret: String,
    pub(crate) deadline: Duration,
    /// The waits before further tries.
    pub(crate) retries: Vec<Duration>,
    pub(crate) sign: fn(secret: &str, body: &[u8]) -> Headers,
    /// Headers of the n-th further try.
    pub(crate) retry_headers: fn(u32) -> Headers,
}

impl Log {
    /// Deliveries that go over these as soon as the app uses them.
    pub(crate) fn over(sockets: Sockets) -> Self {
        Self { all: Arc::default(), sockets: Some(sockets) }
    }

    pub(crate) fn all(&self) -> Vec<Delivered> {
        lock(&self.all).clone()
    }

    /// Sends everything once more that was sent to this path for the first time.
    pub(crate) fn send_again(&self, shared: &Shared, rules: &Rules) {
        for one in self.all().into_iter().filter(|one| !one.is_again && one.path == rules.path) {
            self.send(shared, rules.clone(), one.headers, one.body, true);
        }
    }

    /// Sends one of them once more; `false` when there is none of this number.
    pub(crate) fn send_one_again(&self, shared: &Shared, rules: &Rules, index: usize) -> bool {
        let Some(one) = self.all().into_iter().nth(index) else {
            return false;
        };
        self.send(shared, rules.clone(), one.headers, one.body, true);
        true
    }

    /// Sends a body, in a task of its own.
    pub(crate) fn send(&self, shared: &Shared, rules: Rules, headers: Headers, body: Bytes, is_again: bool) {
        let index = {
            let mut log = lock(&self.all);
            log.push(Delivered {
                body: body.clone(),
                headers: headers.clone(),
                path: rules.path.clone(),
                status: None,
                answer: Bytes::new(),
                tries: 0,
                is_again,
                at_s: now().0,
            });
            log.len() - 1
        };
        let (log, shared) = (self.clone(), shared.clone());
        let tasks = shared.tasks.clone();
        tasks.spawn(async move {
            let stop = shared.stop.clone();
            tokio::select! {
                () = stop.cancelled() => {}
                () = log.deliver(&shared, &rules, &headers, &body, index) => {}
            }
        });
    }

    async fn deliver(&self, shared: &Shared, rules: &Rules, headers: &[(String, String)], body: &Bytes, index: usize) {
        for number in 0..=rules.retries.len() {
            if let Some(wait) = number.checked_sub(1).and_then(|before| rules.retries.get(before)) {
                tokio::time::sleep(*wait).await;
            }
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            if let Some(sockets) = self.sockets.as_ref().filter(|sockets| sockets.are_used()) {
                let answer = sockets.deliver(&rules.path, body, number, rules.deadline).await;
                if self.came(shared, index, answer.is_some().then_some(200), answer.unwrap_or_default()) {
                    return;
                }
                continue;
            }
            let base = lock(&shared.deliver_to).clone();
            let Ok(url) = base.join(&rules.path) else {
                return;
            };
            let mut request = shared.http.post(url).timeout(rules.deadline).body(body.clone());
            let more = if number > 0 { (rules.retry_headers)(number) } else { Vec::new() };
            for (name, value) in headers.iter().chain(&(rules.sign)(&rules.secret, body)).chain(&more) {
                request = request.header(name, value);
            }
            let (status, answer) = match request.send().await {
                Ok(answer) => (Some(answer.status().as_u16()), answer.bytes().await.unwrap_or_default()),
                Err(error) => {
                    tracing::debug!(error = %error.without_url(), "a delivery had no answer");
                    (None, Bytes::new())
                }
            };
            if self.came(shared, index, status, answer) {
                return;
            }
        }
    }

    /// Notes what a try came to. Whether that was the last one.
    fn came(&self, shared: &Shared, index: usize, status: Option<u16>, answer: Bytes) -> bool {
        if let Some(delivered) = lock(&self.all).get_mut(index) {
            delivered.status = status;
            delivered.answer = answer;
            delivered.tries += 1;
        }
        shared.touch();
        status.is_some_and(|status| (200..300).contains(&status))
    }
}

/// HMAC-SHA256 in hexadecimal.
pub(crate) fn hmac_hex(secret: &str, parts: &[&[u8]]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    for part in parts {
        mac.update(part);
    }
    hex::encode(mac.finalize().into_bytes())
}

/// Seconds since the Unix epoch, and the microseconds of the second.
pub(crate) fn now() -> (u64, u32) {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    (since.as_secs(), since.subsec_micros())
}
