//! Models that are asked over HTTP, in the protocol of their provider.
//!
//! The wire formats are the crate `genai`'s. This module owns what a gateway adds to them: which errors are worth another
//! try, an answer that counts only when its end was seen, tool names with dots, and credentials that stay here. No
//! variable of the environment is read, and nothing is called but the address it was given.

mod answer;
mod faults;
mod names;
mod translate;

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use genai::adapter::AdapterKind;
use genai::resolver::{AuthData, Endpoint};
use genai::{Headers, ModelIden, ServiceTarget};
use reveille_channel::Secret;
use url::Url;

use self::answer::Answer;
use self::faults::Faults;
use self::names::Names;
use super::{Delta, ModelError, Provider, Request};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// The version of Anthropic's API, where a request without a key is put together here.
const ANTHROPIC_VERSION: &str = "2023-06-01";

/// The protocol a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Anthropic's Messages API.
    Anthropic,
    /// OpenAI's Chat Completions API, and everything that speaks it.
    OpenAi,
    /// Google's Gemini API.
    Gemini,
    /// Ollama's own API.
    Ollama,
}

impl Protocol {
    /// Its name, as the configuration and the telemetry conventions have it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenAi => "openai",
            Self::Gemini => "gemini",
            Self::Ollama => "ollama",
        }
    }

    fn adapter(self) -> AdapterKind {
        match self {
            Self::Anthropic => AdapterKind::Anthropic,
            // Never `OpenAIResp`, which genai would choose by the name of the model.
            Self::OpenAi => AdapterKind::OpenAI,
            Self::Gemini => AdapterKind::Gemini,
            Self::Ollama => AdapterKind::Ollama,
        }
    }
}

/// Where a provider is and how it is spoken to.
#[derive(Debug, Clone)]
pub struct HostedSettings {
    /// The table under `[models]`, for messages.
    pub table: String,
    /// The protocol.
    pub protocol: Protocol,
    /// Where it is, with or without the slash at its end and, for Anthropic and Gemini, the version.
    pub base_url: Url,
    /// The key, where it takes one.
    pub api_key: Option<Secret>,
}

/// Why a provider cannot be asked at all.
#[derive(Debug, thiserror::Error)]
pub enum HostedError {
    /// The address is none that paths can be added to.
    #[error(
        "models.{table}.base_url must be http:// or https://, without a query: write it as the provider documents it"
    )]
    Address {
        /// The table.
        table: String,
    },
    /// The HTTP client could not be made.
    #[error("models.{table}: no HTTP client ({reason}): look at the system's certificates")]
    Client {
        /// The table.
        table: String,
        /// What went wrong.
        reason: String,
    },
}

/// A provider that is asked over HTTP.
pub struct Hosted {
    table: String,
    protocol: Protocol,
    /// With its version and a slash at its end.
    root: String,
    key: Option<Secret>,
    client: genai::Client,
    faults: Faults,
}

impl fmt::Debug for Hosted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hosted").field("table", &self.table).field("protocol", &self.protocol).finish_non_exhaustive()
    }
}

impl Hosted {
    /// Makes one. Nothing is called yet.
    ///
    /// # Errors
    /// See [`HostedError`].
    pub fn new(settings: HostedSettings) -> Result<Self, HostedError> {
        let HostedSettings { table, protocol, base_url, api_key } = settings;
        let Some(root) = root(protocol, &base_url) else {
            return Err(HostedError::Address { table });
        };
        let made = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(|error| error.without_url().to_string())
            .and_then(|http| genai::Client::builder().with_reqwest(http).build().map_err(|error| error.to_string()));
        let client = match made {
            Ok(client) => client,
            Err(reason) => return Err(HostedError::Client { table, reason }),
        };
        let faults = Faults::new(table.clone(), api_key.clone());
        Ok(Self { table, protocol, root, key: api_key, client, faults })
    }

    fn target(&self, model: &str) -> ServiceTarget {
        ServiceTarget {
            endpoint: Endpoint::from_owned(self.root.clone()),
            auth: self.credential(model),
            model: ModelIden::new(self.protocol.adapter(), model.to_owned()),
        }
    }

    fn credential(&self, model: &str) -> AuthData {
        let root = &self.root;
        match (self.protocol, &self.key) {
            // genai's Ollama takes no key; one in front of which a proxy stands does.
            (Protocol::Ollama, Some(key)) => AuthData::RequestOverride {
                url: format!("{root}api/chat"),
                headers: Headers::from(("Authorization".to_owned(), format!("Bearer {}", key.expose()))),
            },
            (_, Some(key)) => AuthData::from_single(key.expose()),
            // Without a key genai would send an empty one.
            (Protocol::Ollama, None) => AuthData::None,
            (Protocol::OpenAi, None) => {
                AuthData::RequestOverride { url: format!("{root}chat/completions"), headers: Headers::default() }
            }
            (Protocol::Anthropic, None) => AuthData::RequestOverride {
                url: format!("{root}messages"),
                headers: Headers::from(("anthropic-version", ANTHROPIC_VERSION)),
            },
            (Protocol::Gemini, None) => AuthData::RequestOverride {
                url: format!("{root}models/{model}:streamGenerateContent?alt=sse"),
                headers: Headers::default(),
            },
        }
    }
}

/// The address that genai adds its paths to.
fn root(protocol: Protocol, base_url: &Url) -> Option<String> {
    let usable = matches!(base_url.scheme(), "http" | "https") && base_url.query().is_none();
    if !usable || base_url.fragment().is_some() {
        return None;
    }
    let base = base_url.as_str().trim_end_matches('/');
    let last = base_url.path().trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let has_version = last.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    Some(match protocol {
        Protocol::Anthropic if !has_version => format!("{base}/v1/"),
        Protocol::Gemini if !has_version => format!("{base}/v1beta/"),
        _ => format!("{base}/"),
    })
}

#[async_trait]
impl Provider for Hosted {
    async fn stream(&self, request: &Request) -> Result<BoxStream<'static, Result<Delta, ModelError>>, ModelError> {
        let span = tracing::info_span!(
            "model.call",
            gen_ai.provider.name = self.protocol.as_str(),
            gen_ai.request.model = %request.model,
            gen_ai.usage.input_tokens = tracing::field::Empty,
            gen_ai.usage.output_tokens = tracing::field::Empty,
        );
        let names = Names::of(request);
        let asked = translate::request(request, &names, self.protocol);
        let options = translate::options(request);
        let target = self.target(&request.model);
        let started = {
            let client = &self.client;
            client.exec_chat_stream(target, asked, Some(&options)).await
        };
        let started = match started {
            Ok(started) => started,
            Err(error) => {
                let error = self.faults.of(error, &request.model);
                answer::count(&self.table, answer::outcome(&error));
                return Err(error);
            }
        };
        let answer =
            Answer::new(started.stream, self.protocol, names, self.faults.clone(), request.model.clone(), span);
        let mut deltas = answer.deltas();
        // genai sends the request when its stream is first read: a refusal is this call's error, not the stream's.
        match deltas.next().await {
            Some(Err(error)) => Err(error),
            Some(Ok(first)) => Ok(stream::once(std::future::ready(Ok(first))).chain(deltas).boxed()),
            None => Err(faults::cut()),
        }
    }

    async fn check(&self) -> Result<String, ModelError> {
        let auth = self.key.as_ref().map_or(AuthData::None, |key| AuthData::from_single(key.expose()));
        let endpoint = Endpoint::from_owned(self.root.clone());
        match self.client.all_model_names(self.protocol.adapter(), (endpoint, auth)).await {
            Ok(models) if models.len() == 1 => Ok("answers, 1 model".into()),
            Ok(models) => Ok(format!("answers, {} models", models.len())),
            Err(error) => Err(self.faults.of(error, "")),
        }
    }
}
