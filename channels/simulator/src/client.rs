//! Speaking to a simulator from another process.

use std::time::Duration;

use futures::{Stream, StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};
use serde_json::json;
use url::Url;

use crate::act::{Act, Acted, Acting};

/// A thread as a reader sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenThread {
    /// What the bot says it is doing.
    pub status: String,
    /// Its messages, oldest first.
    pub messages: Vec<SeenMessage>,
}

/// A message as a reader sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenMessage {
    /// The platform's id of it.
    pub id: String,
    /// Who wrote it.
    pub author: String,
    /// Written by the bot.
    pub is_bot: bool,
    /// Its text.
    pub text: String,
    /// It is no open stream.
    pub is_final: bool,
    /// How often it was changed.
    pub edits: usize,
}

/// Where something landed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Landed {
    /// The channel's id, or the issue.
    pub place: String,
    /// The thread.
    pub thread: String,
    /// The message; empty where what was done left none that a person could change.
    pub message: String,
}

/// Why a simulator did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers there.
    #[error("no simulated platforms answer at {0}")]
    Absent(Url),
    /// It says why.
    #[error("{0}")]
    Refused(String),
}

/// A simulator of another process.
#[derive(Debug, Clone)]
pub struct Client {
    base: Url,
    http: reqwest::Client,
}

impl Client {
    /// The simulator at this address.
    ///
    /// # Errors
    /// [`ClientError::Refused`] when no HTTP client can be made.
    pub fn new(base: Url) -> Result<Self, ClientError> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .connect_timeout(Duration::from_secs(5))
            .build()
            .map_err(|error| ClientError::Refused(error.to_string()))?;
        Ok(Self { base, http })
    }

    /// Speaks as a person.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn say(
        &self,
        platform: &str,
        place: &str,
        text: &str,
        person: Option<&str>,
        thread: Option<&str>,
    ) -> Result<Landed, ClientError> {
        let said = json!({"platform": platform, "place": place, "text": text, "as": person, "thread": thread});
        let answer =
            self.http.post(self.url("simulator/say")?).json(&said).timeout(Duration::from_secs(10)).send().await;
        let answer = self.accepted(answer).await?;
        answer.json().await.map_err(|error| ClientError::Refused(error.without_url().to_string()))
    }

    /// Does something to a message, as a person.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn act(
        &self,
        platform: &str,
        place: &str,
        message: &str,
        person: Option<&str>,
        act: Act,
    ) -> Result<Acted, ClientError> {
        let acting = Acting {
            platform: platform.to_owned(),
            place: place.to_owned(),
            message: message.to_owned(),
            person: person.map(ToOwned::to_owned),
            act,
        };
        let url = self.url("simulator/act")?;
        let answer = self.http.post(url).json(&acting).timeout(Duration::from_secs(10)).send().await;
        let answer = self.accepted(answer).await?;
        answer.json().await.map_err(|error| ClientError::Refused(error.without_url().to_string()))
    }

    /// The thread, and again each time it changes.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn watch(
        &self,
        platform: &str,
        landed: &Landed,
    ) -> Result<impl Stream<Item = Result<SeenThread, ClientError>> + use<>, ClientError> {
        let mut url = self.url("simulator/thread/stream")?;
        url.query_pairs_mut()
            .append_pair("platform", platform)
            .append_pair("place", &landed.place)
            .append_pair("thread", &landed.thread);
        let answer = self.accepted(self.http.get(url).send().await).await?;
        let bytes = answer.bytes_stream().map_err(|error| ClientError::Refused(error.without_url().to_string()));
        let events = futures::stream::unfold((Box::pin(bytes), Vec::new()), |(mut bytes, mut held)| async move {
            loop {
                if let Some(end) = held.windows(2).position(|two| two == b"\n\n") {
                    let event: Vec<u8> = held.drain(..end + 2).collect();
                    let event = String::from_utf8_lossy(&event).into_owned();
                    let data: String = event.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
                    if data.is_empty() {
                        continue;
                    }
                    let thread = serde_json::from_str(&data).map_err(|error| ClientError::Refused(error.to_string()));
                    return Some((thread, (bytes, held)));
                }
                match bytes.next().await? {
                    Ok(more) => held.extend_from_slice(&more),
                    Err(error) => return Some((Err(error), (bytes, Vec::new()))),
                }
            }
        });
        Ok(events)
    }

    async fn accepted(&self, answer: reqwest::Result<reqwest::Response>) -> Result<reqwest::Response, ClientError> {
        let answer = answer.map_err(|_| ClientError::Absent(self.base.clone()))?;
        if answer.status().is_success() {
            return Ok(answer);
        }
        let status = answer.status();
        let said: serde_json::Value = answer.json().await.unwrap_or_default();
        let why = said.get("error").and_then(serde_json::Value::as_str);
        Err(ClientError::Refused(why.map_or_else(|| format!("HTTP {}", status.as_u16()), ToOwned::to_owned)))
    }

    fn url(&self, path: &str) -> Result<Url, ClientError> {
        self.base.join(path).map_err(|error| ClientError::Refused(error.to_string()))
    }
}
