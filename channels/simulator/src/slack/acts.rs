//! What people do: speak, change and delete what they said, react, give a command, press a button.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{APP, CHANNELS, DIRECT, Message, PEOPLE, Person, Posted, Response, Slack, home_of, message, put};
use crate::client::Landed;
use crate::deliver::now;
use crate::{Unknown, lock};

impl Slack {
    /// A person says something; what Slack would deliver is delivered.
    ///
    /// # Errors
    /// [`Unknown`] for a person or channel that is not there.
    pub fn say(&self, person: &str, channel: &str, text: &str, thread: Option<&str>) -> Result<Posted, Unknown> {
        self.say_with(person, channel, text, thread, &[])
    }

    /// A person says something, with files: name, media type and content of each.
    ///
    /// # Errors
    /// [`Unknown`] for a person or channel that is not there.
    pub fn say_with(
        &self,
        person: &str,
        channel: &str,
        text: &str,
        thread: Option<&str>,
        files: &[(&str, &str, &[u8])],
    ) -> Result<Posted, Unknown> {
        let (person, (name, channel)) = (find_person(person)?, find_channel(channel)?);
        let (home, text) = (home_of(channel), self.mentions(channel, text));
        let (ts, root_author, [message_number, mention_number]) = {
            let mut state = lock(&self.state);
            let ts = state.new_ts();
            let thread_ts = thread.unwrap_or(&ts).to_owned();
            let root = state.messages.iter().find(|one| one.channel == channel && one.ts == thread_ts);
            let root_author = root.map(|root| root.author.clone());
            state.messages.push(message(channel, &ts, &thread_ts, person.id, false, &text));
            (ts, root_author, [state.new_event(), state.new_event()])
        };
        let mut event = json!({
            "type": "message", "user": person.id, "text": text, "ts": ts, "channel": channel, "event_ts": ts,
            "client_msg_id": format!("cm-{ts}"), "team": home.team,
            "channel_type": if name == "dm" { "im" } else { "channel" },
        });
        if person.team != home.team {
            put(&mut event, "user_team", json!(person.team));
            put(&mut event, "source_team", json!(person.team));
        }
        if let Some(thread) = thread {
            put(&mut event, "thread_ts", json!(thread));
            put(&mut event, "parent_user_id", json!(root_author));
        }
        if !files.is_empty() {
            put(&mut event, "subtype", json!("file_share"));
            put(&mut event, "files", self.upload(files));
        }
        // "app_mention event": the mention comes as a message as well.
        if name != "dm" && text.contains(&format!("<@{}>", home.bot_user)) {
            let mut mention = event.clone();
            put(&mut mention, "type", json!("app_mention"));
            if let Some(mention) = mention.as_object_mut() {
                mention.remove("channel_type");
            }
            self.deliver(mention_number, &mention);
        }
        self.deliver(message_number, &event);
        self.shared.touch();
        let thread_ts = thread.unwrap_or(&ts).to_owned();
        Ok(Posted { channel: channel.to_owned(), ts, thread_ts })
    }

    /// A person changes a message of theirs.
    ///
    /// # Errors
    /// [`Unknown`] for a person, channel or message that is not there.
    pub fn edit(&self, person: &str, channel: &str, ts: &str, text: &str) -> Result<(), Unknown> {
        let (person, (name, channel)) = (find_person(person)?, find_channel(channel)?);
        let text = self.mentions(channel, text);
        let (before, after, at, number) = {
            let mut state = lock(&self.state);
            let at = state.new_ts();
            let number = state.new_event();
            let found = own_message(&mut state.messages, person, channel, ts)?;
            let before = found.clone();
            found.history.push(std::mem::replace(&mut found.text, text));
            (before, found.clone(), at, number)
        };
        let mut after = inner(&after);
        put(&mut after, "edited", json!({"user": person.id, "ts": at}));
        // "message_changed".
        let event = json!({
            "type": "message", "subtype": "message_changed", "hidden": true, "channel": channel, "ts": at, "event_ts": at,
            "channel_type": if name == "dm" { "im" } else { "channel" }, "message": after, "previous_message": inner(&before),
        });
        self.deliver(number, &event);
        self.shared.touch();
        Ok(())
    }

    /// A person deletes a message of theirs.
    ///
    /// # Errors
    /// [`Unknown`] for a person, channel or message that is not there.
    pub fn delete(&self, person: &str, channel: &str, ts: &str) -> Result<(), Unknown> {
        let (person, (name, channel)) = (find_person(person)?, find_channel(channel)?);
        let (gone, at, number) = {
            let mut state = lock(&self.state);
            let at = state.new_ts();
            let number = state.new_event();
            let gone = own_message(&mut state.messages, person, channel, ts)?.clone();
            state.messages.retain(|one| one.channel != channel || one.ts != ts);
            (gone, at, number)
        };
        // "message_deleted".
        let event = json!({
            "type": "message", "subtype": "message_deleted", "hidden": true, "channel": channel, "ts": at, "event_ts": at,
            "deleted_ts": ts, "channel_type": if name == "dm" { "im" } else { "channel" }, "previous_message": inner(&gone),
        });
        self.deliver(number, &event);
        self.shared.touch();
        Ok(())
    }

    /// Where a message is.
    pub(crate) fn find(&self, channel: &str, ts: &str) -> Result<Landed, Unknown> {
        let (_, channel) = find_channel(channel)?;
        let found = any_message(&mut lock(&self.state).messages, channel, ts)?.clone();
        Ok(Landed { place: found.channel, thread: found.thread_ts, message: found.ts })
    }

    /// A person puts a reaction on a message.
    ///
    /// # Errors
    /// [`Unknown`] for a person, channel or message that is not there.
    pub fn react(&self, person: &str, channel: &str, ts: &str, emoji: &str) -> Result<(), Unknown> {
        let (person, (_, channel)) = (find_person(person)?, find_channel(channel)?);
        let emoji = emoji.trim_matches(':');
        let (author, at, number) = {
            let mut state = lock(&self.state);
            let (at, number) = (state.new_ts(), state.new_event());
            let found = any_message(&mut state.messages, channel, ts)?;
            found.reactions.push(emoji.to_owned());
            (found.author.clone(), at, number)
        };
        // "reaction_added".
        let event = json!({
            "type": "reaction_added", "user": person.id, "reaction": emoji, "item_user": author, "event_ts": at,
            "item": {"type": "message", "channel": channel, "ts": ts},
        });
        self.deliver(number, &event);
        self.shared.touch();
        Ok(())
    }

    /// Slack ends every open stream, as it does with each some five minutes after its start. How many.
    pub fn expire_streams(&self) -> usize {
        let expired = {
            let mut state = lock(&self.state);
            let open = state.messages.iter_mut().filter(|one| one.is_streaming);
            open.map(|one| one.is_streaming = false).count()
        };
        self.shared.touch();
        expired
    }

    /// A person opens the app's Home.
    ///
    /// # Errors
    /// [`Unknown`] for a person that is not there.
    pub fn open_home(&self, person: &str) -> Result<(), Unknown> {
        let person = find_person(person)?;
        let (at, number) = {
            let mut state = lock(&self.state);
            (state.new_ts(), state.new_event())
        };
        // "app_home_opened event".
        let event =
            json!({"type": "app_home_opened", "user": person.id, "channel": DIRECT, "tab": "home", "event_ts": at});
        self.deliver(number, &event);
        self.shared.touch();
        Ok(())
    }

    /// A person opens the assistant's pane: a thread of the direct message, below a message of the app's that nobody sees.
    ///
    /// # Errors
    /// [`Unknown`] for a person that is not there.
    pub fn open_pane(&self, person: &str) -> Result<Posted, Unknown> {
        let (person, (_, channel)) = (find_person(person)?, find_channel("dm")?);
        let (ts, number) = {
            let mut state = lock(&self.state);
            let ts = state.new_ts();
            state.messages.push(message(channel, &ts, &ts, home_of(channel).bot_user, false, "New Assistant Thread"));
            (ts, state.new_event())
        };
        // "assistant_thread_started event".
        let event = json!({
            "type": "assistant_thread_started", "event_ts": ts,
            "assistant_thread": {"user_id": person.id, "channel_id": channel, "thread_ts": ts, "context": {}},
        });
        self.deliver(number, &event);
        self.shared.touch();
        Ok(Posted { channel: channel.to_owned(), ts: ts.clone(), thread_ts: ts })
    }

    /// A person presses the stop button that Slack shows below an answer that is under way. Slack ends the stream; `told`: the
    /// app subscribes to the event that says so.
    ///
    /// # Errors
    /// [`Unknown`] for a person, or where no answer is under way.
    pub fn press_stop(&self, person: &str, posted: &Posted, told: bool) -> Result<(), Unknown> {
        let person = find_person(person)?;
        let (stopped, at, number) = {
            let mut state = lock(&self.state);
            let (at, number) = (state.new_ts(), state.new_event());
            let is_here = |one: &Message| one.channel == posted.channel && one.thread_ts == posted.thread_ts;
            let open = state.messages.iter_mut().filter(|one| is_here(one) && one.is_streaming);
            let stopped: Vec<String> = open
                .map(|one| {
                    (one.is_streaming, one.is_stopped) = (false, true);
                    one.ts.clone()
                })
                .collect();
            (stopped, at, number)
        };
        if stopped.is_empty() {
            return Err(Unknown { what: "an answer that is under way".into(), known: Vec::new() });
        }
        if told {
            // "agent_session_stopped event".
            let event = json!({
                "type": "agent_session_stopped", "user": person.id, "channel": posted.channel,
                "thread_ts": posted.thread_ts, "streaming_message_ts": stopped, "event_ts": at,
            });
            self.deliver(number, &event);
        }
        self.shared.touch();
        Ok(())
    }

    /// A person gives a slash command, such as `/ops restart web`. What the gateway answers at once is in
    /// [`Slack::deliveries`], what it posts to the `response_url` in [`Slack::responses`].
    ///
    /// # Errors
    /// [`Unknown`] for a person or channel that is not there.
    pub fn command(&self, person: &str, channel: &str, line: &str) -> Result<Response, Unknown> {
        let (person, (name, channel)) = (find_person(person)?, find_channel(channel)?);
        let (command, text) = line.split_once(' ').unwrap_or((line, ""));
        let (trigger, response) = self.interaction();
        // "Implementing slash commands".
        let fields = [
            ("token", "verification-token"),
            ("team_id", home_of(channel).team),
            ("team_domain", "demo"),
            ("channel_id", channel),
            ("channel_name", if name == "dm" { "directmessage" } else { name.trim_start_matches('#') }),
            ("user_id", person.id),
            ("user_name", person.name),
            ("command", command),
            ("text", text),
            ("api_app_id", APP),
            ("is_enterprise_install", "false"),
            ("response_url", &self.absolute(&response.path)),
            ("trigger_id", &trigger),
        ];
        self.submit("commands", &fields);
        Ok(response)
    }

    /// A person presses the button with this label, or with this choice, on a message.
    ///
    /// # Errors
    /// [`Unknown`] for a person, channel, message or button that is not there.
    pub fn press(&self, person: &str, channel: &str, ts: &str, label: &str) -> Result<(), Unknown> {
        let (person, (name, channel)) = (find_person(person)?, find_channel(channel)?);
        let found = any_message(&mut lock(&self.state).messages, channel, ts)?.clone();
        let (block, button) = find_button(found.blocks.as_ref(), label)?;
        let (trigger, response) = self.interaction();
        let (seconds, micros) = now();
        // "block_actions payload".
        let payload = json!({
            "type": "block_actions", "api_app_id": APP, "token": "verification-token", "trigger_id": trigger,
            "team": {"id": home_of(channel).team, "domain": "demo"}, "enterprise": null, "is_enterprise_install": false,
            "user": {"id": person.id, "username": person.name, "name": person.name, "team_id": person.team},
            "channel": {"id": channel, "name": if name == "dm" { "directmessage" } else { name.trim_start_matches('#') }},
            "container": {"type": "message", "message_ts": ts, "thread_ts": found.thread_ts, "channel_id": channel, "is_ephemeral": false},
            "message": {"type": "message", "user": found.author, "bot_id": home_of(channel).bot, "app_id": APP, "ts": ts, "thread_ts": found.thread_ts, "text": found.text, "blocks": found.blocks},
            "state": {"values": {}},
            "response_url": self.absolute(&response.path),
            "actions": [{
                "type": button.get("type").and_then(Value::as_str).unwrap_or("button"), "block_id": block, "action_id": button.get("action_id"), "value": button.get("value"),
                "text": button.get("text"), "action_ts": format!("{seconds}.{micros:06}"),
            }],
        });
        self.submit("interactivity", &[("payload", &payload.to_string())]);
        Ok(())
    }

    /// "File object".
    fn upload(&self, files: &[(&str, &str, &[u8])]) -> Value {
        let mut state = lock(&self.state);
        let mut shared = Vec::new();
        for (name, media_type, content) in files {
            let id = format!("F{:08}", state.files.len() + 1);
            state.files.insert(id.clone(), ((*media_type).to_owned(), Bytes::copy_from_slice(content)));
            shared.push(json!({
                "id": id, "name": name, "mimetype": media_type, "size": content.len(),
                "url_private": format!("http://{}/slack/files/{id}", lock(&self.address)),
            }));
        }
        Value::Array(shared)
    }

    /// A trigger, and an address that may be answered.
    fn interaction(&self) -> (String, Response) {
        let mut state = lock(&self.state);
        let number = state.new_event();
        let (seconds, _) = now();
        let response = Response { path: format!("slack/response/{seconds}-{number}"), posts: Vec::new() };
        state.responses.push(response.clone());
        (format!("{seconds}.{number}.8088930838d88f008e0"), response)
    }

    fn absolute(&self, path: &str) -> String {
        format!("http://{}/{path}", lock(&self.address))
    }

    fn submit(&self, endpoint: &str, fields: &[(&str, &str)]) {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let headers = vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())];
        self.log.send(&self.shared, self.rules(endpoint), headers, Bytes::from(body), false);
        self.shared.touch();
    }

    /// `@name` as people type it becomes a mention.
    fn mentions(&self, channel: &str, text: &str) -> String {
        let mut text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        text = text.replace(&format!("@{}", self.options.bot_name), &format!("<@{}>", home_of(channel).bot_user));
        for person in &PEOPLE {
            text = text.replace(&format!("@{}", person.name), &format!("<@{}>", person.id));
        }
        text
    }

    pub(crate) fn deliver(&self, number: u64, event: &Value) {
        let channel = event.get("channel").or_else(|| event.pointer("/item/channel")).and_then(Value::as_str);
        let home = home_of(channel.unwrap_or_default());
        let authorization = json!({"enterprise_id": null, "team_id": home.team, "user_id": home.bot_user, "is_bot": true, "is_enterprise_install": false});
        self.deliver_for(home.team, &json!([authorization]), number, event);
    }

    pub(super) fn deliver_for(&self, team: &str, authorizations: &Value, number: u64, event: &Value) {
        // "Events API: callback field overview".
        let body = json!({
            "token": "verification-token", "team_id": team, "api_app_id": APP, "type": "event_callback",
            "event_id": format!("Ev{number:08}"), "event_time": now().0, "is_ext_shared_channel": false,
            "authorizations": authorizations,
            "event": event,
        });
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        self.log.send(&self.shared, self.rules("events"), headers, Bytes::from(body.to_string()), false);
    }

    /// The bot's own posts come back as events too ("message event": `bot_id`).
    pub(crate) fn deliver_own(&self, message: &Message) {
        let number = { lock(&self.state).new_event() };
        let home = home_of(&message.channel);
        let event = json!({
            "type": "message", "user": home.bot_user, "bot_id": home.bot, "app_id": APP, "text": message.text, "ts": message.ts,
            "thread_ts": message.thread_ts, "channel": message.channel, "channel_type": "channel", "event_ts": message.ts,
            "team": home.team,
        });
        self.deliver(number, &event);
    }
}

fn find_person(name: &str) -> Result<&'static Person, Unknown> {
    PEOPLE.iter().find(|one| one.name == name).ok_or_else(|| Unknown {
        what: format!("person {name}"),
        known: PEOPLE.iter().map(|one| one.name.to_owned()).collect(),
    })
}

/// By name or id; both are given.
fn find_channel(wanted: &str) -> Result<(&'static str, &'static str), Unknown> {
    CHANNELS.iter().find(|(name, id)| *name == wanted || *id == wanted).copied().ok_or_else(|| Unknown {
        what: format!("channel {wanted}"),
        known: CHANNELS.iter().map(|(name, _)| (*name).to_owned()).collect(),
    })
}

fn any_message<'a>(messages: &'a mut [Message], channel: &str, ts: &str) -> Result<&'a mut Message, Unknown> {
    let known = messages.iter().filter(|one| one.channel == channel).map(|one| one.ts.clone()).collect();
    let found = messages.iter_mut().find(|one| one.channel == channel && one.ts == ts);
    found.ok_or_else(|| Unknown { what: format!("message {ts}"), known })
}

fn own_message<'a>(
    messages: &'a mut [Message],
    person: &Person,
    channel: &str,
    ts: &str,
) -> Result<&'a mut Message, Unknown> {
    let known = messages.iter().filter(|one| one.author == person.id).map(|one| one.ts.clone()).collect();
    let found = messages.iter_mut().find(|one| one.channel == channel && one.ts == ts && one.author == person.id);
    found.ok_or_else(|| Unknown { what: format!("message {ts} of {}", person.name), known })
}

/// A button by its label or by what it stands for, and the id of its block.
fn find_button(blocks: Option<&Value>, label: &str) -> Result<(Value, Value), Unknown> {
    let mut known = Vec::new();
    for block in blocks.and_then(Value::as_array).into_iter().flatten() {
        for button in block.get("elements").and_then(Value::as_array).into_iter().flatten() {
            let Some(id) = block.get("block_id") else {
                continue;
            };
            // "Feedback buttons element": two buttons of one control; the payload says which ("block_actions payload").
            for half in ["positive_button", "negative_button"].iter().filter_map(|half| button.get(*half)) {
                let is = |at: &str| half.pointer(at).and_then(Value::as_str);
                if is("/text/text") == Some(label) || is("/value") == Some(label) {
                    let mut pressed = half.clone();
                    put(&mut pressed, "type", json!("feedback_buttons"));
                    put(&mut pressed, "action_id", json!(button.get("action_id")));
                    return Ok((id.clone(), pressed));
                }
                known.extend(is("/text/text").map(ToOwned::to_owned));
            }
            if button.get("type").and_then(Value::as_str) != Some("button") {
                continue;
            }
            let is = |at: &str| button.pointer(at).and_then(Value::as_str);
            if is("/text/text") == Some(label) || is("/value") == Some(label) {
                return Ok((id.clone(), button.clone()));
            }
            known.extend(is("/text/text").map(ToOwned::to_owned));
        }
    }
    Err(Unknown { what: format!("button {label}"), known })
}

/// A message inside of an event.
fn inner(message: &Message) -> Value {
    let mut inner = json!({"type": "message", "user": message.author, "text": message.text, "ts": message.ts, "team": home_of(&message.channel).team});
    if message.thread_ts != message.ts {
        put(&mut inner, "thread_ts", json!(message.thread_ts));
    }
    inner
}
