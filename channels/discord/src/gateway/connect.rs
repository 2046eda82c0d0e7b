//! Making the WebSocket: TLS as the calls of the API have it, bounds on what may come.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reveille_channel::ReplyError;
use rustls::ClientConfig;
use rustls::crypto::aws_lc_rs;
use rustls_platform_verifier::BuilderVerifierExt;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config};
use url::Url;

pub(super) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

const DEADLINE: Duration = Duration::from_secs(20);

/// The largest frame that is read, bytes: a large server's GUILD_CREATE has a few megabytes.
const FRAME_MAX: usize = 16 * 1024 * 1024;

/// "Connecting": version and encoding are named.
const QUERY: &str = "v=10&encoding=json";

/// Connects. The address carries nothing secret; the token is sent over the connection.
pub(super) async fn connect(base: &Url) -> Result<Socket, ReplyError> {
    let mut url = base.clone();
    url.set_query(Some(QUERY));
    if url.path().is_empty() {
        url.set_path("/");
    }
    let config = WebSocketConfig::default().max_message_size(Some(FRAME_MAX)).max_frame_size(Some(FRAME_MAX));
    let unreachable = |what: String| ReplyError::Retry {
        after_ms: 1_000,
        reason: format!("the gateway at {} cannot be reached: {what}", base.host_str().unwrap_or_default()),
    };
    let connecting = connect_async_tls_with_config(url.as_str(), Some(config), true, Some(Connector::Rustls(tls()?)));
    match tokio::time::timeout(DEADLINE, connecting).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(error)) => Err(unreachable(error.to_string())),
        Err(_) => Err(unreachable(format!("no connection within {} s", DEADLINE.as_secs()))),
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

/// The address a session is to be resumed at, as the platform says, if it is one of the configured address's kind: a proxy or
/// emulator is not left for the real platform, and a connection with TLS not for one without.
pub(super) fn resume_address(configured: &Url, told: &str) -> Option<Url> {
    let told = Url::parse(told).ok()?;
    let (home, host) = (configured.host_str()?, told.host_str()?);
    let domain = home.rsplit('.').take(2).collect::<Vec<_>>();
    let is_near = host == home
        || (domain.len() == 2
            && home.parse::<std::net::IpAddr>().is_err()
            && host.rsplit('.').take(2).collect::<Vec<_>>() == domain);
    (told.scheme() == configured.scheme() && is_near).then_some(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_resumed_near_the_configured_address_or_there() {
        let near = |configured: &str, told: &str| resume_address(&configured.parse().unwrap(), told).is_some();
        assert!(near("wss://gateway.discord.gg", "wss://gateway-us-east1-b.discord.gg"));
        assert!(near("ws://127.0.0.1:1/x", "ws://127.0.0.1:1/y"));
        assert!(!near("wss://gateway.discord.gg", "ws://gateway-us-east1-b.discord.gg"));
        assert!(!near("ws://proxy.example:80", "wss://gateway-us-east1-b.discord.gg"));
        assert!(!near("wss://gateway.discord.gg", "wss://evil.example"));
        assert!(!near("ws://127.0.0.1:1", "ws://1.2.0.1:1"));
        assert!(!near("wss://gateway.discord.gg", "no address"));
    }
}
