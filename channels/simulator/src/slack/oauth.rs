//! Being installed in workspaces: the page on which people agree, codes, tokens, and their rotation ("Installing with OAuth",
//! "oauth.v2.access", "Using token rotation").

use std::collections::BTreeMap;

use axum::extract::{RawQuery, State as Extract};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::api::{Answer, Arguments, text};
use super::{APP, OTHER_TEAM, Slack, TEAM, workspace};
use crate::deliver::now;
use crate::lock;

/// How long a code is good, seconds.
const CODE_LIFE_S: u64 = 600;

/// The app, as its settings have it.
#[derive(Debug, Default)]
pub(crate) struct App {
    client: Option<(String, String)>,
    /// With rotation: how long a token lives, seconds.
    token_life_s: Option<u64>,
    /// Where the next person installs it, unless the link says so.
    picks: Option<&'static str>,
    denies: bool,
    made: u64,
    codes: BTreeMap<String, Code>,
    tokens: BTreeMap<String, Token>,
    /// Refresh tokens; each is good once.
    refreshes: BTreeMap<String, &'static str>,
}

#[derive(Debug)]
struct Code {
    team: &'static str,
    redirect: String,
    until_s: u64,
}

#[derive(Debug)]
struct Token {
    team: &'static str,
    ends_at_s: Option<u64>,
}

impl App {
    /// Whose token it is.
    pub(super) fn team_of(&self, token: &str) -> Result<&'static str, &'static str> {
        let token = self.tokens.get(token).ok_or("invalid_auth")?;
        if token.ends_at_s.is_some_and(|end| end <= now().0) { Err("token_expired") } else { Ok(token.team) }
    }

    fn give(&mut self, team: &'static str) -> Value {
        self.made += 1;
        let at = workspace(team);
        let mut answer = json!({
            "ok": true, "token_type": "bot", "scope": "chat:write", "bot_user_id": at.bot_user, "app_id": APP,
            "team": {"id": at.team, "name": at.name}, "enterprise": null, "is_enterprise_install": false,
        });
        let access = format!("xoxb-{team}-{}", self.made);
        let ends_at_s = self.token_life_s.map(|life_s| now().0 + life_s);
        if let Some(life_s) = self.token_life_s {
            let refresh = format!("xoxe-{team}-{}", self.made);
            super::put(&mut answer, "refresh_token", json!(refresh));
            super::put(&mut answer, "expires_in", json!(life_s));
            self.refreshes.insert(refresh, team);
        }
        super::put(&mut answer, "access_token", json!(access));
        self.tokens.insert(access, Token { team, ends_at_s });
        answer
    }
}

/// The page: whoever sees it agrees at once, or declines.
pub(super) async fn authorize(Extract(slack): Extract<Slack>, RawQuery(query): RawQuery) -> Response {
    let parameters: BTreeMap<String, String> =
        url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
    let given = |name: &str| parameters.get(name).map(String::as_str).unwrap_or_default();
    let mut state = lock(&slack.state);
    let app = &mut state.app;
    if app.client.as_ref().is_none_or(|(id, _)| id != given("client_id")) || given("scope").is_empty() {
        return (StatusCode::BAD_REQUEST, "invalid_client_id or invalid_scope").into_response();
    }
    let Ok(mut back) = given("redirect_uri").parse::<url::Url>() else {
        return (StatusCode::BAD_REQUEST, "bad_redirect_uri").into_response();
    };
    let meant = [TEAM, OTHER_TEAM].into_iter().find(|team| *team == given("team"));
    let team = meant.or(app.picks).unwrap_or(TEAM);
    if app.denies {
        back.query_pairs_mut().append_pair("error", "access_denied");
    } else {
        app.made += 1;
        let code = format!("code-{}", app.made);
        let until_s = now().0 + CODE_LIFE_S;
        app.codes.insert(code.clone(), Code { team, redirect: given("redirect_uri").to_owned(), until_s });
        back.query_pairs_mut().append_pair("code", &code);
    }
    back.query_pairs_mut().append_pair("state", given("state"));
    (StatusCode::FOUND, [(header::LOCATION, back.to_string())]).into_response()
}

impl Slack {
    /// The app can be installed with these credentials. With a life, its tokens rotate.
    pub fn register_app(&self, client_id: &str, client_secret: &str, token_life_s: Option<u64>) {
        let app = &mut lock(&self.state).app;
        app.client = Some((client_id.to_owned(), client_secret.to_owned()));
        app.token_life_s = token_life_s;
    }

    /// The next people install it in the other workspace, `T0ELSE0001`, or in their own.
    pub fn install_elsewhere(&self, elsewhere: bool) {
        lock(&self.state).app.picks = elsewhere.then_some(OTHER_TEAM);
    }

    /// The next people do not agree, or do.
    pub fn decline(&self, declines: bool) {
        lock(&self.state).app.denies = declines;
    }

    /// All tokens run out; refresh tokens do not.
    pub fn end_tokens(&self) {
        for token in lock(&self.state).app.tokens.values_mut() {
            token.ends_at_s = Some(0);
        }
    }

    /// How many tokens were given.
    #[must_use]
    pub fn tokens_given(&self) -> usize {
        lock(&self.state).app.tokens.len()
    }

    /// Somebody removes the app from a workspace ("app_uninstalled event", "tokens_revoked event").
    pub fn uninstall(&self, team: &str) {
        let numbers = {
            let mut state = lock(&self.state);
            state.app.tokens.retain(|_, token| token.team != team);
            state.app.refreshes.retain(|_, of| *of != team);
            [state.new_event(), state.new_event()]
        };
        let revoked = json!({"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [workspace(team).bot_user]}});
        for (number, event) in numbers.into_iter().zip([json!({"type": "app_uninstalled"}), revoked]) {
            self.deliver_for(team, &json!([]), number, &event);
        }
        self.shared.touch();
    }

    /// "oauth.v2.access".
    pub(super) fn access(&self, arguments: &Arguments) -> Answer {
        let given = |name: &str| text(arguments, name).unwrap_or_default();
        let app = &mut lock(&self.state).app;
        match &app.client {
            Some((id, _)) if id != given("client_id") => return Err("invalid_client_id"),
            Some((_, secret)) if secret != given("client_secret") => return Err("bad_client_secret"),
            Some(_) => {}
            None => return Err("invalid_client_id"),
        }
        if given("grant_type") == "refresh_token" {
            let team = app.refreshes.remove(given("refresh_token")).ok_or("invalid_refresh_token")?;
            return Ok(app.give(team));
        }
        let code = app.codes.remove(given("code")).ok_or("invalid_code")?;
        if code.until_s <= now().0 {
            return Err("code_expired");
        }
        if code.redirect != given("redirect_uri") {
            return Err("bad_redirect_uri");
        }
        let installer = if code.team == OTHER_TEAM { "U0EVE00001" } else { "U0BOB00001" };
        let mut answer = app.give(code.team);
        super::put(&mut answer, "authed_user", json!({"id": installer}));
        Ok(answer)
    }

    /// "auth.revoke".
    pub(super) fn revoke(&self, token: &str) -> Answer {
        lock(&self.state).app.tokens.remove(token);
        Ok(json!({"revoked": true}))
    }
}
