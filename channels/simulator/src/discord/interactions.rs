//! Interactions: delivered, answered within three seconds, and then good for fifteen minutes.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use ed25519_dalek::Signer;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{APPLICATION, Discord, DiscordMessage, Interactions, message};
use crate::deliver::{Delivered, now};
use crate::lock;

/// "Interaction Callback": an initial response within three seconds.
const DEADLINE: Duration = Duration::from_secs(3);

/// How long a token is good.
const TOKEN_FOR: Duration = Duration::from_secs(900);

/// "Message Flags".
pub(super) const EPHEMERAL: u64 = 1 << 6;
pub(super) const LOADING: u64 = 1 << 7;

/// One interaction.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Interaction {
    pub(crate) id: String,
    pub(crate) token: String,
    pub(crate) channel: String,
    /// "Interaction Type".
    pub(crate) kind: u64,
    pub(crate) made_at: SystemTime,
    /// The type of the answer, once there is one.
    pub(crate) answer: Option<u64>,
    /// The message that is its own answer.
    pub(crate) original: Option<String>,
    /// It is as if its fifteen minutes were over.
    pub(crate) is_expired: bool,
    /// Discord has lost its token (discord-api-docs #6851).
    pub(crate) is_lost: bool,
}

impl Interaction {
    pub(super) fn new(id: String, token: String, channel: String, kind: u64) -> Self {
        Self {
            id,
            token,
            channel,
            kind,
            made_at: SystemTime::now(),
            answer: None,
            original: None,
            is_expired: false,
            is_lost: false,
        }
    }

    /// Whether it is no older than this.
    fn is_within(&self, limit: Duration) -> bool {
        self.made_at.elapsed().unwrap_or_default() < limit
    }

    /// Whether its token may be used for messages.
    pub(super) fn is_good(&self) -> bool {
        !self.is_expired && !self.is_lost && self.answer.is_some() && self.is_within(TOKEN_FOR)
    }
}

impl Discord {
    /// The fifteen minutes of an interaction are over: 401.
    pub fn expire(&self, interaction: &str) {
        if let Some(found) = lock(&self.state).interactions.iter_mut().find(|one| one.id == interaction) {
            found.is_expired = true;
        }
    }

    /// Discord loses an interaction's token within its fifteen minutes: 404.
    pub fn lose(&self, interaction: &str) {
        if let Some(found) = lock(&self.state).interactions.iter_mut().find(|one| one.id == interaction) {
            found.is_lost = true;
        }
    }

    /// The type an interaction was answered with, if it was.
    #[must_use]
    pub fn answer_of(&self, interaction: &str) -> Option<u64> {
        lock(&self.state).interactions.iter().find(|one| one.id == interaction).and_then(|one| one.answer)
    }

    pub(super) fn deliver_interaction(&self, interaction: Interaction, body: &Value) {
        match self.options.interactions {
            Interactions::Gateway => self.dispatch("INTERACTION_CREATE", body),
            Interactions::Http => {
                let discord = self.clone();
                let body = Bytes::from(body.to_string());
                self.shared.tasks.spawn(async move {
                    let stop = discord.shared.stop.clone();
                    tokio::select! {
                        () = stop.cancelled() => {}
                        () = discord.deliver_over_http(&interaction.id, body) => {}
                    }
                });
            }
        }
    }

    async fn deliver_over_http(&self, interaction: &str, body: Bytes) {
        let answer = self.send_signed(&body, true).await;
        let status = answer.as_ref().map(|(status, _)| *status);
        {
            let mut state = lock(&self.state);
            let delivered = Delivered {
                body,
                headers: Vec::new(),
                path: format!("channels/{}/interactions", self.options.connection),
                status,
                answer: answer_body(&answer),
                tries: 1,
                is_again: false,
                at_s: now().0,
            };
            state.deliveries.push(delivered);
        }
        if let Some((200, answer)) = answer
            && let Ok(answer) = serde_json::from_slice::<Value>(&answer)
        {
            // Discord does not refuse a wrong answer over HTTP: the person sees that the interaction failed.
            let _ = self.take_answer(interaction, &answer);
        }
        self.shared.touch();
    }

    /// Delivers everything once more, newly signed: what an attacker who saw it cannot do, and a fault may.
    pub fn redeliver_all(&self) {
        for one in self.deliveries() {
            let discord = self.clone();
            self.shared.tasks.spawn(async move {
                let answer = discord.send_signed(&one.body, true).await;
                let status = answer.as_ref().map(|(status, _)| *status);
                let again = Delivered { status, is_again: true, answer: answer_body(&answer), ..one };
                lock(&discord.state).deliveries.push(again);
                discord.shared.touch();
            });
        }
    }

    /// What Discord does when an endpoint is entered, and from time to time: a ping that is signed, and one that is not. Both statuses.
    pub async fn check_endpoint(&self) -> (Option<u16>, Option<u16>) {
        let body = Bytes::from(json!({"application_id": APPLICATION, "id": "1", "token": "t", "type": 1}).to_string());
        let good = self.send_signed(&body, true).await.filter(|(_, answer)| {
            serde_json::from_slice::<Value>(answer).is_ok_and(|answer| answer.get("type") == Some(&json!(1)))
        });
        let bad = self.send_signed(&body, false).await;
        (good.map(|(status, _)| status), bad.map(|(status, _)| status))
    }

    /// The value of `X-Signature-Ed25519` for a body ("Validating Security Request Headers").
    #[must_use]
    pub fn sign(&self, timestamp: &str, body: &[u8]) -> String {
        hex::encode(self.key.sign(&[timestamp.as_bytes(), body].concat()).to_bytes())
    }

    /// Sends a body with its signature, or with that of another body.
    async fn send_signed(&self, body: &Bytes, is_right: bool) -> Option<(u16, Bytes)> {
        let base = lock(&self.shared.deliver_to).clone();
        let url = base.join(&format!("channels/{}/interactions", self.options.connection)).ok()?;
        let timestamp = now().0.to_string();
        let signature = self.sign(&timestamp, if is_right { body } else { b"something else" });
        let request = self
            .shared
            .http
            .post(url)
            .timeout(DEADLINE)
            .header("content-type", "application/json")
            .header("x-signature-ed25519", signature)
            .header("x-signature-timestamp", timestamp)
            .body(body.clone());
        let answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        Some((status, answer.bytes().await.ok()?))
    }

    /// An initial response ("Interaction Response Structure"). `Err`: status and code.
    pub(super) fn take_answer(&self, interaction: &str, answer: &Value) -> Result<(), (u16, u64)> {
        let kind = answer.get("type").and_then(Value::as_u64).unwrap_or(0);
        let shown = {
            let mut state = lock(&self.state);
            let id = state.new_id();
            let Some(found) = state.interactions.iter_mut().find(|one| one.id == interaction) else {
                return Err((404, 10_062));
            };
            if found.answer.is_some() {
                return Err((400, 40_060));
            }
            let is_in_time = found.is_within(DEADLINE);
            // 6 and 7 are for components, 8 is for what is being typed.
            let fits = match kind {
                4 | 5 => found.kind != 4,
                6 | 7 => found.kind == 3,
                8 => found.kind == 4,
                _ => false,
            };
            if !is_in_time {
                return Err((404, 10_062));
            }
            if !fits {
                return Err((400, 50_035));
            }
            found.answer = Some(kind);
            let data = answer.get("data").cloned().unwrap_or_default();
            let flags = data.get("flags").and_then(Value::as_u64).unwrap_or(0);
            if !matches!(kind, 4 | 5) {
                return Ok(());
            }
            found.original = Some(id.clone());
            let made = DiscordMessage {
                id,
                channel: found.channel.clone(),
                author: APPLICATION.to_owned(),
                is_bot: true,
                content: data.get("content").and_then(Value::as_str).unwrap_or_default().to_owned(),
                flags: if kind == 5 { flags | LOADING } else { flags },
                reply_to: None,
                interaction: Some(interaction.to_owned()),
                components: data.get("components").cloned().unwrap_or_else(|| json!([])),
                history: Vec::new(),
                reactions: Vec::new(),
                nonce: None,
                edited: None,
            };
            state.messages.push(made.clone());
            (flags & EPHEMERAL == 0).then(|| message(self, &state, &made, true))
        };
        if let Some(shown) = shown {
            self.dispatch_own("MESSAGE_CREATE", &shown);
        }
        self.shared.touch();
        Ok(())
    }
}

fn answer_body(answer: &Option<(u16, Bytes)>) -> Bytes {
    answer.as_ref().map(|(_, body)| body.clone()).unwrap_or_default()
}
