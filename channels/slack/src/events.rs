//! The Events API: messages, their edits and deletions, reactions, the assistant's pane and its stop button, the app's Home, the
//! app's end.
//!
//! An `app_mention` also comes as a `message`, and either may come first: both have the message's own place and time as
//! their first key, so they are one event, and a message that mentions us is a mention whichever it came as. An edit or a
//! deletion is an event of the thread of the message it changes, and names that message.

use reveille_channel::{Actor, ActorKind, Change, Event, Inbound, Kind, Malformed};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::courtesy::Courtesy;
use crate::normalise::{Reader, is_direct, owned, time_ms};
use crate::own::Ids;
use crate::payload::{AssistantEvent, Envelope, HomeEvent, Message, MessageEvent, ReactionEvent, StoppedEvent};
use crate::place::Place;
use crate::{files, text};

/// Subtypes of `message` that are somebody's words ("message event": subtypes).
const WORDS: [&str; 4] = ["file_share", "thread_broadcast", "me_message", "bot_message"];

/// Somebody's words have to be whole; what else happens may lack something.
const NOT_WHOLE: &str = "an event that lacks a part";

/// What is said of a delivery outside of its event.
struct Delivery<'a> {
    reader: Reader<'a>,
    team: Option<String>,
    app: Option<String>,
    event_id: Option<String>,
    event_time: Option<i64>,
    ids: Ids,
}

pub(crate) fn read(reader: Reader<'_>, envelope: Envelope) -> Result<Inbound, Malformed> {
    let event = envelope.event.ok_or_else(|| Malformed::new("event_callback has no event"))?;
    let name = event.get("type").and_then(Value::as_str).ok_or_else(|| Malformed::new("the event has no type"))?;
    let name = name.to_owned();
    let known = reader.own.ids();
    let told = envelope.authorizations.iter().find(|one| one.is_bot == Some(true)).and_then(|one| one.user_id.clone());
    let authorized = envelope.authorizations.into_iter().find_map(|one| one.team_id);
    let delivery = Delivery {
        reader,
        team: reader.team.map(ToOwned::to_owned).or(envelope.team_id).or(envelope.context_team_id).or(authorized),
        app: envelope.api_app_id,
        event_id: envelope.event_id,
        event_time: envelope.event_time,
        ids: Ids { user: known.user.or(told), ..known },
    };
    match name.as_str() {
        "app_mention" | "message" => delivery.message(&name, typed(event)?),
        "reaction_added" | "reaction_removed" => delivery.reaction(&name, typed(event)?),
        "assistant_thread_started" | "assistant_thread_context_changed" => delivery.assistant(&name, typed(event)?),
        "agent_session_stopped" => delivery.stopped(&name, typed(event)?),
        "app_home_opened" => delivery.home(&typed(event)?),
        "app_uninstalled" => delivery.lifecycle(&name, Change::Removed),
        "tokens_revoked" if !revokes_ours(&event) => {
            Ok(Inbound::Ignored { reason: "tokens of people were revoked, and none of ours" })
        }
        "tokens_revoked" => delivery.lifecycle(&name, Change::Revoked),
        _ => Ok(Inbound::Ignored { reason: "a type of event that is not acted upon" }),
    }
}

/// "tokens_revoked event": whose tokens, by kind. One that names none says that all are gone.
fn revokes_ours(event: &Value) -> bool {
    let some = |kind: &str| event.pointer(kind).and_then(Value::as_array).is_some_and(|users| !users.is_empty());
    some("/tokens/bot") || !some("/tokens/oauth")
}

fn typed<T: DeserializeOwned>(event: Value) -> Result<T, Malformed> {
    serde_json::from_value(event).map_err(|_| Malformed::new("a field of the event is not of its documented type"))
}

impl Delivery<'_> {
    fn team(&self) -> Result<&str, Malformed> {
        self.team.as_deref().ok_or_else(|| Malformed::new("the delivery has no team_id"))
    }

    /// The event's own key first, then Slack's id of the delivery.
    fn keys(&self, own: String) -> Result<Vec<String>, Malformed> {
        let team = self.team()?;
        Ok(std::iter::once(own).chain(self.event_id.iter().map(|id| format!("event:{team}:{id}"))).collect())
    }

    fn occurred_at_ms(&self, ts: Option<&str>) -> i64 {
        let told = self.event_time.map(|seconds| seconds.saturating_mul(1_000));
        ts.and_then(time_ms).or(told).unwrap_or(self.reader.received_at_ms)
    }

    fn message(&self, name: &str, event: MessageEvent) -> Result<Inbound, Malformed> {
        match event.subtype.as_deref() {
            Some("message_changed") => return self.edited(event),
            Some("message_deleted") => return self.deleted(&event),
            Some(subtype) if !WORDS.contains(&subtype) => {
                return Ok(Inbound::Ignored { reason: "a subtype of message that is not acted upon" });
            }
            _ => {}
        }
        let is_bot_message = event.subtype.as_deref() == Some("bot_message");
        let message = event.itself;
        if self.is_own(&message) {
            return Ok(Inbound::Ignored { reason: "our own post" });
        }
        let team = self.team()?;
        let channel = event.channel.ok_or_else(|| Malformed::new("the event has no channel"))?;
        let ts = message.ts.clone().ok_or_else(|| Malformed::new("the event has no ts"))?;
        let in_direct = event.channel_type.as_deref() == Some("im") || is_direct(&channel);
        let raw_text = message.text.clone().unwrap_or_default();
        let kind = if name == "app_mention" || (!in_direct && self.calls_us(&raw_text)) {
            Kind::Mention
        } else {
            let in_thread = message.thread_ts.as_ref().is_some_and(|thread| *thread != ts);
            Kind::Message { direct: in_direct, in_thread }
        };
        let actor = self.actor(&message, team, is_bot_message)?;
        let mut keys = self.keys(format!("message:{team}:{channel}:{ts}"))?;
        keys.extend(message.client_msg_id.as_ref().map(|id| format!("client:{team}:{id}")));
        let event = self.of_message(name, kind, team, &channel, &ts, &message, actor, keys)?;
        if in_direct {
            self.reader.courtesies.name_thread(self.reader.workspace, &event);
        }
        Ok(Inbound::Events(vec![event]))
    }

    /// "message_changed": somebody changed a message. Previews that came in, replies that were counted and our own edits
    /// come as the same.
    fn edited(&self, event: MessageEvent) -> Result<Inbound, Malformed> {
        let Some(message) = event.message else {
            return Ok(Inbound::Ignored { reason: NOT_WHOLE });
        };
        if self.is_own(&message) {
            return Ok(Inbound::Ignored { reason: "our own post" });
        }
        let team = self.team()?;
        let channel = event.channel.ok_or_else(|| Malformed::new("the event has no channel"))?;
        let ts = message.ts.clone().ok_or_else(|| Malformed::new("the message has no ts"))?;
        // A root that has replies is not deleted but emptied.
        if message.inner_subtype.as_deref() == Some("tombstone") {
            let before = event.previous_message.unwrap_or(message);
            return self.gone(team, &channel, &ts, &before);
        }
        let before = event.previous_message.and_then(|before| before.text);
        let Some(edit) = message.edited.clone().filter(|_| before.is_none() || before != message.text) else {
            return Ok(Inbound::Ignored { reason: "a change of a message that is none of its text" });
        };
        let at = edit.ts.or(event.event_ts).unwrap_or_default();
        // Who changed it, by Slack's word: not who wrote it.
        let editor = Message { user: edit.user.or(message.user.clone()), ..message.clone() };
        let actor = self.actor(&editor, team, false)?;
        let keys = self.keys(format!("edit:{team}:{channel}:{ts}:{at}"))?;
        let event = self.of_message("message_changed", Kind::Edited, team, &channel, &ts, &message, actor, keys)?;
        Ok(Inbound::Events(vec![Event { occurred_at_ms: self.occurred_at_ms(Some(&at)), ..event }]))
    }

    fn deleted(&self, event: &MessageEvent) -> Result<Inbound, Malformed> {
        let team = self.team()?;
        let channel = event.channel.as_deref().ok_or_else(|| Malformed::new("the event has no channel"))?;
        let before = event.previous_message.clone().unwrap_or_default();
        let Some(ts) = event.deleted_ts.as_ref().or(before.ts.as_ref()) else {
            return Ok(Inbound::Ignored { reason: NOT_WHOLE });
        };
        self.gone(team, channel, ts, &before)
    }

    /// Slack does not say who deleted a message: it counts as its author's doing.
    fn gone(&self, team: &str, channel: &str, ts: &str, before: &Message) -> Result<Inbound, Malformed> {
        if self.is_own(before) {
            return Ok(Inbound::Ignored { reason: "our own post" });
        }
        if before.user.is_none() && before.bot_id.is_none() {
            return Ok(Inbound::Ignored { reason: "a deleted message of nobody" });
        }
        let actor = self.actor(before, team, false)?;
        let keys = self.keys(format!("deletion:{team}:{channel}:{ts}"))?;
        let mut event = self.of_message("message_deleted", Kind::Deleted, team, channel, ts, before, actor, keys)?;
        event.text.clear();
        event.attachments.clear();
        event.mentions.clear();
        event.occurred_at_ms = self.occurred_at_ms(None);
        Ok(Inbound::Events(vec![event]))
    }

    #[expect(clippy::too_many_arguments, reason = "each is a part of one event, and all are needed")]
    fn of_message(
        &self,
        name: &str,
        kind: Kind,
        team: &str,
        channel: &str,
        ts: &str,
        message: &Message,
        actor: Actor,
        keys: Vec<String>,
    ) -> Result<Event, Malformed> {
        let root = message.thread_ts.as_deref().unwrap_or(ts);
        let root_author = if root == ts { message.user.as_ref() } else { message.parent_user_id.as_ref() };
        self.note_root(channel, root, root_author);
        let mut thread = self.reader.thread(team, channel, root);
        // A stream in a channel has to name the workspace of the person it is for.
        if let (ActorKind::External, Some(home)) = (actor.kind, home_of(message)) {
            thread.location.insert("author_team".into(), home.to_owned());
        }
        let (text, mentions) = text::read(message.text.as_deref().unwrap_or_default(), self.ids.user.as_deref());
        let event = self.reader.event(name, kind, thread, actor, keys)?;
        Ok(Event {
            text,
            mentions,
            attachments: message.files.iter().map(|file| files::attachment(self.reader.api, file)).collect(),
            message: Some(ts.to_owned()),
            occurred_at_ms: self.occurred_at_ms(Some(ts)),
            ..event
        })
    }

    /// "reaction_added event". Slack names the message and not its thread: a message that is no root is taken for one.
    fn reaction(&self, name: &str, event: ReactionEvent) -> Result<Inbound, Malformed> {
        let (Some(user), Some(emoji), Some(item)) = (event.user, event.reaction, event.item) else {
            return Ok(Inbound::Ignored { reason: NOT_WHOLE });
        };
        let (Some("message"), Some(channel), Some(ts)) = (item.kind.as_deref(), item.channel, item.ts) else {
            return Ok(Inbound::Ignored { reason: "a reaction to something that is no message" });
        };
        if self.ids.user.as_ref() == Some(&user) {
            return Ok(Inbound::Ignored { reason: "our own reaction" });
        }
        let team = self.team()?;
        self.note_root(&channel, &ts, event.item_user.as_ref());
        let at = event.event_ts.unwrap_or_default();
        let keys = self.keys(format!("reaction:{team}:{channel}:{ts}:{user}:{name}:{emoji}:{at}"))?;
        let kind = if name == "reaction_added" { Kind::Reaction { emoji: emoji.clone() } } else { Kind::Other };
        let actor = Actor { name: user.clone(), id: user, kind: ActorKind::Human };
        let mut event = self.reader.event(name, kind, self.reader.thread(team, &channel, &ts), actor, keys)?;
        event.facts.insert("emoji".into(), emoji);
        event.message = Some(ts);
        event.occurred_at_ms = self.occurred_at_ms(Some(&at).filter(|at| !at.is_empty()).map(String::as_str));
        Ok(Inbound::Events(vec![event]))
    }

    /// The assistant's pane was opened, or the person looks at something else beside it.
    fn assistant(&self, name: &str, event: AssistantEvent) -> Result<Inbound, Malformed> {
        let Some(thread_of) = event.assistant_thread else {
            return Ok(Inbound::Ignored { reason: NOT_WHOLE });
        };
        let (Some(user), Some(channel), Some(ts)) = (thread_of.user_id, thread_of.channel_id, thread_of.thread_ts)
        else {
            return Ok(Inbound::Ignored { reason: NOT_WHOLE });
        };
        if name == "assistant_thread_started" {
            self.reader.offer(Courtesy::Prompts { channel: channel.clone(), thread_ts: ts.clone() });
        }
        let team = self.team()?;
        let at = event.event_ts.unwrap_or_default();
        let keys = self.keys(format!("assistant:{team}:{channel}:{ts}:{name}:{at}"))?;
        let actor = Actor { name: user.clone(), id: user, kind: ActorKind::Human };
        let mut event = self.reader.event(name, Kind::Other, self.reader.thread(team, &channel, &ts), actor, keys)?;
        if let Some(looks_at) = thread_of.context.and_then(|context| context.channel_id) {
            event.facts.insert("context_channel".into(), looks_at);
        }
        Ok(Inbound::Events(vec![event]))
    }

    /// "agent_session_stopped event": somebody pressed the stop button that Slack shows while an answer is under way. The app
    /// has to say by itself that it does not work any more.
    fn stopped(&self, name: &str, event: StoppedEvent) -> Result<Inbound, Malformed> {
        let (Some(user), Some(channel), Some(thread_ts)) = (event.user, event.channel, event.thread_ts) else {
            return Ok(Inbound::Ignored { reason: NOT_WHOLE });
        };
        let idle = Courtesy::Idle { channel: channel.clone(), thread_ts: thread_ts.clone() };
        self.reader.offer(idle);
        let team = self.team()?;
        let at = event.event_ts.unwrap_or_default();
        let keys = self.keys(format!("stop:{team}:{channel}:{thread_ts}:{user}:{at}"))?;
        let actor = Actor { name: user.clone(), id: user, kind: ActorKind::Human };
        let thread = self.reader.thread(team, &channel, &thread_ts);
        let mut event = self.reader.event(name, Kind::Stop, thread, actor, keys)?;
        event.occurred_at_ms = self.occurred_at_ms(Some(&at).filter(|at| !at.is_empty()).map(String::as_str));
        Ok(Inbound::Events(vec![event]))
    }

    fn home(&self, event: &HomeEvent) -> Result<Inbound, Malformed> {
        if let (Some(user), Some("home") | None) = (&event.user, event.tab.as_deref()) {
            self.reader.offer(Courtesy::Home { user: user.clone() });
        }
        Ok(Inbound::Ignored { reason: "the app's Home is published" })
    }

    /// "app_uninstalled event", "tokens_revoked event": nobody in particular did it, in no thread.
    fn lifecycle(&self, name: &str, change: Change) -> Result<Inbound, Malformed> {
        let team = self.team()?;
        tracing::warn!(connection = self.reader.connection, team, name, "the app may not be used there any more");
        let at = self.event_time.unwrap_or_default();
        let keys = self.keys(format!("lifecycle:{team}:{name}:{at}"))?;
        let thread = reveille_channel::ThreadRef {
            installation: team.to_owned(),
            key: "installation".into(),
            location: owned([("team", team)]),
            display: "the workspace".into(),
        };
        let actor = Actor { id: team.to_owned(), name: "Slack".into(), kind: ActorKind::Bot };
        let event = self.reader.event(name, Kind::Lifecycle { change }, thread, actor, keys)?;
        Ok(Inbound::Events(vec![Event { occurred_at_ms: self.occurred_at_ms(None), ..event }]))
    }

    /// A thread below somebody else's message was not opened by us: nobody has to be asked about it.
    fn note_root(&self, channel: &str, root: &str, author: Option<&String>) {
        if let (Some(author), Some(own)) = (author, &self.ids.user)
            && author != own
        {
            self.reader.memory.set_plain(Place { channel: channel.to_owned(), thread_ts: Some(root.to_owned()) });
        }
    }

    fn calls_us(&self, text: &str) -> bool {
        let user = self.ids.user.as_ref();
        user.is_some_and(|user| text.contains(&format!("<@{user}>")) || text.contains(&format!("<@{user}|")))
    }

    /// Whether we posted it. By ids alone: a name can be anybody's.
    fn is_own(&self, message: &Message) -> bool {
        let same = |a: &Option<String>, b: Option<&str>| a.is_some() && a.as_deref() == b;
        same(&message.user, self.ids.user.as_deref())
            || same(&message.bot_id, self.ids.bot.as_deref())
            || (message.bot_id.is_some() && same(&message.app_id, self.app.as_deref()))
    }

    /// The signed author. A name that a program gives itself is not looked at.
    fn actor(&self, message: &Message, team: &str, is_bot_message: bool) -> Result<Actor, Malformed> {
        let is_bot = message.bot_id.is_some() || is_bot_message;
        let id = if is_bot { message.bot_id.clone().or(message.user.clone()) } else { message.user.clone() };
        let id = id.ok_or_else(|| Malformed::new("the event names nobody"))?;
        let kind = match home_of(message) {
            _ if is_bot => ActorKind::Bot,
            Some(home) if home != team && !home.starts_with('E') => ActorKind::External,
            _ => ActorKind::Human,
        };
        Ok(Actor { name: id.clone(), id, kind })
    }
}

/// The author's workspace.
fn home_of(message: &Message) -> Option<&str> {
    message.user_team.as_deref().or(message.source_team.as_deref()).or(message.team.as_deref())
}
