//! What tools may ask of a workspace besides the thread they are in: channels, what is said there, people, pins.
//!
//! It says what is so and decides nothing: who may read or write where is decided by whoever calls it.

use reveille_channel::ReplyError;
use reveille_channel::links::Links;
use serde_json::{Map, Value, json};

use crate::api::{Api, Repeat};
use crate::normalise::time_ms;
use crate::own::Own;
use crate::{render, text};

/// The `event_type` of messages that a tool posted.
const METADATA: &str = "reveille_call";

/// The most bytes of CommonMark that one message takes.
pub const MOST_BYTES: usize = crate::MESSAGE_BYTES;

/// Items of one page.
const PAGE: u32 = 200;

/// Calls to a workspace, as the bot.
#[derive(Debug, Clone, Copy)]
pub struct Workspace<'a> {
    pub(crate) api: &'a Api,
    pub(crate) own: &'a Own,
    pub(crate) links: &'a Links,
}

/// A channel ("Conversation object").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// Its id.
    pub id: String,
    /// Its name, without `#`.
    pub name: String,
    /// What it is about at the moment.
    pub topic: String,
    /// What it is for.
    pub purpose: String,
    /// How many are in it, where Slack says.
    pub members: Option<u64>,
    /// Everybody in the workspace may read it: a channel that is neither private nor somebody's conversation.
    pub is_public: bool,
    /// The bot is in it.
    pub is_joined: bool,
    /// It is shared with other organisations.
    pub is_shared: bool,
    /// Nothing can be said there any more.
    pub is_archived: bool,
}

/// Something that was said in a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its id and time.
    pub ts: String,
    /// Who said it: an id.
    pub author: String,
    /// What, as CommonMark.
    pub text: String,
    /// When, milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// How many answers it has in its thread.
    pub replies: u64,
}

/// A person ("User object"). Their address is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Their id.
    pub id: String,
    /// What people call them.
    pub name: String,
    /// What they do.
    pub title: String,
    /// Where their clock is, such as `Europe/Berlin`.
    pub time_zone: String,
    /// What they say of their day, such as that they are away.
    pub status: String,
    /// A program.
    pub is_bot: bool,
}

/// Something that is kept at hand in a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bookmark {
    /// Its title.
    pub title: String,
    /// Where it leads.
    pub link: String,
}

type Object = Map<String, Value>;

impl Workspace<'_> {
    /// The public channels that are in use, at most `limit`.
    ///
    /// # Errors
    /// What to do next: see [`ReplyError`].
    pub async fn public_channels(&self, limit: usize) -> Result<Vec<Conversation>, ReplyError> {
        let arguments = [("types", json!("public_channel")), ("exclude_archived", json!(true))];
        let found = self.pages("conversations.list", "channels", &arguments, limit).await?;
        Ok(found.iter().filter_map(conversation).filter(|one| one.is_public && !one.is_archived).collect())
    }

    /// A channel by its id.
    ///
    /// # Errors
    /// [`ReplyError::Gone`] when there is none that the bot knows.
    pub async fn channel(&self, id: &str) -> Result<Conversation, ReplyError> {
        let arguments = [("channel", json!(id)), ("include_num_members", json!(true))];
        let answer = self.ask("conversations.info", &arguments).await?;
        let found = answer.get("channel").and_then(Value::as_object).and_then(conversation);
        found.ok_or_else(|| ReplyError::Refused("conversations.info: the answer names no channel".into()))
    }

    /// What was said in a channel lately, outside of threads, the oldest first.
    ///
    /// # Errors
    /// What to do next: see [`ReplyError`].
    pub async fn history(&self, channel: &str, limit: u32) -> Result<Vec<Said>, ReplyError> {
        let arguments = [("channel", json!(channel)), ("limit", json!(limit.clamp(1, PAGE)))];
        let answer = self.ask("conversations.history", &arguments).await?;
        let mut said: Vec<Said> = objects(&answer, "messages").filter_map(said).collect();
        said.sort_by(|one, other| one.ts.cmp(&other.ts));
        Ok(said)
    }

    /// The latest messages of a thread, the oldest first, its root among them where it is one of those.
    ///
    /// # Errors
    /// [`ReplyError::Gone`] when there is no such thread.
    pub async fn thread(&self, channel: &str, thread_ts: &str, limit: usize) -> Result<Vec<Said>, ReplyError> {
        let all = crate::readback::messages(self.api, channel, Some(thread_ts), None).await?;
        let mut said: Vec<Said> = all.iter().filter_map(said).collect();
        said.sort_by(|one, other| one.ts.cmp(&other.ts));
        let surplus = said.len().saturating_sub(limit);
        said.drain(..surplus);
        Ok(said)
    }

    /// What is pinned in a channel.
    ///
    /// # Errors
    /// What to do next: see [`ReplyError`].
    pub async fn pins(&self, channel: &str) -> Result<Vec<Said>, ReplyError> {
        let answer = self.ask("pins.list", &[("channel", json!(channel))]).await?;
        Ok(objects(&answer, "items").filter_map(|item| item.get("message")?.as_object()).filter_map(said).collect())
    }

    /// What is bookmarked in a channel.
    ///
    /// # Errors
    /// What to do next: see [`ReplyError`].
    pub async fn bookmarks(&self, channel: &str) -> Result<Vec<Bookmark>, ReplyError> {
        let answer = self.ask("bookmarks.list", &[("channel_id", json!(channel))]).await?;
        let bookmark = |one: &Object| {
            Some(Bookmark { title: string(one, "title")?, link: string(one, "link").unwrap_or_default() })
        };
        Ok(objects(&answer, "bookmarks").filter_map(bookmark).collect())
    }

    /// A person by their id.
    ///
    /// # Errors
    /// What to do next: see [`ReplyError`].
    pub async fn person(&self, id: &str) -> Result<Person, ReplyError> {
        let answer = self.ask("users.info", &[("user", json!(id))]).await?;
        let user = answer.get("user").and_then(Value::as_object);
        let user = user.filter(|user| string(user, "id").as_deref() == Some(id));
        let user = user.ok_or_else(|| ReplyError::Refused("users.info: the answer is about somebody else".into()))?;
        let profile = user.get("profile").and_then(Value::as_object).cloned().unwrap_or_default();
        let filled = |one: Option<String>| one.filter(|text| !text.trim().is_empty());
        let name = filled(string(&profile, "display_name")).or(filled(string(&profile, "real_name")));
        Ok(Person {
            id: id.to_owned(),
            name: name.or(string(user, "name")).unwrap_or_default(),
            title: string(&profile, "title").unwrap_or_default(),
            time_zone: string(user, "tz").unwrap_or_default(),
            status: string(&profile, "status_text").unwrap_or_default(),
            is_bot: user.get("is_bot").and_then(Value::as_bool).unwrap_or(false),
        })
    }

    /// Posts a message into a channel, or below a message there. `key` makes it recognisable. Its id.
    ///
    /// # Errors
    /// [`ReplyError::Unknown`] when it may have been posted.
    pub async fn post(
        &self,
        channel: &str,
        thread_ts: Option<&str>,
        text: &str,
        key: &str,
    ) -> Result<String, ReplyError> {
        let mut arguments = Map::from_iter([("channel".to_owned(), json!(channel))]);
        arguments.extend(thread_ts.map(|thread_ts| ("thread_ts".to_owned(), json!(thread_ts))));
        arguments.insert("text".into(), json!(render::message(text, self.links)));
        arguments.insert("metadata".into(), json!({"event_type": METADATA, "event_payload": {"call": key}}));
        arguments.insert("parse".into(), json!("none"));
        arguments.insert("link_names".into(), json!(false));
        arguments.insert("unfurl_links".into(), json!(false));
        arguments.insert("unfurl_media".into(), json!(false));
        let answer = self.api.call("chat.postMessage", arguments, Repeat::Doubles).await?;
        crate::reply::ts_of("chat.postMessage", &answer)
    }

    /// Looks for a message of [`Workspace::post`] since a time. `None`: it certainly is not there.
    ///
    /// # Errors
    /// When that cannot be told.
    pub async fn find(
        &self,
        channel: &str,
        thread_ts: Option<&str>,
        key: &str,
        since_ms: i64,
    ) -> Result<Option<String>, ReplyError> {
        let found = crate::readback::messages(self.api, channel, thread_ts, Some(since_ms)).await?;
        let ids = self.own.ids();
        let is_it = |message: &&Object| {
            let metadata = message.get("metadata");
            let at = |pointer: &str| metadata.and_then(|it| it.pointer(pointer)).and_then(Value::as_str);
            crate::readback::is_own(message, &ids)
                && at("/event_type") == Some(METADATA)
                && at("/event_payload/call") == Some(key)
        };
        Ok(found.iter().find(is_it).and_then(|message| string(message, "ts")))
    }

    async fn ask(&self, method: &'static str, arguments: &[(&str, Value)]) -> Result<Object, ReplyError> {
        let arguments = arguments.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        self.api.call(method, arguments, Repeat::Harmless).await
    }

    async fn pages(
        &self,
        method: &'static str,
        name: &str,
        arguments: &[(&str, Value)],
        limit: usize,
    ) -> Result<Vec<Object>, ReplyError> {
        let (mut all, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let mut arguments = arguments.to_vec();
            arguments.push(("limit", json!(PAGE)));
            arguments.extend(cursor.take().map(|cursor| ("cursor", json!(cursor))));
            let answer = self.ask(method, &arguments).await?;
            let before = all.len();
            all.extend(objects(&answer, name).cloned());
            let next = answer.get("response_metadata").and_then(|page| page.get("next_cursor")).and_then(Value::as_str);
            match next.filter(|next| !next.is_empty()) {
                // A page may be empty and still not be the last one, but not for ever.
                Some(next) if all.len() < limit && (all.len() > before || before == 0) => {
                    cursor = Some(next.to_owned());
                }
                _ => break,
            }
        }
        all.truncate(limit);
        Ok(all)
    }
}

fn objects<'a>(answer: &'a Object, name: &str) -> impl Iterator<Item = &'a Object> + use<'a> {
    answer.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

fn string(object: &Object, name: &str) -> Option<String> {
    object.get(name).and_then(Value::as_str).map(ToOwned::to_owned)
}

/// What is not said to be public is not.
fn conversation(found: &Object) -> Option<Conversation> {
    let is = |name: &str| found.get(name).and_then(Value::as_bool);
    let about = |name: &str| {
        let text = found.get(name).and_then(|about| about.get("value")).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    let is_somebodys = is("is_private") != Some(false) || is("is_im") == Some(true) || is("is_mpim") == Some(true);
    Some(Conversation {
        id: string(found, "id")?,
        name: string(found, "name").unwrap_or_default(),
        topic: about("topic"),
        purpose: about("purpose"),
        members: found.get("num_members").and_then(Value::as_u64),
        is_public: is("is_channel") == Some(true) && !is_somebodys,
        is_joined: is("is_member").unwrap_or(false),
        is_shared: is("is_ext_shared").unwrap_or(false) || is("is_pending_ext_shared").unwrap_or(false),
        is_archived: is("is_archived").unwrap_or(false),
    })
}

fn said(message: &Object) -> Option<Said> {
    let ts = string(message, "ts")?;
    let (text, _) = text::read(&string(message, "text").unwrap_or_default(), None);
    Some(Said {
        author: string(message, "user").or_else(|| string(message, "bot_id")).unwrap_or_default(),
        text,
        at_ms: time_ms(&ts).unwrap_or(0),
        replies: message.get("reply_count").and_then(Value::as_u64).unwrap_or(0),
        ts,
    })
}
