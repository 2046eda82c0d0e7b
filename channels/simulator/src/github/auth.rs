//! Who calls: an app, one of its installations, or the owner of a token ("Authenticating as a GitHub App", "Generating an
//! installation access token for a GitHub App", "Permissions required for GitHub Apps").

use std::collections::BTreeMap;

use http::{HeaderMap, header};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use serde_json::{Value, json};

use super::objects::time;
use super::{Answer, Github, NOT_FOUND, REPOSITORY, REPOSITORY_ID, Refusal, objects};
use crate::deliver::now;
use crate::lock;
use axum::http::StatusCode;

/// The one installation there is.
pub(crate) const INSTALLATION_ID: u64 = 957_387;

/// Installation tokens live for an hour.
const TOKEN_LIFE_S: u64 = 3_600;

/// A JSON Web Token may end this far from now.
const MOST_JWT_LIFE_S: u64 = 600;

/// A simulated GitHub App.
#[derive(Debug, Clone)]
pub struct GithubApp {
    /// Its id.
    pub id: u64,
    /// Its slug: its account is `SLUG[bot]`.
    pub slug: String,
    /// The public half of its private key, PEM.
    pub public_key: String,
    /// What its installation was granted: permission and level.
    pub permissions: BTreeMap<String, String>,
}

impl GithubApp {
    /// An app that was granted everything an agent can make use of.
    pub fn new(id: u64, slug: impl Into<String>, public_key: impl Into<String>) -> Self {
        let granted = [
            ("metadata", "read"),
            ("contents", "read"),
            ("issues", "write"),
            ("pull_requests", "write"),
            ("discussions", "write"),
            ("checks", "write"),
        ];
        let permissions = granted.map(|(name, level)| (name.to_owned(), level.to_owned())).into();
        Self { id, slug: slug.into(), public_key: public_key.into(), permissions }
    }

    pub(crate) fn json(&self) -> Value {
        json!({"id": self.id, "slug": self.slug, "node_id": "A_1", "name": self.slug,
            "owner": {"login": "acme", "id": 77, "type": "Organization"}, "permissions": self.permissions,
            "events": ["check_run", "discussion", "discussion_comment", "issues", "issue_comment", "pull_request",
                "pull_request_review", "pull_request_review_comment"]})
    }
}

/// Who calls.
#[derive(Debug, Clone)]
pub(crate) enum Caller {
    /// Somebody without a credential.
    Nobody,
    /// The app itself.
    App,
    /// Whoever has the token; a token may do everything.
    Token,
    /// An installation, in our repository, with these permissions.
    Installation(BTreeMap<String, String>),
}

/// The installation tokens that were given out.
#[derive(Debug, Default)]
pub(crate) struct Tokens(BTreeMap<String, (BTreeMap<String, String>, u64)>);

#[derive(Deserialize)]
struct Claims {
    iss: Value,
    iat: u64,
    exp: u64,
}

const BAD_CREDENTIALS: Refusal = (StatusCode::UNAUTHORIZED, "Bad credentials");

impl Github {
    pub(crate) fn caller(&self, headers: &HeaderMap) -> Result<Caller, Refusal> {
        let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(Caller::Nobody) };
        let value = value.to_str().unwrap_or_default();
        let token = value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("token ")).ok_or(BAD_CREDENTIALS)?;
        let Some(app) = &self.options.app else {
            return if token == self.options.token { Ok(Caller::Token) } else { Err(BAD_CREDENTIALS) };
        };
        if token.matches('.').count() == 2 {
            return check_jwt(app, token).map(|()| Caller::App);
        }
        match lock(&self.state).tokens.0.get(token) {
            Some((permissions, until_s)) if *until_s > now().0 => Ok(Caller::Installation(permissions.clone())),
            _ => Err(BAD_CREDENTIALS),
        }
    }

    /// `POST /app/installations/{id}/access_tokens`.
    pub(crate) fn mint(&self, id: &str, arguments: &Value) -> Answer {
        let Some(app) = self.options.app.as_ref().filter(|_| id == INSTALLATION_ID.to_string()) else {
            return Err(NOT_FOUND);
        };
        let unreachable = (
            StatusCode::UNPROCESSABLE_ENTITY,
            "There is at least one repository that does not exist or is not accessible to the parent installation.",
        );
        let listed = |name: &str| arguments.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        let name = REPOSITORY.split('/').next_back().unwrap_or_default();
        let is_ours = listed("repositories").iter().all(|repository| repository == name)
            && listed("repository_ids").iter().all(|id| id.as_u64() == Some(REPOSITORY_ID));
        if !is_ours {
            return Err(unreachable);
        }
        let asked: BTreeMap<String, String> = match arguments.get("permissions") {
            None => app.permissions.clone(),
            Some(asked) => serde_json::from_value(asked.clone())
                .map_err(|_| (StatusCode::UNPROCESSABLE_ENTITY, "Invalid request."))?,
        };
        if !asked.iter().all(|(name, level)| grants(&app.permissions, name, level)) {
            let not_granted = "The permissions requested are not granted to this installation.";
            return Err((StatusCode::UNPROCESSABLE_ENTITY, not_granted));
        }
        let until_s = now().0 + TOKEN_LIFE_S;
        let mut state = lock(&self.state);
        let token = format!("ghs_simulated{:08}", state.tokens.0.len() + 1);
        state.tokens.0.insert(token.clone(), (asked.clone(), until_s));
        let body = json!({"token": token, "expires_at": time(until_s), "permissions": asked,
            "repository_selection": "selected", "repositories": [objects::repository()]});
        Ok((StatusCode::CREATED, body))
    }

    /// Every permission that a token was narrowed to, by token in the order they were given out.
    #[must_use]
    pub fn minted(&self) -> Vec<BTreeMap<String, String>> {
        lock(&self.state).tokens.0.values().map(|(permissions, _)| permissions.clone()).collect()
    }
}

fn check_jwt(app: &GithubApp, token: &str) -> Result<(), Refusal> {
    let undecodable = (StatusCode::UNAUTHORIZED, "A JSON web token could not be decoded");
    let key = DecodingKey::from_rsa_pem(app.public_key.as_bytes()).map_err(|_| undecodable)?;
    let mut validation = Validation::new(Algorithm::RS256);
    validation.leeway = 0;
    let claims = jsonwebtoken::decode::<Claims>(token, &key, &validation).map_err(|_| undecodable)?.claims;
    let now = now().0;
    let issuer = claims.iss.as_u64().or_else(|| claims.iss.as_str()?.parse().ok());
    if issuer != Some(app.id) {
        return Err((StatusCode::UNAUTHORIZED, "'Issuer' claim ('iss') must be an Integer"));
    }
    if claims.iat > now {
        return Err((
            StatusCode::UNAUTHORIZED,
            "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
        ));
    }
    if claims.exp > now + MOST_JWT_LIFE_S {
        return Err((StatusCode::UNAUTHORIZED, "'Expiration time' claim ('exp') is too far in the future"));
    }
    Ok(())
}

/// Whether `granted` holds the permission at least at this level.
fn grants(granted: &BTreeMap<String, String>, name: &str, level: &str) -> bool {
    granted.get(name).is_some_and(|has| has == level || (has == "write" && level == "read"))
}

impl Caller {
    /// Whether a call may be made that needs one of these permissions.
    pub(crate) fn may(&self, any_of: &[(&str, &str)]) -> Result<(), Refusal> {
        let may = match self {
            Self::Token => true,
            Self::Nobody | Self::App => false,
            Self::Installation(granted) => any_of.iter().any(|(name, level)| grants(granted, name, level)),
        };
        if may { Ok(()) } else { Err((StatusCode::FORBIDDEN, "Resource not accessible by integration")) }
    }
}
