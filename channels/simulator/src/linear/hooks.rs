//! Webhooks ("Webhooks"): signed, with the time in the body, tried again by the rule, and only in the categories that are on.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};

use super::Linear;
use super::graph::{ORGANIZATION, time};
use super::payload::{activity_of, actor, child, comment_child, issue_of, prompt_context, session_of, user, with};
use super::state::{Person, Role, now_ms, uuid};
use crate::deliver::{Delivered, hmac_hex, now};
use crate::lock;

/// "You must return a response from your webhook receiver within 5 seconds."
const DEADLINE: Duration = Duration::from_secs(5);

/// What happened, of which an app may be told.
#[derive(Debug, Clone)]
pub(crate) enum Hook {
    /// The application was removed from the workspace.
    Revoked,
    /// A session was begun.
    Created { session: String },
    /// Something was said in a session.
    Prompted { session: String, activity: String },
    /// A comment was written, changed or removed.
    Comment { id: String, action: &'static str },
    /// An issue was opened or changed.
    Issue { id: String, action: &'static str, before: Value },
    /// Somebody reacted to a comment.
    Reaction { comment: String, emoji: String, person: String },
}

/// All deliveries.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log(Arc<Mutex<Vec<Delivered>>>);

/// A body without its time, and the id under which it is delivered.
type Body = (Value, String);

impl Linear {
    /// Tells what happened.
    pub(crate) fn tell(&self, hooks: Vec<Hook>) {
        for hook in hooks {
            if let Some(body) = self.body(&hook) {
                self.log.send(self, body);
            }
        }
    }

    fn body(&self, hook: &Hook) -> Option<Body> {
        let mut state = lock(&self.state);
        let delivery = state.new_id(0xde);
        let state = &*state;
        let is_data = matches!(hook, Hook::Comment { .. } | Hook::Issue { .. } | Hook::Reaction { .. });
        let is_end = matches!(hook, Hook::Revoked);
        if (is_data && !self.options.data_changes) || (!is_data && !is_end && !self.options.sessions) {
            return None;
        }
        let about_app = |kind: &str, action: &str| {
            json!({ "type": kind, "action": action, "createdAt": time(now_ms()), "organizationId": ORGANIZATION,
                "oauthClientId": uuid(0xc, 1), "appUserId": state.app().id, "webhookId": uuid(0xb, 1) })
        };
        let change = |kind: &str, action: &str, person: Option<&Person>, data: Value, before: Option<&Value>| {
            json!({ "type": kind, "action": action, "createdAt": time(now_ms()), "organizationId": ORGANIZATION,
                "webhookId": uuid(0xb, 2), "actor": person.map(actor), "data": data, "updatedFrom": before })
        };
        let body = match hook {
            Hook::Revoked => about_app("OAuthApp", "revoked"),
            Hook::Created { session } => {
                let session = state.session(session)?;
                let context = json!(state.issue(&session.issue).map(prompt_context));
                let fields = [("agentSession", session_of(state, session)), ("promptContext", context)];
                with(about_app("AgentSessionEvent", "created"), fields)
            }
            Hook::Prompted { session, activity } => {
                let session = state.session(session)?;
                let (_, activity) = state.activity(activity)?;
                let said = activity_of(state, session, activity);
                let fields = [("agentSession", session_of(state, session)), ("agentActivity", said)];
                with(about_app("AgentSessionEvent", "prompted"), fields)
            }
            Hook::Comment { id, action } => {
                let (issue, comment) = state.comment(id)?;
                let author = state.user(&comment.author_id);
                let changed_ms = comment.at_ms + u64::try_from(comment.history.len()).unwrap_or(0);
                let fields = [
                    ("createdAt", json!(time(comment.at_ms))),
                    ("updatedAt", json!(time(changed_ms))),
                    ("parentId", json!(comment.parent)),
                    ("issue", child(issue)),
                    ("user", json!(author.map(user))),
                ];
                let data = with(comment_child(comment, issue), fields);
                let before = comment.history.last().filter(|_| *action == "update").map(|body| json!({ "body": body }));
                change("Comment", action, author, data, before.as_ref())
            }
            Hook::Issue { id, action, before } => {
                let issue = state.issue(id)?;
                let by =
                    if *action == "create" { state.user(&issue.creator_id).cloned() } else { Some(self.last_actor()) };
                let before = (*action == "update").then_some(before);
                change("Issue", action, by.as_ref(), issue_of(state, issue), before)
            }
            Hook::Reaction { comment, emoji, person } => {
                let (issue, on) = state.comment(comment)?;
                let by = state.person(person)?;
                let data = json!({ "id": delivery.replace("-8000-", "-9000-"), "emoji": emoji, "createdAt": time(now_ms()),
                    "updatedAt": time(now_ms()), "commentId": on.id, "comment": comment_child(on, issue), "userId": by.id, "user": user(by) });
                change("Reaction", "create", Some(by), data, None)
            }
        };
        Some((body, delivery))
    }

    /// Who changed an issue last.
    fn last_actor(&self) -> Person {
        let id = lock(&self.actor).clone();
        // The state is held by the caller: people do not change.
        self.people.iter().find(|person| person.id == id).cloned().unwrap_or(Person {
            id: uuid(super::state::APP, 5),
            name: self.options.app_name.clone(),
            role: Role::App,
        })
    }
}

impl Log {
    pub(crate) fn all(&self) -> Vec<Delivered> {
        lock(&self.0).clone()
    }

    /// Sends everything once more that was sent for the first time, under its old id.
    pub(crate) fn send_again(&self, linear: &Linear) {
        for one in self.all().into_iter().filter(|one| !one.is_again) {
            let body = serde_json::from_slice(&one.body).unwrap_or_default();
            let id = one.headers.iter().find(|(name, _)| name == "linear-delivery").map(|(_, id)| id.clone());
            self.start(linear, (body, id.unwrap_or_default()), true);
        }
    }

    fn send(&self, linear: &Linear, body: Body) {
        self.start(linear, body, false);
    }

    fn start(&self, linear: &Linear, (body, id): Body, is_again: bool) {
        let headers = vec![
            ("accept-charset".to_owned(), "utf-8".to_owned()),
            ("content-type".to_owned(), "application/json; charset=utf-8".to_owned()),
            ("linear-delivery".to_owned(), id),
            ("linear-event".to_owned(), body.get("type").and_then(Value::as_str).unwrap_or_default().to_owned()),
            ("user-agent".to_owned(), "Linear-Webhook".to_owned()),
        ];
        let body = with(body, [("webhookTimestamp", json!(now_ms()))]);
        let index = {
            let mut log = lock(&self.0);
            let raw = Bytes::from(body.to_string());
            log.push(Delivered {
                body: raw,
                headers: headers.clone(),
                path: linear.webhook_path(),
                status: None,
                answer: Bytes::new(),
                tries: 0,
                is_again,
                at_s: now().0,
            });
            log.len() - 1
        };
        let (log, linear) = (self.clone(), linear.clone());
        let stop = linear.shared.stop.clone();
        linear.shared.tasks.clone().spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = log.deliver(&linear, body, &headers, index) => {}
            }
        });
    }

    async fn deliver(&self, linear: &Linear, body: Value, headers: &[(String, String)], index: usize) {
        for number in 0..=linear.options.retries.len() {
            if let Some(wait) = number.checked_sub(1).and_then(|before| linear.options.retries.get(before)) {
                tokio::time::sleep(*wait).await;
            }
            // "Unix timestamp in milliseconds when the webhook was sent": of this try.
            let raw = with(body.clone(), [("webhookTimestamp", json!(now_ms()))]).to_string();
            let base = lock(&linear.shared.deliver_to).clone();
            let Ok(url) = base.join(&linear.webhook_path()) else {
                return;
            };
            let signature = hmac_hex(&linear.options.webhook_secret, &[raw.as_bytes()]);
            let mut request = linear.shared.http.post(url).timeout(DEADLINE).header("linear-signature", signature);
            for (name, value) in headers {
                request = request.header(name, value);
            }
            let (status, answer) = match request.body(raw).send().await {
                Ok(answer) => (Some(answer.status().as_u16()), answer.bytes().await.unwrap_or_default()),
                Err(error) => {
                    tracing::debug!(error = %error.without_url(), "a delivery had no answer");
                    (None, Bytes::new())
                }
            };
            if let Some(delivered) = lock(&self.0).get_mut(index) {
                delivered.status = status;
                delivered.answer = answer;
                delivered.tries += 1;
            }
            linear.shared.touch();
            // "... responds with a non-200 HTTP status": 200 alone is success.
            if status == Some(200) {
                return;
            }
        }
    }
}
