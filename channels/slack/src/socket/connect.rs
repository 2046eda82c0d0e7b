//! Opening a socket: an address from "apps.connections.open", good for one connection, and TLS as the calls of the API have it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reveille_channel::{ReplyError, Secret};
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls_platform_verifier::BuilderVerifierExt;
use serde_json::{Map, Value};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};
use url::Url;

use crate::BODY_MAX;
use crate::api::{Api, Repeat};

pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

const DEADLINE: Duration = Duration::from_secs(20);

/// The largest frame that is read, bytes: an envelope around what a request may hold.
const FRAME_MAX: usize = BODY_MAX + 64 * 1024;

/// Asks for an address and connects to it.
pub(super) async fn open(api: &Api, app_token: &Secret) -> Result<Socket, ReplyError> {
    connect(&open_address(api, app_token).await?).await
}

/// "apps.connections.open". The address holds a ticket: it is in no log and no error.
pub(crate) async fn open_address(api: &Api, app_token: &Secret) -> Result<Url, ReplyError> {
    const METHOD: &str = "apps.connections.open";
    // An address that nobody uses runs out.
    let answer = api.call_as(METHOD, app_token, Map::new(), Repeat::Harmless).await?;
    let told = answer.get("url").and_then(Value::as_str).and_then(|url| Url::parse(url).ok());
    let url = told.ok_or_else(|| ReplyError::Refused(format!("{METHOD}: the answer has no address")))?;
    let wanted = if api.is_encrypted() { url.scheme() == "wss" } else { matches!(url.scheme(), "ws" | "wss") };
    if wanted { Ok(url) } else { Err(ReplyError::Refused(format!("{METHOD}: the address is not encrypted"))) }
}

async fn connect(url: &Url) -> Result<Socket, ReplyError> {
    let config = WebSocketConfig::default().max_message_size(Some(FRAME_MAX)).max_frame_size(Some(FRAME_MAX));
    let unreachable = |what: &str| ReplyError::Retry {
        after_ms: 1_000,
        reason: format!("the socket at {} cannot be opened: {what}", url.host_str().unwrap_or_default()),
    };
    let connecting = connect_async_tls_with_config(url.as_str(), Some(config), true, Some(Connector::Rustls(tls()?)));
    match tokio::time::timeout(DEADLINE, connecting).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(error)) => Err(unreachable(super::one::what(&error))),
        Err(_) => Err(unreachable("no connection in time")),
    }
}

/// Trust as the platform has it: the same as reqwest's.
fn tls() -> Result<Arc<ClientConfig>, ReplyError> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(Arc::clone(config));
    }
    let failed = |error: rustls::Error| ReplyError::Refused(format!("TLS cannot be set up: {error}"));
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(failed)?
        .with_platform_verifier()
        .map_err(failed)?
        .with_no_client_auth();
    Ok(Arc::clone(CONFIG.get_or_init(|| Arc::new(config))))
}
