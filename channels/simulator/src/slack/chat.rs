//! Messages as the app makes them: posts, edits, streams, reactions, and reading them back.

use serde_json::{Value, json};

use super::api::{Answer, Arguments, place, text};
use super::chunk::{self, Chunks};
use super::{DIRECT, Message, PEOPLE, State, home_of, message, put};

/// "chat.postMessage": text is cut off beyond; the simulator refuses.
const TEXT_MAX: usize = 40_000;

/// "chat.update", `msg_too_long`: an edit's text takes less than a post's.
const EDITED_TEXT_MAX: usize = 4_000;

/// "chat.startStream": `markdown_text` holds 12,000 characters at most; a whole stream takes about as many.
const MARKDOWN_MAX: usize = 12_000;

/// A stream is closed about five minutes after it was started, whatever flows.
const STREAM_SECONDS: u64 = 300;

impl State {
    pub(super) fn post(&mut self, arguments: &Arguments) -> Result<Message, &'static str> {
        // "chat.postMessage": a person's id stands for the direct message with them.
        let is_person = |id: &&str| PEOPLE.iter().any(|one| one.id == *id);
        let channel = match text(arguments, "channel").filter(is_person) {
            Some(_) => DIRECT.to_owned(),
            None => place(arguments)?.to_owned(),
        };
        let body = text(arguments, "markdown_text").or_else(|| text(arguments, "text")).filter(|body| !body.is_empty());
        let body = body.ok_or("no_text")?.to_owned();
        if body.chars().count() > TEXT_MAX {
            return Err("msg_too_long");
        }
        let ts = self.new_ts();
        let thread_ts = text(arguments, "thread_ts").unwrap_or(&ts).to_owned();
        let mut posted = message(&channel, &ts, &thread_ts, home_of(&channel).bot_user, true, &body);
        posted.metadata = arguments.get("metadata").cloned();
        posted.blocks = arguments.get("blocks").cloned();
        let quiet = ["unfurl_links", "unfurl_media"].iter().all(|name| arguments.get(*name) == Some(&json!(false)));
        self.notice(&body, !quiet);
        self.messages.push(posted.clone());
        Ok(posted)
    }

    pub(super) fn update(&mut self, arguments: &Arguments) -> Answer {
        let filled = |name| text(arguments, name).filter(|body| !body.is_empty());
        let (body, most) = match (filled("markdown_text"), filled("text")) {
            (Some(_), Some(_)) => return Err("markdown_text_conflict"),
            (Some(body), None) => (body.to_owned(), MARKDOWN_MAX),
            (None, Some(body)) => (body.to_owned(), EDITED_TEXT_MAX),
            (None, None) => return Err("no_text"),
        };
        if body.chars().count() > most {
            return Err("msg_too_long");
        }
        let metadata = arguments.get("metadata").cloned();
        // An edit that brings a link gets no preview.
        self.notice(&body, false);
        let found = self.message(arguments)?;
        if !found.is_bot {
            return Err("cant_update_message");
        }
        if found.is_streaming {
            return Err("streaming_state_conflict");
        }
        let before = std::mem::replace(&mut found.text, body);
        found.history.push(before);
        // "If the text argument is provided and blocks are not provided, the blocks will be removed."
        found.blocks = arguments.get("blocks").cloned();
        if metadata.is_some() {
            found.metadata = metadata;
        }
        Ok(json!({"channel": found.channel, "ts": found.ts, "text": found.text}))
    }

    pub(super) fn start_stream(&mut self, arguments: &Arguments) -> Result<Message, &'static str> {
        let channel = place(arguments)?.to_owned();
        let thread_ts = text(arguments, "thread_ts").ok_or("invalid_arguments")?.to_owned();
        let in_channel = !channel.starts_with('D');
        if in_channel && text(arguments, "recipient_user_id").is_none() {
            return Err("missing_recipient_user_id");
        }
        if in_channel && text(arguments, "recipient_team_id").is_none() {
            return Err("missing_recipient_team_id");
        }
        let body = text(arguments, "markdown_text").unwrap_or_default().to_owned();
        if body.chars().count() > MARKDOWN_MAX {
            return Err("msg_too_long");
        }
        self.notice(&body, true);
        let ts = self.new_ts();
        let mut started = message(&channel, &ts, &thread_ts, home_of(&channel).bot_user, true, &body);
        started.is_streaming = true;
        self.messages.push(started.clone());
        Ok(started)
    }

    pub(super) fn append_stream(&mut self, arguments: &Arguments) -> Answer {
        let chunks = Chunks::read(arguments.get("chunks"))?;
        let more = text(arguments, "markdown_text").filter(|more| !more.is_empty());
        let more = match (more, &chunks) {
            (Some(_), Some(_)) => return Err("markdown_text_conflict"),
            (Some(more), None) => more.to_owned(),
            (None, Some(chunks)) => chunks.text.clone(),
            (None, None) => return Err("no_text"),
        };
        let found = self.stream(arguments)?;
        if found.text.chars().count() + more.chars().count() > MARKDOWN_MAX {
            return Err("msg_too_long");
        }
        found.history.push(found.text.clone());
        found.text.push_str(&more);
        if let Some(chunks) = chunks {
            chunks.apply(found)?;
        }
        let whole = found.text.clone();
        self.notice(&whole, true);
        let found = self.message(arguments)?;
        Ok(json!({"channel": found.channel, "ts": found.ts}))
    }

    pub(super) fn stop_stream(&mut self, arguments: &Arguments) -> Result<Message, &'static str> {
        let more = text(arguments, "markdown_text").unwrap_or_default().to_owned();
        let metadata = arguments.get("metadata").cloned();
        let blocks = arguments.get("blocks").cloned();
        if blocks.as_ref().is_some_and(|blocks| !chunk::are_feedback(blocks)) {
            return Err("invalid_blocks");
        }
        let found = self.stream(arguments)?;
        found.blocks = blocks;
        if found.text.chars().count() + more.chars().count() > MARKDOWN_MAX {
            return Err("msg_too_long");
        }
        found.history.push(found.text.clone());
        found.text.push_str(&more);
        found.is_streaming = false;
        found.metadata = metadata;
        let stopped = found.clone();
        self.notice(&stopped.text, true);
        Ok(stopped)
    }

    /// What a text does besides being read: people it notifies, and addresses that are fetched for a preview.
    fn notice(&mut self, text: &str, unfurls: bool) {
        let notifies = ["<!here", "<!channel", "<!everyone", "<!subteam", "<@"].iter().any(|sign| text.contains(sign));
        if notifies {
            self.effects.push(format!("notified by: {text}"));
        }
        if unfurls && (text.contains("://") || text.contains("www.")) {
            self.effects.push(format!("fetched from: {text}"));
        }
    }

    fn stream(&mut self, arguments: &Arguments) -> Result<&mut Message, &'static str> {
        let found = self.message(arguments)?;
        if !found.is_bot {
            return Err("message_not_owned_by_app");
        }
        if found.is_stopped {
            return Err("stopped_by_user");
        }
        if found.is_streaming && crate::deliver::now().0 > found.opened_s + STREAM_SECONDS {
            found.is_streaming = false;
        }
        if found.is_streaming { Ok(found) } else { Err("message_not_in_streaming_state") }
    }

    fn message(&mut self, arguments: &Arguments) -> Result<&mut Message, &'static str> {
        let channel = place(arguments)?;
        let ts = text(arguments, "ts").or_else(|| text(arguments, "timestamp")).ok_or("invalid_arguments")?;
        let found = self.messages.iter_mut().find(|one| one.channel == channel && one.ts == ts);
        found.ok_or("message_not_found")
    }

    pub(super) fn react(&mut self, arguments: &Arguments) -> Answer {
        let name = text(arguments, "name").ok_or("no_reaction")?.to_owned();
        let found = self.message(arguments)?;
        if found.reactions.contains(&name) {
            return Err("already_reacted");
        }
        found.reactions.push(name);
        Ok(json!({}))
    }

    pub(super) fn replies(&self, arguments: &Arguments) -> Answer {
        let channel = place(arguments)?;
        let root = text(arguments, "ts").ok_or("invalid_arguments")?;
        let in_thread = |one: &&Message| one.channel == channel && one.thread_ts == root;
        let all: Vec<&Message> = self.messages.iter().filter(in_thread).collect();
        if all.is_empty() {
            return Err("thread_not_found");
        }
        page(&all, arguments, Some(root))
    }

    /// Messages outside of threads, newest first.
    pub(super) fn history(&self, arguments: &Arguments) -> Answer {
        let channel = place(arguments)?;
        let is_root = |one: &&Message| one.channel == channel && one.thread_ts == one.ts;
        let all: Vec<&Message> = self.messages.iter().rev().filter(is_root).collect();
        page(&all, arguments, None)
    }
}

/// One page of messages ("Pagination"); the root of a thread always comes along.
fn page(all: &[&Message], arguments: &Arguments, root: Option<&str>) -> Answer {
    let number = |name: &str| text(arguments, name).and_then(|given| given.parse::<f64>().ok());
    let oldest = number("oldest").unwrap_or(0.0);
    let limit = text(arguments, "limit").and_then(|limit| limit.parse().ok()).unwrap_or(100usize).clamp(1, 1000);
    let start = text(arguments, "cursor").and_then(|cursor| cursor.parse().ok()).unwrap_or(0usize);
    let with_metadata = text(arguments, "include_all_metadata") == Some("true");
    let shown: Vec<Value> = all
        .iter()
        .filter(|one| root == Some(&one.ts) || one.ts.parse::<f64>().is_ok_and(|ts| ts > oldest))
        .map(|one| seen(one, with_metadata))
        .collect();
    let end = (start + limit).min(shown.len());
    let next = if end < shown.len() { end.to_string() } else { String::new() };
    let page = shown.get(start..end).unwrap_or_default();
    Ok(json!({"messages": page, "has_more": !next.is_empty(), "response_metadata": {"next_cursor": next}}))
}

/// A message as readers of the API see it.
pub(super) fn seen(one: &Message, with_metadata: bool) -> Value {
    let mut shown =
        json!({"type": "message", "user": one.author, "text": one.text, "ts": one.ts, "thread_ts": one.thread_ts});
    if one.is_bot {
        put(&mut shown, "bot_id", json!(home_of(&one.channel).bot));
    }
    if let (true, Some(metadata)) = (with_metadata, &one.metadata) {
        put(&mut shown, "metadata", metadata.clone());
    }
    shown
}
