//! Discussions in the GraphQL API ("Using the GraphQL API for Discussions"). It reads no GraphQL: a document is told by the
//! field it asks for, and answered whole.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::auth::Caller;
use super::issues::react;
use super::state::{Discussion, DiscussionComment, State};
use super::{Answer, Github, objects};
use crate::lock;

impl Github {
    pub(super) fn graphql(&self, arguments: &Value, caller: &Caller) -> Answer {
        let document = arguments.get("query").and_then(Value::as_str).unwrap_or_default();
        let variable = |name: &str| arguments.pointer(&format!("/variables/{name}")).and_then(Value::as_str);
        let is_mutation = document.trim_start().starts_with("mutation");
        if caller.may(&[("discussions", if is_mutation { "write" } else { "read" })]).is_err() {
            return told(Err(("FORBIDDEN", "Resource not accessible by integration")));
        }
        let mut added = None;
        let mut state = lock(&self.state);
        let data = if document.contains("addDiscussionComment") {
            self.add(&mut state, variable("discussion"), variable("body"), variable("answers")).map(
                |(number, comment)| {
                    let id = comment.node();
                    added = Some((number, comment));
                    json!({"addDiscussionComment": {"comment": {"id": id}}})
                },
            )
        } else if document.contains("updateDiscussionComment") {
            update(&mut state, variable("id"), variable("body"))
        } else if document.contains("addReaction") {
            react_to(&mut state, variable("id"), variable("content"))
        } else if document.contains("replyTo") {
            let answered = comment(&state, variable("id")).and_then(|(_, one)| one.answers);
            Ok(json!({"node": {"replyTo": answered.map(|id| json!({"id": format!("DC_{id}")}))}}))
        } else {
            Ok(json!({"node": self.node(&state, variable("id"))}))
        };
        drop(state);
        if let Some((number, comment)) = added {
            self.deliver_discussion_comment(number, &comment, "created", &self.bot());
        }
        told(data)
    }

    fn add(
        &self,
        state: &mut State,
        discussion: Option<&str>,
        body: Option<&str>,
        answers: Option<&str>,
    ) -> Result<(u64, DiscussionComment), Said> {
        let number =
            state.discussions.iter().find(|one| Some(one.node().as_str()) == discussion).ok_or(MISSING)?.number;
        let below = match answers {
            None => None,
            Some(node) => Some(comment(state, Some(node)).map(|(_, one)| one).ok_or(MISSING)?.clone()),
        };
        if below.as_ref().is_some_and(|one| one.answers.is_some()) {
            return Err(("UNPROCESSABLE", "Parent comment is already in a thread, cannot reply to it"));
        }
        let body = body.filter(|body| !body.trim().is_empty()).ok_or(("UNPROCESSABLE", "Body can't be blank"))?;
        let login = &self.options.bot_login;
        let added = state.add_discussion_comment(number, login, true, body, below.map(|one| one.id));
        added.map(|comment| (number, comment)).ok_or(MISSING)
    }

    fn node(&self, state: &State, id: Option<&str>) -> Value {
        let shown = |one: &DiscussionComment| {
            json!({"id": one.node(), "body": one.body, "createdAt": objects::time(one.at_s), "viewerDidAuthor": one.is_bot,
                "author": {"login": one.author}})
        };
        let answers = |discussion: &Discussion, id: u64| {
            let below = discussion.comments.iter().filter(|one| one.answers == Some(id));
            json!({"nodes": below.map(shown).collect::<Vec<_>>(), "pageInfo": {"hasPreviousPage": false, "startCursor": null}})
        };
        if let Some(discussion) = state.discussions.iter().find(|one| Some(one.node().as_str()) == id) {
            let top = discussion.comments.iter().filter(|one| one.answers.is_none()).map(|one| {
                let mut shown = shown(one);
                if let Some(shown) = shown.as_object_mut() {
                    shown.insert("replies".into(), answers(discussion, one.id));
                }
                shown
            });
            return json!({"title": discussion.title, "body": discussion.body, "createdAt": objects::time(discussion.at_s),
                "viewerDidAuthor": false, "author": {"login": discussion.author},
                "comments": {"nodes": top.collect::<Vec<_>>(), "pageInfo": {"hasPreviousPage": false, "startCursor": null}}});
        }
        match comment(state, id) {
            Some((discussion, one)) => json!({"comments": answers(discussion, one.id)}),
            None => Value::Null,
        }
    }
}

/// The type of an error, and what it says.
type Said = (&'static str, &'static str);

const MISSING: Said = ("NOT_FOUND", "Could not resolve to a node with the global id");

/// Errors come with status 200.
fn told(data: Result<Value, Said>) -> Answer {
    Ok((
        StatusCode::OK,
        match data {
            Ok(data) => json!({"data": data}),
            Err((kind, message)) => json!({"data": null, "errors": [{"type": kind, "message": message}]}),
        },
    ))
}

fn comment<'a>(state: &'a State, id: Option<&str>) -> Option<(&'a Discussion, &'a DiscussionComment)> {
    let mut all = state.discussions.iter().flat_map(|one| one.comments.iter().map(move |comment| (one, comment)));
    all.find(|(_, comment)| Some(comment.node().as_str()) == id)
}

fn comment_mut<'a>(state: &'a mut State, id: Option<&str>) -> Option<&'a mut DiscussionComment> {
    let mut all = state.discussions.iter_mut().flat_map(|one| &mut one.comments);
    all.find(|comment| Some(comment.node().as_str()) == id)
}

fn update(state: &mut State, id: Option<&str>, body: Option<&str>) -> Result<Value, Said> {
    let comment = comment_mut(state, id).ok_or(MISSING)?;
    if !comment.is_bot {
        return Err(("FORBIDDEN", "viewer cannot update this comment"));
    }
    let body = body.filter(|body| !body.trim().is_empty()).ok_or(("UNPROCESSABLE", "Body can't be blank"))?;
    let before = std::mem::replace(&mut comment.body, body.to_owned());
    comment.history.push(before);
    Ok(json!({"updateDiscussionComment": {"comment": {"id": comment.node()}}}))
}

fn react_to(state: &mut State, id: Option<&str>, content: Option<&str>) -> Result<Value, Said> {
    let name = match content {
        Some("THUMBS_UP") => "+1",
        Some("THUMBS_DOWN") => "-1",
        Some("LAUGH") => "laugh",
        Some("CONFUSED") => "confused",
        Some("HEART") => "heart",
        Some("HOORAY") => "hooray",
        Some("ROCKET") => "rocket",
        Some("EYES") => "eyes",
        _ => return Err(("UNPROCESSABLE", "no such content")),
    };
    let reactions = match state.discussions.iter_mut().position(|one| Some(one.node().as_str()) == id) {
        Some(index) => state.discussions.get_mut(index).map(|one| &mut one.reactions),
        None => comment_mut(state, id).map(|one| &mut one.reactions),
    };
    let _ = react(reactions.ok_or(MISSING)?, &json!({"content": name}));
    Ok(json!({"addReaction": {"reaction": {"content": content}}}))
}
