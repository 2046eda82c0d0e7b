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
use serde_json::{Value, json};

use crate::act::act;
use crate::client::{SeenMessage, SeenThread};
use crate::{Discord, DiscordPosted, Github, Linear, Shared, Slack, Unknown};

#[derive(Clone)]
pub(crate) struct All {
    pub(crate) slack: Slack,
    pub(crate) github: Github,
    pub(crate) linear: Linear,
    pub(crate) discord: Discord,
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
pub(crate) struct Which {
    pub(crate) platform: String,
    pub(crate) place: String,
    pub(crate) thread: String,
}

pub(crate) fn router(slack: Slack, github: Github, linear: Linear, discord: Discord, shared: Shared) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/simulator/say", post(say))
        .route("/simulator/act", post(act))
        .route("/simulator/thread", get(thread))
        .route("/simulator/thread/stream", get(stream))
        .with_state(All { slack, github, linear, discord, shared })
}

/// The person who speaks where none is named.
pub(crate) const SOMEBODY: &str = "alice";

async fn say(State(all): State<All>, Json(say): Json<Say>) -> Response {
    let person = say.person.as_deref().unwrap_or(SOMEBODY);
    let said = match say.platform.as_str() {
        "slack" => all
            .slack
            .say(person, &say.place, &say.text, say.thread.as_deref())
            .map(|posted| json!({"place": posted.channel, "thread": posted.thread_ts, "message": posted.ts})),
        "github" => github_say(&all.github, person, &say.place, &say.text),
        "linear" => linear_say(&all.linear, person, &say.place, &say.text, say.thread.as_deref()),
        "discord" => {
            let place = say.thread.as_deref().unwrap_or(&say.place);
            all.discord
                .say(person, place, &say.text)
                .map(|posted| json!({"place": posted.channel, "thread": say.thread.as_deref().unwrap_or(&posted.id), "message": posted.id}))
        }
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
        return Ok(json!({"place": format!("{place}#{number}"), "thread": number.to_string(), "message": ""}));
    };
    let number =
        number.parse().map_err(|_| Unknown { what: format!("issue {place}"), known: vec!["acme/app#1".to_owned()] })?;
    let id = if github.discussion(number).is_some() {
        github.comment_in_discussion(person, number, text, None)?
    } else {
        github.comment(person, repository, number, text)?
    };
    Ok(json!({"place": place, "thread": number.to_string(), "message": id.to_string()}))
}

/// `ENG-1` comments there, or goes on in a thread; `ENG` opens an issue whose title is the first line. `/delegate` delegates the
/// issue to the app, and `/stop` in a session asks it to stop.
fn linear_say(
    linear: &Linear,
    person: &str,
    place: &str,
    text: &str,
    thread: Option<&str>,
) -> Result<serde_json::Value, Unknown> {
    let place = if place.contains('-') {
        place.to_owned()
    } else {
        let (title, body) = text.split_once('\n').unwrap_or((text, ""));
        let issue = linear.open_issue(person, title, body.trim())?;
        return Ok(json!({"place": issue, "thread": issue, "message": issue}));
    };
    let session = thread.filter(|thread| linear.session(thread).is_some());
    let said = match (text.trim(), session) {
        ("/delegate", None) => linear.delegate(person, &place)?,
        ("/stop", Some(session)) => linear.stop(person, session)?,
        (_, Some(session)) => linear.prompt(person, session, text)?,
        (_, None) => linear.comment(person, &place, text, thread)?,
    };
    let root = thread.map_or(said.comment.as_str(), |thread| thread);
    let thread = said.session.as_deref().unwrap_or(root);
    Ok(json!({"place": place, "thread": thread, "message": said.comment}))
}

async fn thread(State(all): State<All>, Query(which): Query<Which>) -> Response {
    match seen(&all, &which) {
        Ok(thread) => Json(thread).into_response(),
        Err(unknown) => refused(&unknown),
    }
}

async fn stream(State(all): State<All>, Query(which): Query<Which>) -> Response {
    if let Err(unknown) = seen(&all, &which) {
        return refused(&unknown);
    }
    Sse::new(changes(all, which)).keep_alive(KeepAlive::default()).into_response()
}

/// The thread, and again each time it changed.
fn changes(all: All, which: Which) -> impl Stream<Item = Result<Event, Infallible>> {
    let changed = all.shared.changed.subscribe();
    let stop = all.shared.stop.clone();
    let start = (all, which, changed, None::<SeenThread>, stop);
    futures::stream::unfold(start, |(all, which, mut changed, last, stop)| async move {
        loop {
            changed.borrow_and_update();
            let now = seen(&all, &which).ok()?;
            if last.as_ref() != Some(&now) {
                let event = Event::default().data(serde_json::to_string(&now).ok()?);
                return Some((Ok(event), (all, which, changed, Some(now), stop)));
            }
            tokio::select! {
                () = stop.cancelled() => return None,
                more = changed.changed() => more.ok()?,
            }
        }
    })
}

pub(crate) fn seen(all: &All, which: &Which) -> Result<SeenThread, Unknown> {
    let messages = match which.platform.as_str() {
        "slack" => all
            .slack
            .thread(&which.place, &which.thread)
            .into_iter()
            .map(|one| SeenMessage {
                id: one.ts,
                author: person_name(&all.slack, &one.author),
                is_bot: one.is_bot,
                text: one.blocks.as_ref().and_then(question_of).unwrap_or(one.text),
                is_final: !one.is_streaming,
                edits: one.history.len(),
            })
            .collect(),
        "linear" => linear_messages(&all.linear, which)?,
        "github" => github_seen(&all.github, which.thread.parse().unwrap_or(0))?,
        "discord" => discord_seen(&all.discord, &which.place, &which.thread),
        other => return Err(platforms(other)),
    };
    let status = match which.platform.as_str() {
        "slack" => crate::lock(&all.slack.state).status.get(&which.thread).cloned().unwrap_or_default(),
        "linear" => linear_status(&all.linear, &which.thread),
        _ => String::new(),
    };
    Ok(SeenThread { status, messages })
}

/// A question with its buttons, as Slack shows one: its `text` is for notifications alone.
fn question_of(blocks: &Value) -> Option<String> {
    let blocks = blocks.as_array()?;
    let kind = |block: &Value| block.get("type").and_then(Value::as_str).map(ToOwned::to_owned);
    let actions = blocks.iter().find(|block| kind(block).as_deref() == Some("actions"))?;
    let mut parts: Vec<String> = Vec::new();
    for block in blocks.iter().filter(|block| kind(block).as_deref() != Some("actions")) {
        texts_of(block, &mut parts);
    }
    let mut labels = Vec::new();
    texts_of(actions, &mut labels);
    parts.push(labels.iter().map(|label| format!("[{label}]")).collect::<Vec<_>>().join(" "));
    Some(parts.join("\n\n"))
}

/// The texts in a block, in their order.
fn texts_of(block: &Value, texts: &mut Vec<String>) {
    match block {
        Value::Object(fields) => {
            if let Some(text) = fields.get("text").and_then(Value::as_str) {
                texts.push(text.to_owned());
            }
            fields.values().filter(|value| !value.is_string()).for_each(|value| texts_of(value, texts));
        }
        Value::Array(items) => items.iter().for_each(|item| texts_of(item, texts)),
        _ => {}
    }
}

/// A session as its activities, an issue or a thread as its comments.
fn linear_messages(linear: &Linear, which: &Which) -> Result<Vec<SeenMessage>, Unknown> {
    let issue = linear
        .issue(&which.place)
        .ok_or_else(|| Unknown { what: format!("issue {}", which.place), known: vec!["ENG-1".to_owned()] })?;
    let session = linear.session(&which.thread);
    let root = session.as_ref().map_or(which.thread.as_str(), |session| session.comment.as_str()).to_owned();
    let is_in =
        |id: &str, parent: Option<&str>| root == issue.identifier || id == root || parent == Some(root.as_str());
    let comment = |one: &crate::LinearComment| SeenMessage {
        id: one.id.clone(),
        author: one.author.clone(),
        is_bot: one.is_app,
        text: one.body.clone(),
        is_final: true,
        edits: one.history.len(),
    };
    let comments = issue.comments.iter().filter(|one| is_in(&one.id, one.parent.as_deref()));
    let Some(session) = session else {
        return Ok(comments.map(comment).collect());
    };
    // What is said in a session stands among the comments once more: the session is shown instead.
    let first = comments.filter(|one| one.parent.is_none()).map(comment);
    let said = session.activities.iter().filter(|one| !one.ephemeral).map(|one| SeenMessage {
        id: one.id.clone(),
        author: one.author.clone(),
        is_bot: one.kind != "prompt",
        text: one.text(),
        is_final: true,
        edits: 0,
    });
    Ok(first.chain(said).collect())
}

/// What passes in a session.
fn linear_status(linear: &Linear, session: &str) -> String {
    let last = linear.session(session).and_then(|session| session.activities.into_iter().next_back());
    last.filter(|activity| activity.ephemeral && !activity.is_replaced).map(|one| one.text()).unwrap_or_default()
}

/// An issue, pull request or discussion with its comments.
fn github_seen(github: &Github, number: u64) -> Result<Vec<SeenMessage>, Unknown> {
    let message = |id: String, author: &str, is_bot: bool, text: String, edits: usize| SeenMessage {
        id,
        author: author.to_owned(),
        is_bot,
        text,
        is_final: true,
        edits,
    };
    if let Some(discussion) = github.discussion(number) {
        let text = format!("{}\n\n{}", discussion.title, discussion.body);
        let opened = message("issue".into(), &discussion.author, false, text, 0);
        let comments = discussion
            .comments
            .iter()
            .map(|one| message(one.id.to_string(), &one.author, one.is_bot, one.body.clone(), one.history.len()));
        return Ok(std::iter::once(opened).chain(comments).collect());
    }
    let issue =
        github.issue(number).ok_or_else(|| Unknown { what: format!("issue {number}"), known: vec!["1".to_owned()] })?;
    let text = format!("{}\n\n{}", issue.title, issue.body);
    let opened = message("issue".into(), &issue.author, issue.is_bot, text, 0);
    let comments = issue
        .comments
        .iter()
        .map(|one| message(one.id.to_string(), &one.author, one.is_bot, one.body.clone(), one.history.len()));
    Ok(std::iter::once(opened).chain(comments).collect())
}

/// What was said, the thread that was started from it, and what the bot answered elsewhere.
fn discord_seen(discord: &Discord, place: &str, thread: &str) -> Vec<SeenMessage> {
    let posted = DiscordPosted { channel: place.to_owned(), id: thread.to_owned() };
    let said = discord.messages(place).into_iter().filter(|one| one.id == thread);
    let mut all: Vec<_> = said.chain(discord.messages(thread)).chain(discord.answers(&posted)).collect();
    all.sort_by(|one, other| (one.id.len(), &one.id).cmp(&(other.id.len(), &other.id)));
    all.dedup_by(|one, other| one.id == other.id);
    all.into_iter()
        .filter(|one| !one.content.is_empty())
        .map(|one| SeenMessage {
            author: discord.name_of(&one.author),
            id: one.id,
            is_bot: one.is_bot,
            text: one.content,
            is_final: true,
            edits: one.history.len(),
        })
        .collect()
}

fn person_name(slack: &Slack, id: &str) -> String {
    let person = crate::slack::PEOPLE.iter().find(|one| one.id == id);
    person.map_or_else(|| slack.options.bot_name.clone(), |one| one.name.to_owned())
}

pub(crate) fn platforms(asked: &str) -> Unknown {
    Unknown {
        what: format!("platform {asked}"),
        known: ["slack", "github", "linear", "discord"].map(ToOwned::to_owned).to_vec(),
    }
}

pub(crate) fn refused(unknown: &Unknown) -> Response {
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
