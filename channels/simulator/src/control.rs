//! For `reveille say`: speaking as a person, and watching a thread grow.

use std::convert::Infallible;

use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::Stream;
use serde::Deserialize;
use serde_json::json;

use crate::client::{SeenMessage, SeenThread};
use crate::{Github, Shared, Slack, Unknown};

#[derive(Clone)]
struct Both {
    slack: Slack,
    github: Github,
    shared: Shared,
}

/// What somebody says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Say {
    platform: String,
    place: String,
    text: String,
    #[serde(rename = "as")]
    person: Option<String>,
    thread: Option<String>,
}

/// Which thread.
#[derive(Debug, Clone, Deserialize)]
struct Which {
    platform: String,
    place: String,
    thread: String,
}

pub(crate) fn router(slack: Slack, github: Github, shared: Shared) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/simulator/say", post(say))
        .route("/simulator/thread", get(thread))
        .route("/simulator/thread/stream", get(stream))
        .with_state(Both { slack, github, shared })
}

/// The person who speaks where none is named.
const SOMEBODY: &str = "alice";

async fn say(State(both): State<Both>, Json(say): Json<Say>) -> Response {
    let person = say.person.as_deref().unwrap_or(SOMEBODY);
    let said = match say.platform.as_str() {
        "slack" => both
            .slack
            .say(person, &say.place, &say.text, say.thread.as_deref())
            .map(|posted| json!({"place": posted.channel, "thread": posted.thread_ts})),
        "github" => github_say(&both.github, person, &say.place, &say.text),
        other => Err(platforms(other)),
    };
    match said {
        Ok(landed) => Json(landed).into_response(),
        Err(unknown) => refused(&unknown),
    }
}

/// `acme/app#1` comments there; `acme/app` opens an issue whose title is the first line.
fn github_say(github: &Github, person: &str, place: &str, text: &str) -> Result<serde_json::Value, Unknown> {
    let Some((repository, number)) = place.split_once('#') else {
        let (title, body) = text.split_once('\n').unwrap_or((text, ""));
        let number = github.open_issue(person, place, title, body.trim())?;
        return Ok(json!({"place": format!("{place}#{number}"), "thread": number.to_string()}));
    };
    let number =
        number.parse().map_err(|_| Unknown { what: format!("issue {place}"), known: vec!["acme/app#1".to_owned()] })?;
    github.comment(person, repository, number, text)?;
    Ok(json!({"place": place, "thread": number.to_string()}))
}

async fn thread(State(both): State<Both>, Query(which): Query<Which>) -> Response {
    match seen(&both, &which) {
        Ok(thread) => Json(thread).into_response(),
        Err(unknown) => refused(&unknown),
    }
}

async fn stream(State(both): State<Both>, Query(which): Query<Which>) -> Response {
    if let Err(unknown) = seen(&both, &which) {
        return refused(&unknown);
    }
    Sse::new(changes(both, which)).keep_alive(KeepAlive::default()).into_response()
}

/// The thread, and again each time it changed.
fn changes(both: Both, which: Which) -> impl Stream<Item = Result<Event, Infallible>> {
    let changed = both.shared.changed.subscribe();
    let stop = both.shared.stop.clone();
    let start = (both, which, changed, None::<SeenThread>, stop);
    futures::stream::unfold(start, |(both, which, mut changed, last, stop)| async move {
        loop {
            changed.borrow_and_update();
            let now = seen(&both, &which).ok()?;
            if last.as_ref() != Some(&now) {
                let event = Event::default().data(serde_json::to_string(&now).ok()?);
                return Some((Ok(event), (both, which, changed, Some(now), stop)));
            }
            tokio::select! {
                () = stop.cancelled() => return None,
                more = changed.changed() => more.ok()?,
            }
        }
    })
}

fn seen(both: &Both, which: &Which) -> Result<SeenThread, Unknown> {
    let messages = match which.platform.as_str() {
        "slack" => both
            .slack
            .thread(&which.place, &which.thread)
            .into_iter()
            .map(|one| SeenMessage {
                id: one.ts,
                author: person_name(&both.slack, &one.author),
                is_bot: one.is_bot,
                text: one.text,
                is_final: !one.is_streaming,
                edits: one.history.len(),
            })
            .collect(),
        "github" => {
            let number = which.thread.parse().unwrap_or(0);
            let issue = both
                .github
                .issue(number)
                .ok_or_else(|| Unknown { what: format!("issue {}", which.thread), known: vec!["1".to_owned()] })?;
            let opened = SeenMessage {
                id: "issue".into(),
                author: issue.author.clone(),
                is_bot: false,
                text: format!("{}\n\n{}", issue.title, issue.body),
                is_final: true,
                edits: 0,
            };
            let comments = issue.comments.into_iter().map(|one| SeenMessage {
                id: one.id.to_string(),
                author: one.author,
                is_bot: one.is_bot,
                text: one.body,
                is_final: true,
                edits: one.history.len(),
            });
            std::iter::once(opened).chain(comments).collect()
        }
        other => return Err(platforms(other)),
    };
    let status = match which.platform.as_str() {
        "slack" => crate::lock(&both.slack.state).status.get(&which.thread).cloned().unwrap_or_default(),
        _ => String::new(),
    };
    Ok(SeenThread { status, messages })
}

fn person_name(slack: &Slack, id: &str) -> String {
    let person = crate::slack::PEOPLE.iter().find(|one| one.id == id);
    person.map_or_else(|| slack.options.bot_name.clone(), |one| one.name.to_owned())
}

fn platforms(asked: &str) -> Unknown {
    Unknown { what: format!("platform {asked}"), known: vec!["slack".to_owned(), "github".to_owned()] }
}

fn refused(unknown: &Unknown) -> Response {
    (StatusCode::NOT_FOUND, Json(json!({"error": unknown.to_string()}))).into_response()
}

/// A page to speak and watch in a browser.
async fn page() -> Response {
    let policy = "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, include_str!("page.html")).into_response()
}
