//! Being installed in workspaces as an app (Linear developer documentation, "OAuth 2.0 authentication": authorization code with
//! PKCE and `actor=app`, refreshing an access token). Whoever agrees has to be an administrator there: Linear sees to that.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use reveille_channel::{
    Authorization, Change, Code, Event, Grant, INSTALLED_AT, InstallError, Installations, Installed, Installer, Kind,
    NotKept, Places, Refresh, ReplyError, Secret, Tokens,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;

use crate::api::Api;
use crate::manifest::SCOPES;
use crate::own::Me;
use crate::refusal::said;
use crate::settings::Install;
use crate::token::{Credentials, token_address};
use crate::transport::Transport;
use crate::workspace::Workspace;
use crate::{Linear, identity};

/// How long after a server's trouble it is asked again, milliseconds.
const AGAIN_MS: u64 = 3_000;

/// Where the application is installed, and how it gets there.
pub(crate) struct Installs {
    pub(crate) settings: Install,
    pub(crate) client_id: String,
    pub(crate) places: Places<Workspace>,
    exchange: Arc<Exchange>,
}

impl std::fmt::Debug for Installs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Installs")
            .field("settings", &self.settings)
            .field("places", &self.places)
            .finish_non_exhaustive()
    }
}

/// The token endpoint.
struct Exchange {
    url: Url,
    transport: Transport,
    client_id: String,
    client_secret: Secret,
}

/// Its answer.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    expires_in: Option<i64>,
    #[serde(default)]
    refresh_token: Option<String>,
}

/// Its refusal (RFC 6749, section 5.2).
#[derive(Default, Deserialize)]
struct Denied {
    #[serde(default)]
    error: String,
    #[serde(default)]
    error_description: String,
}

impl Exchange {
    /// Asks once. An answer that is lost may have been the only one: what was asked with is tried again by whoever has it.
    async fn ask(&self, fields: &[(&str, &str)]) -> Result<Tokens, ReplyError> {
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("client_id", &self.client_id)
            .append_pair("client_secret", self.client_secret.expose())
            .extend_pairs(fields)
            .finish();
        let sent = self.transport.post(&self.url, "application/x-www-form-urlencoded", None, form).await;
        let answer = sent.map_err(|lost| lost.into_error(true))?;
        let status = answer.status;
        if status.is_server_error() || status.as_u16() == 429 {
            let reason = format!("the token endpoint answered {}", status.as_u16());
            return Err(ReplyError::Retry { after_ms: AGAIN_MS, reason });
        }
        if !status.is_success() {
            let denied = serde_json::from_slice::<Denied>(&answer.body).unwrap_or_default();
            let words = format!("{} {}", denied.error, denied.error_description);
            return Err(ReplyError::Credentials(format!(
                "no token from the token endpoint: {} (status {}); the application has to be installed there again",
                said(words.trim()),
                status.as_u16()
            )));
        }
        let unreadable =
            || ReplyError::Retry { after_ms: AGAIN_MS, reason: "the token endpoint's answer is unreadable".to_owned() };
        let granted: Granted = serde_json::from_slice(&answer.body).map_err(|_| unreadable())?;
        let now_ms = Timestamp::now().as_millisecond();
        let lives_ms = granted.expires_in.filter(|seconds| *seconds > 0).map(|seconds| seconds.saturating_mul(1_000));
        Ok(Tokens {
            access: Secret::new(granted.access_token),
            refresh: granted.refresh_token.map(Secret::new),
            given_at_ms: now_ms,
            ends_at_ms: lives_ms.map(|lives_ms| now_ms.saturating_add(lives_ms)),
        })
    }
}

#[async_trait]
impl Refresh for Exchange {
    async fn refresh(&self, token: &Secret) -> Result<Tokens, ReplyError> {
        self.ask(&[("grant_type", "refresh_token"), ("refresh_token", token.expose())]).await
    }
}

/// Linear's page is at another host than its API; another server has it beside its own.
fn page(api: &Url) -> Url {
    let mut url = api.clone();
    if api.host_str() == Some("api.linear.app") && url.set_host(Some("linear.app")).is_ok() {
        url.set_path("/oauth/authorize");
        return url;
    }
    let path = api.path().trim_end_matches('/');
    url.set_path(&format!("{}/oauth/authorize", path.strip_suffix("/graphql").unwrap_or(path)));
    url
}

/// Who we are there, as it is kept.
fn about(me: &Me, name: &str) -> Map<String, Value> {
    let facts = json!({
        "name": name, "user": me.id, "organization": me.organization, "handles": me.handles.join("\n"),
        "has_sessions": me.has_sessions.to_string(), INSTALLED_AT: Timestamp::now().as_millisecond().to_string(),
    });
    facts.as_object().cloned().unwrap_or_default()
}

impl Installs {
    pub(crate) fn new(settings: Install, client_id: String, client_secret: Secret, api: &Api) -> Self {
        let (url, transport) = api.server();
        let exchange = Arc::new(Exchange {
            url: token_address(url),
            transport: transport.clone(),
            client_id: client_id.clone(),
            client_secret,
        });
        Self { settings, client_id, places: Places::default(), exchange }
    }

    /// What an installation is used with.
    fn make(&self, grant: &Arc<Grant>, home: &Workspace) -> Workspace {
        let with: Arc<dyn Refresh> = self.exchange.clone();
        let workspace = home.with(Credentials::Installed(Arc::clone(grant), with));
        workspace.own.learn(Me {
            id: grant.about("user").unwrap_or_default().to_owned(),
            organization: Some(grant.installation().to_owned()),
            handles: grant.about("handles").unwrap_or_default().lines().map(ToOwned::to_owned).collect(),
            has_sessions: grant.about("has_sessions") == Some("true"),
        });
        workspace
    }
}

fn failed(error: ReplyError) -> InstallError {
    match error {
        ReplyError::Retry { reason, .. } | ReplyError::Unknown(reason) => InstallError::Unreachable(reason),
        error => InstallError::Refused(error.to_string()),
    }
}

impl Linear {
    fn installs(&self) -> Result<&Installs, NotKept> {
        self.installs.as_ref().ok_or_else(|| NotKept("the application cannot be installed".into()))
    }
}

#[async_trait]
impl Installer for Linear {
    async fn restore(&self, kept: Arc<dyn Installations>) -> Result<(), NotKept> {
        let installs = self.installs()?;
        installs.places.restore(kept, |grant| installs.make(grant, &self.home)).await
    }

    fn authorize(&self, authorization: &Authorization<'_>) -> Url {
        let installs = self.installs.as_ref();
        let own = installs.and_then(|installs| installs.settings.authorize_url.clone());
        let mut url = own.unwrap_or_else(|| page(self.home.api.server().0));
        url.query_pairs_mut()
            .append_pair("client_id", installs.map(|installs| installs.client_id.as_str()).unwrap_or_default())
            .append_pair("redirect_uri", authorization.redirect.as_str())
            .append_pair("response_type", "code")
            .append_pair("scope", SCOPES)
            .append_pair("state", authorization.state)
            .append_pair("actor", "app")
            .append_pair("prompt", "consent")
            .append_pair("code_challenge", authorization.challenge)
            .append_pair("code_challenge_method", "S256");
        url
    }

    async fn install(&self, code: &Code<'_>) -> Result<Installed, InstallError> {
        let installs = self.installs()?;
        let kept = installs.places.kept()?;
        let tokens = installs
            .exchange
            .ask(&[
                ("grant_type", "authorization_code"),
                ("code", code.code.expose()),
                ("redirect_uri", code.redirect.as_str()),
                ("code_verifier", code.verifier.expose()),
            ])
            .await
            .map_err(failed)?;
        // Who we are there, and where that is, is asked of the token itself.
        let credentials = Credentials::given(&tokens.access)
            .ok_or_else(|| InstallError::Refused("the token holds characters no token has".into()))?;
        let asked = self.home.with(credentials);
        let identity = identity::identify(&asked.api, &asked.own).await.map_err(failed)?;
        let me = asked.own.me().ok_or_else(|| InstallError::Refused("the token is nobody's".into()))?;
        let place = me.organization.clone();
        let place =
            place.ok_or_else(|| InstallError::Refused("the token does not say of which workspace it is".into()))?;
        if code.installation.is_some_and(|meant| meant != place) {
            return Err(InstallError::NotWanted(format!("{place} was not the workspace that was meant")));
        }
        let wanted = &installs.settings.workspaces;
        if !wanted.is_empty() && !wanted.contains(&place) {
            return Err(InstallError::NotWanted(format!("{place} is not among `workspaces`")));
        }
        for warning in &identity.warnings {
            tracing::warn!(
                connection = self.connection,
                installation = place,
                warning,
                "the installation lacks something"
            );
        }
        let grant = Grant::new(&place, tokens, about(&me, &identity.installation), kept);
        installs.places.install(grant, |grant| installs.make(grant, &self.home)).await?;
        tracing::info!(connection = self.connection, installation = place, "installed");
        Ok(Installed { installation: place, name: identity.installation, handle: identity.handle })
    }

    /// "OAuthApp revoked".
    async fn changed(&self, event: &Event) -> Result<(), NotKept> {
        let Kind::Lifecycle { change: Change::Removed | Change::Revoked } = event.kind else {
            return Ok(());
        };
        if self.installs()?.places.end(&event.thread.installation, event.occurred_at_ms).await? {
            let installation = &event.thread.installation;
            tracing::warn!(connection = self.connection, installation, "revoked: its tokens are removed");
        }
        Ok(())
    }

    async fn rest(&self) {
        if let Some(installs) = &self.installs {
            installs.places.rest().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_linears_or_beside_another_api() {
        for (api, expected) in [
            ("https://api.linear.app/graphql", "https://linear.app/oauth/authorize"),
            ("http://127.0.0.1:9/linear/graphql/", "http://127.0.0.1:9/linear/oauth/authorize"),
        ] {
            assert_eq!(page(&api.parse().unwrap()).as_str(), expected);
        }
    }
}
