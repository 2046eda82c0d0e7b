//! Being installed in workspaces and organisations ("Installing with OAuth", "Using token rotation").

use std::sync::Arc;

use async_trait::async_trait;
use reveille_channel::{
    Actor, ActorKind, Authorization, Change, Code, Event, Grant, INSTALLED_AT, InstallError, Installations, Installed,
    Installer, Kind, NotKept, Refresh, ReplyError, Role, Secret, ThreadRef, Tokens,
};
use serde_json::{Map, Value};
use url::Url;

use crate::api::{Api, Credential, Repeat};
use crate::manifest::SCOPES;
use crate::memory::Memory;
use crate::settings::Client;
use crate::workspaces::Workspaces;
use crate::{Slack, clock, people};

const ACCESS: &str = "oauth.v2.access";

/// How `oauth.v2.access` is asked for the next token.
#[derive(Debug)]
pub(crate) struct Renewal {
    pub(crate) api: Api,
    pub(crate) client: Client,
}

#[async_trait]
impl Refresh for Renewal {
    async fn refresh(&self, token: &Secret) -> Result<Tokens, ReplyError> {
        let arguments = arguments(&self.client, &[("grant_type", "refresh_token"), ("refresh_token", token.expose())]);
        let answer = self.api.call_unsigned(ACCESS, arguments).await.map_err(|error| match error {
            error @ (ReplyError::Retry { .. } | ReplyError::Unknown(_)) => error,
            // Slack takes a refresh token once: that of a lost answer may be the last one we had.
            error => ReplyError::Credentials(format!("{error}; the app has to be installed there again")),
        })?;
        tokens(&answer).ok_or_else(|| ReplyError::Retry {
            after_ms: 5_000,
            reason: format!("{ACCESS}: the answer has no token of a bot"),
        })
    }
}

fn arguments(client: &Client, more: &[(&str, &str)]) -> Map<String, Value> {
    let own = [("client_id", client.client_id.as_str()), ("client_secret", client.client_secret.expose())];
    own.iter().chain(more).map(|(name, value)| ((*name).to_owned(), Value::String((*value).to_owned()))).collect()
}

/// The bot's tokens of an answer.
fn tokens(answer: &Map<String, Value>) -> Option<Tokens> {
    let said = |name: &str| answer.get(name).and_then(Value::as_str).filter(|said| !said.is_empty());
    if said("token_type").is_some_and(|kind| kind != "bot") {
        return None;
    }
    let now_ms = clock::now_ms();
    let lives_ms = answer.get("expires_in").and_then(Value::as_i64).filter(|seconds| *seconds > 0);
    let lives_ms = lives_ms.map(|seconds| seconds.saturating_mul(1_000));
    Some(Tokens {
        access: Secret::new(said("access_token")?),
        refresh: said("refresh_token").map(Secret::new),
        given_at_ms: now_ms,
        ends_at_ms: lives_ms.map(|lives_ms| now_ms.saturating_add(lives_ms)),
    })
}

/// Slack's page beside its API: `https://slack.com/api` has `https://slack.com/oauth/v2/authorize`.
fn page(api: &Url) -> Url {
    let mut url = api.clone();
    let path = api.path().trim_end_matches('/');
    url.set_path(&format!("{}/oauth/v2/authorize", path.strip_suffix("/api").unwrap_or(path)));
    url
}

/// What an exchange says of the place.
struct Place {
    /// `T...`, or `E...` for a whole organisation.
    key: String,
    name: String,
    installer: Option<String>,
}

fn place(answer: &Map<String, Value>) -> Option<Place> {
    let of = |object: &str, field: &str| answer.get(object)?.get(field)?.as_str().map(ToOwned::to_owned);
    let is_enterprise = answer.get("is_enterprise_install").and_then(Value::as_bool) == Some(true);
    let object = if is_enterprise { "enterprise" } else { "team" };
    let key = of(object, "id")?;
    Some(Place { name: of(object, "name").unwrap_or_else(|| key.clone()), key, installer: of("authed_user", "id") })
}

fn failed(error: ReplyError) -> InstallError {
    match error {
        ReplyError::Retry { reason, .. } | ReplyError::Unknown(reason) => InstallError::Unreachable(reason),
        error => InstallError::Refused(error.to_string()),
    }
}

impl Slack {
    fn workspaces(&self) -> Result<&Workspaces, NotKept> {
        self.workspaces.as_ref().ok_or_else(|| NotKept("the app has no client_id".into()))
    }

    /// Gives a token back that is not to be used, unless one of ours may be the same: without token rotation a workspace has one
    /// token for an app, and giving it back takes the bot out of all its channels.
    async fn refuse(&self, api: &Api, place: &Place, why: String) -> InstallError {
        let is_in_use = self.has_bot_token
            || self.workspaces.as_ref().is_some_and(|workspaces| workspaces.get(&place.key).is_some());
        if !is_in_use && let Err(error) = api.call("auth.revoke", Map::new(), Repeat::Harmless).await {
            tracing::warn!(%error, installation = place.key, "a token that is not wanted could not be given back");
        }
        InstallError::NotWanted(why)
    }

    /// Somebody who is no full member of the place has nothing to install there.
    async fn may_install(&self, api: &Api, place: &Place) -> Result<bool, InstallError> {
        let Some(user) = &place.installer else {
            return Ok(false);
        };
        let actor = Actor { id: user.clone(), name: user.clone(), kind: ActorKind::Human };
        let thread = ThreadRef {
            installation: place.key.clone(),
            key: String::new(),
            location: std::collections::BTreeMap::new(),
            display: String::new(),
        };
        let role = people::role(api, &Memory::default(), &actor, &thread).await.map_err(failed)?;
        // A member of an organisation has a workspace of it as a home.
        Ok(role >= Role::Member || (place.key.starts_with('E') && role == Role::External))
    }
}

#[async_trait]
impl Installer for Slack {
    async fn restore(&self, kept: Arc<dyn Installations>) -> Result<(), NotKept> {
        let workspaces = self.workspaces()?;
        workspaces.places.restore(kept, |grant| workspaces.make(grant, &self.api)).await
    }

    fn authorize(&self, authorization: &Authorization<'_>) -> Url {
        let client = self.workspaces.as_ref().map(|workspaces| &workspaces.client);
        let mut url = client.and_then(|client| client.authorize_url.clone()).unwrap_or_else(|| page(self.api.base()));
        url.query_pairs_mut()
            .append_pair("client_id", client.map(|client| client.client_id.as_str()).unwrap_or_default())
            .append_pair("scope", &SCOPES.map(|scope| scope.name).join(","))
            .append_pair("redirect_uri", authorization.redirect.as_str())
            .append_pair("state", authorization.state);
        if let Some(team) = authorization.installation.filter(|id| id.starts_with('T')) {
            url.query_pairs_mut().append_pair("team", team);
        }
        url
    }

    async fn install(&self, code: &Code<'_>) -> Result<Installed, InstallError> {
        let workspaces = self.workspaces()?;
        let kept = workspaces.places.kept()?;
        let arguments =
            arguments(&workspaces.client, &[("code", code.code.expose()), ("redirect_uri", code.redirect.as_str())]);
        let answer = self.api.call_unsigned(ACCESS, arguments).await.map_err(failed)?;
        let nothing = || InstallError::Refused(format!("{ACCESS}: the answer has no bot's token, or no place for it"));
        let (tokens, place) = tokens(&answer).zip(place(&answer)).ok_or_else(nothing)?;
        let api = self.api.with(Credential::Given(tokens.access.clone()));
        if code.installation.is_some_and(|meant| meant != place.key) {
            return Err(self.refuse(&api, &place, format!("{} was not the place that was meant", place.key)).await);
        }
        let wanted = &workspaces.client.workspaces;
        if !wanted.is_empty() && !wanted.contains(&place.key) {
            return Err(self.refuse(&api, &place, format!("{} is not among `workspaces`", place.key)).await);
        }
        // Who we are there is asked of the token itself.
        let (who, _) = api.who().await.map_err(failed)?;
        let said = |name: &str| who.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
        if ![said("team_id"), said("enterprise_id")].contains(&Some(place.key.clone())) {
            return Err(InstallError::Refused("auth.test: the token is of another place".into()));
        }
        if !self.may_install(&api, &place).await? {
            return Err(self.refuse(&api, &place, "whoever installed it is no full member there".into()).await);
        }
        let handle = said("user").unwrap_or_default();
        let about = [
            ("name", Some(place.name.clone())),
            ("handle", Some(handle.clone())),
            ("user", said("user_id")),
            ("bot", said("bot_id")),
            ("team", said("team_id")),
            ("installer", place.installer.clone()),
            (INSTALLED_AT, Some(clock::now_ms().to_string())),
        ];
        let about: Map<String, Value> =
            about.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::String(value?)))).collect();
        let grant = Grant::new(&place.key, tokens, about, kept);
        workspaces.places.install(grant, |grant| workspaces.make(grant, &self.api)).await?;
        tracing::info!(connection = self.connection, installation = place.key, "installed");
        Ok(Installed { installation: place.key, name: place.name, handle })
    }

    /// "app_uninstalled event", "tokens_revoked event".
    async fn changed(&self, event: &Event) -> Result<(), NotKept> {
        let Kind::Lifecycle { change: Change::Removed | Change::Revoked } = event.kind else {
            return Ok(());
        };
        let key = crate::workspaces::key_of(&event.thread);
        if self.workspaces()?.places.end(key, event.occurred_at_ms).await? {
            tracing::warn!(connection = self.connection, installation = key, "uninstalled: its tokens are removed");
        }
        Ok(())
    }

    async fn rest(&self) {
        if let Some(workspaces) = &self.workspaces {
            workspaces.places.rest().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_stands_beside_the_api() {
        for (api, expected) in [
            ("https://slack.com/api", "https://slack.com/oauth/v2/authorize"),
            ("http://127.0.0.1:9/slack/api/", "http://127.0.0.1:9/slack/oauth/v2/authorize"),
        ] {
            assert_eq!(page(&api.parse().unwrap()).as_str(), expected);
        }
    }
}
