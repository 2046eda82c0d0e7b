//! GraphQL requests with the credential that belongs to them. One is sent again only where Linear certainly did not do it.

use jiff::Timestamp;
use reveille_channel::ReplyError;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tracing::Instrument;
use url::Url;

use crate::documents::Document;
use crate::refusal::{GraphError, refusal};
use crate::settings::{Auth, SettingsError};
use crate::token::Credentials;
use crate::transport::{Answer, Transport};

/// One connection's way to the API.
#[derive(Debug)]
pub(crate) struct Client {
    url: Url,
    transport: Transport,
    credentials: Credentials,
}

/// Why a call did not give what it was for.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something with the id that we chose is there already.
    Duplicate,
    /// Anything else.
    Other(ReplyError),
}

impl From<Failure> for ReplyError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Duplicate => Self::Refused("something with this id is there already".to_owned()),
            Failure::Other(error) => error,
        }
    }
}

/// An answer of GraphQL (specification, section 7.1).
#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(default, borrow)]
    data: Option<&'a RawValue>,
    #[serde(default)]
    errors: Vec<GraphError>,
}

impl Client {
    pub(crate) fn new(url: Url, auth: Auth) -> Result<Self, SettingsError> {
        let credentials = Credentials::new(auth, &url)?;
        Ok(Self { url, transport: Transport::new()?, credentials })
    }

    /// The same server, called with other credentials.
    pub(crate) fn with(&self, credentials: Credentials) -> Self {
        Self { url: self.url.clone(), transport: self.transport.clone(), credentials }
    }

    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) fn transport(&self) -> &Transport {
        &self.transport
    }

    /// Performs a document with these variables.
    pub(crate) async fn call<T: DeserializeOwned>(&self, document: &Document, variables: Value) -> Result<T, Failure> {
        let body =
            json!({ "operationName": document.name, "query": document.text, "variables": variables }).to_string();
        let mut has_new_token = false;
        loop {
            let header = self.credentials.header(&self.transport).await.map_err(Failure::Other)?;
            let span = tracing::debug_span!(
                "linear_call",
                operation = document.name,
                http.status = tracing::field::Empty,
                complexity = tracing::field::Empty
            );
            let sent = self.transport.post(&self.url, "application/json", Some(header.clone()), body.clone());
            let answer = sent.instrument(span.clone()).await;
            let answer = answer.map_err(|lost| Failure::Other(lost.into_error(document.is_repeatable)))?;
            span.record("http.status", answer.status.as_u16());
            if let Some(complexity) = answer.headers.get("x-complexity").and_then(|value| value.to_str().ok()) {
                span.record("complexity", complexity);
            }
            match read(&answer, document) {
                Err(Failure::Other(ReplyError::Credentials(_)))
                    if answer.status.as_u16() != 403
                        && !has_new_token
                        && self.credentials.renew(&header).await.map_err(Failure::Other)? =>
                {
                    has_new_token = true;
                }
                outcome => return outcome,
            }
        }
    }
}

/// Whether errors spoilt parts of the answer alone: what a mutation did, it did.
fn is_whole(data: &RawValue) -> bool {
    serde_json::from_str::<serde_json::Map<String, Value>>(data.get())
        .is_ok_and(|fields| !fields.is_empty() && fields.values().all(|field| !field.is_null()))
}

/// What was asked for, or what to do next.
fn read<T: DeserializeOwned>(answer: &Answer, document: &Document) -> Result<T, Failure> {
    let Ok(reply) = serde_json::from_slice::<Reply<'_>>(&answer.body) else {
        return Err(Failure::Other(refusal(answer, &[], document.is_repeatable, Timestamp::now())));
    };
    if answer.status.is_success()
        && let Some(data) = reply.data.filter(|data| data.get() != "null")
        && (reply.errors.is_empty() || is_whole(data))
    {
        match serde_json::from_str(data.get()) {
            Ok(wanted) => {
                if !reply.errors.is_empty() {
                    tracing::debug!(operation = document.name, errors = reply.errors.len(), "answered in part");
                }
                return Ok(wanted);
            }
            Err(error) if reply.errors.is_empty() => {
                // It was done, and what came of it is not what is documented.
                let what = format!("{}: the answer is not as documented ({:?})", document.name, error.classify());
                return Err(Failure::Other(if document.is_repeatable {
                    ReplyError::Refused(what)
                } else {
                    ReplyError::Unknown(what)
                }));
            }
            Err(_) => {}
        }
    }
    if reply.errors.iter().any(GraphError::is_duplicate) {
        return Err(Failure::Duplicate);
    }
    Err(Failure::Other(refusal(answer, &reply.errors, document.is_repeatable, Timestamp::now())))
}
