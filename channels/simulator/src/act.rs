//! What a person does beside speaking: change or delete a message, react to one, press one of its buttons.
//!
//! A platform is two functions here: where a message is (for the thread that is watched), and the act itself.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::client::{Landed, SeenThread};
use crate::control::{All, SOMEBODY, Which, platforms, refused, seen};
use crate::{Discord, Github, Linear, Slack, Unknown};

/// What is done to a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// It says something else.
    Edit(String),
    /// It is gone.
    Delete,
    /// This emoji is put on it, by its short name.
    React(String),
    /// This button of it is pressed, by its label or what it stands for.
    Press(String),
}

/// Who does what, and to which message.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Acting {
    pub(crate) platform: String,
    pub(crate) place: String,
    pub(crate) message: String,
    #[serde(rename = "as")]
    pub(crate) person: Option<String>,
    pub(crate) act: Act,
}

/// What was done, and the thread as it was before: what differs from it has come since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acted {
    /// The message.
    pub landed: Landed,
    /// Its thread.
    pub before: SeenThread,
}

pub(crate) async fn act(State(all): State<All>, Json(acting): Json<Acting>) -> Response {
    match acted(&all, &acting) {
        Ok(acted) => Json(acted).into_response(),
        Err(unknown) => refused(&unknown),
    }
}

fn acted(all: &All, acting: &Acting) -> Result<Acted, Unknown> {
    // Where it is, before anything is done: what is deleted is nowhere afterwards.
    let landed = match acting.platform.as_str() {
        "slack" => all.slack.find(&acting.place, &acting.message)?,
        "github" => github_issue(&acting.place, &acting.message)?,
        "linear" => linear_thread(&all.linear, &acting.place, &acting.message)?,
        "discord" => {
            let (place, thread) = all.discord.thread_of(&acting.message)?;
            Landed { place, thread, message: acting.message.clone() }
        }
        other => return Err(platforms(other)),
    };
    let which = Which { platform: acting.platform.clone(), place: landed.place.clone(), thread: landed.thread.clone() };
    let before = seen(all, &which)?;
    let person = acting.person.as_deref().unwrap_or(SOMEBODY);
    match acting.platform.as_str() {
        "slack" => slack(&all.slack, person, acting),
        "github" => github(&all.github, person, acting, &landed),
        "linear" => linear(&all.linear, person, acting, &landed),
        "discord" => discord(&all.discord, person, acting),
        other => Err(platforms(other)),
    }?;
    Ok(Acted { landed, before })
}

fn slack(slack: &Slack, person: &str, acting: &Acting) -> Result<(), Unknown> {
    let Acting { place, message, .. } = acting;
    match &acting.act {
        Act::Edit(text) => slack.edit(person, place, message, text),
        Act::Delete => slack.delete(person, place, message),
        Act::React(emoji) => slack.react(person, place, message, emoji),
        Act::Press(button) => slack.press(person, place, message, button),
    }
}

fn discord(discord: &Discord, person: &str, acting: &Acting) -> Result<(), Unknown> {
    let message = acting.message.as_str();
    let is_theirs = || own("message", person, message, discord.messages_of(person)).map(drop);
    match &acting.act {
        Act::Edit(text) => discord.edit(person, message, text),
        Act::Delete => is_theirs().and_then(|()| discord.delete(message)),
        Act::React(emoji) => discord.react(person, message, emoji),
        Act::Press(button) => discord.press(person, message, button).map(drop),
    }
}

fn github(github: &Github, person: &str, acting: &Acting, landed: &Landed) -> Result<(), Unknown> {
    match &acting.act {
        // "Webhook events and payloads" has no event for reactions, and comments have no buttons.
        Act::React(_) => return Err(lacks("event for reactions on GitHub", &["edit", "delete"])),
        Act::Press(_) => return Err(lacks("button on a comment on GitHub", &["edit", "delete"])),
        Act::Edit(_) | Act::Delete => {}
    }
    let number = landed.thread.parse().unwrap_or(0);
    let discussion = github.discussion(number);
    let comments: Vec<(String, u64)> = match &discussion {
        Some(discussion) => discussion.comments.iter().map(|one| (one.author.clone(), one.id)).collect(),
        None => {
            let comments = github.issue(number).map(|issue| issue.comments).unwrap_or_default();
            comments.into_iter().map(|one| (one.author, one.id)).collect()
        }
    };
    let of_theirs = comments.iter().filter(|(author, _)| author == person).map(|(_, id)| id.to_string());
    let id = own("comment", person, &acting.message, of_theirs.collect())?.parse().unwrap_or(0);
    match (&acting.act, discussion.is_some()) {
        (Act::Edit(text), false) => github.edit_comment(person, number, id, text),
        (Act::Edit(text), true) => github.edit_discussion_comment(person, number, id, text),
        (_, false) => github.delete_comment(person, number, id),
        (_, true) => github.delete_discussion_comment(person, number, id),
    }
}

fn github_issue(place: &str, message: &str) -> Result<Landed, Unknown> {
    let number = place.split_once('#').map(|(_, number)| number.to_owned());
    let thread = number.ok_or_else(|| lacks(&format!("issue {place}"), &["acme/app#1"]))?;
    Ok(Landed { place: place.to_owned(), thread, message: message.to_owned() })
}

fn linear(linear: &Linear, person: &str, acting: &Acting, landed: &Landed) -> Result<(), Unknown> {
    let Acting { message, .. } = acting;
    let comments = linear.issue(&landed.place).map(|issue| issue.comments).unwrap_or_default();
    let of_theirs = || comments.iter().filter(|one| one.author == person).map(|one| one.id.clone()).collect();
    match &acting.act {
        Act::Edit(text) => linear.edit(person, own("comment", person, message, of_theirs())?, text),
        Act::Delete => linear.delete(person, own("comment", person, message, of_theirs())?),
        Act::React(emoji) => linear.react(person, message, emoji),
        // A question is an activity of a session; what is chosen is said there.
        Act::Press(option) => linear.choose(person, &landed.thread, option).map(|_| ()),
    }
}

/// The thread of a comment, or the session of an activity.
fn linear_thread(linear: &Linear, place: &str, message: &str) -> Result<Landed, Unknown> {
    let issue = linear.issue(place).ok_or_else(|| lacks(&format!("issue {place}"), &["ENG-1"]))?;
    let comment = issue.comments.iter().find(|one| one.id == message);
    let thread = match comment.map(|one| one.parent.clone().unwrap_or_else(|| one.id.clone())) {
        Some(root) => linear.session_of(&root).map_or(root, |session| session.id),
        None => linear.session_with(message).filter(|session| session.issue == issue.identifier).map_or_else(
            || {
                let known = issue.comments.iter().map(|one| one.id.clone()).collect();
                Err(Unknown { what: format!("message {message} in {place}"), known })
            },
            |session| Ok(session.id),
        )?,
    };
    Ok(Landed { place: issue.identifier, thread, message: message.to_owned() })
}

/// The message, if it is one that this person may change.
fn own<'a>(what: &str, person: &str, message: &'a str, of_theirs: Vec<String>) -> Result<&'a str, Unknown> {
    if of_theirs.iter().any(|one| one == message) {
        return Ok(message);
    }
    Err(Unknown { what: format!("{what} {message} of {person}"), known: of_theirs })
}

fn lacks(what: &str, known: &[&str]) -> Unknown {
    Unknown { what: what.to_owned(), known: known.iter().map(|one| (*one).to_owned()).collect() }
}
