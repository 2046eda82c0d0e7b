//! What people do: speak, reply, change and delete what they said, react, give a command, press a button.

use serde_json::{Value, json};

use super::interactions::Interaction;
use super::{
    APPLICATION, Discord, DiscordMessage, DiscordPosted, GUILD, PEOPLE, PUBLIC_THREAD, Person, Place, channel, member,
    message, user,
};
use crate::slack::put;
use crate::{Unknown, lock};

/// Emoji by the names that people type between colons: events carry the characters.
const EMOJI: [(&str, &str); 8] = [
    ("eyes", "👀"),
    ("+1", "👍"),
    ("-1", "👎"),
    ("tada", "🎉"),
    ("heart", "❤️"),
    ("white_check_mark", "✅"),
    ("x", "❌"),
    ("fire", "🔥"),
];

impl Discord {
    /// A person says something in a channel or thread. What begins with `/` is a command.
    ///
    /// # Errors
    /// [`Unknown`] for a person or channel that is not there.
    pub fn say(&self, person: &str, place: &str, text: &str) -> Result<DiscordPosted, Unknown> {
        if let Some(line) = text.strip_prefix('/') {
            let (name, words) = line.split_once(' ').unwrap_or((line, ""));
            return self.command(person, place, name, words);
        }
        self.post(person, place, text, None)
    }

    /// A person replies to a message, in its channel. The author is notified, as people leave it by default.
    ///
    /// # Errors
    /// [`Unknown`] for a person or message that is not there.
    pub fn reply(&self, person: &str, to: &str, text: &str) -> Result<DiscordPosted, Unknown> {
        let place = self.find_message(to)?.channel;
        self.post(person, &place, text, Some(to))
    }

    fn post(&self, person: &str, place: &str, text: &str, to: Option<&str>) -> Result<DiscordPosted, Unknown> {
        let (person, place) = (find_person(person)?, self.find_place(place)?);
        let (posted, shown) = {
            let mut state = lock(&self.state);
            let id = state.new_id();
            let said = DiscordMessage {
                id: id.clone(),
                channel: place.id.clone(),
                author: person.id.to_owned(),
                is_bot: false,
                content: self.mentions(text),
                flags: 0,
                reply_to: to.map(ToOwned::to_owned),
                interaction: None,
                components: json!([]),
                history: Vec::new(),
                reactions: Vec::new(),
                nonce: None,
                edited: None,
            };
            let mut shown = message(self, &state, &said, true);
            state.messages.push(said);
            self.complete(&mut shown, person, &place);
            (DiscordPosted { channel: place.id, id }, shown)
        };
        self.dispatch("MESSAGE_CREATE", &shown);
        Ok(posted)
    }

    /// What the gateway adds to a message, and that a reply mentions whom it answers.
    pub(super) fn complete(&self, shown: &mut Value, person: &Person, place: &Place) {
        put(shown, "channel_type", json!(place.kind));
        if place.kind != super::DM {
            put(shown, "guild_id", json!(GUILD));
            let mut known = member(self, person);
            if let Some(fields) = known.as_object_mut() {
                fields.remove("user");
            }
            put(shown, "member", known);
        }
        let answered = shown.pointer("/referenced_message/author").cloned().unwrap_or(Value::Null);
        let mentions = shown.get_mut("mentions").and_then(Value::as_array_mut);
        if let (Some(mentions), true) = (mentions, answered.is_object())
            && !mentions.contains(&answered)
        {
            mentions.push(answered);
        }
    }

    /// A person changes a message of theirs.
    ///
    /// # Errors
    /// [`Unknown`] for a person or message that is not there.
    pub fn edit(&self, person: &str, id: &str, text: &str) -> Result<(), Unknown> {
        let person = find_person(person)?;
        let place = self.find_place(&self.find_message(id)?.channel)?;
        let shown = {
            let mut state = lock(&self.state);
            let number = state.new_id();
            let text = self.mentions(text);
            let Some(found) = state.messages.iter_mut().find(|one| one.id == id && one.author == person.id) else {
                return Err(Unknown { what: format!("message {id} of {}", person.name), known: Vec::new() });
            };
            found.history.push(std::mem::replace(&mut found.content, text));
            // Told apart by when it was done; what stands there matters to nobody.
            found.edited = Some(format!("2026-01-01T00:00:01.{number}+00:00"));
            let found = found.clone();
            let mut shown = message(self, &state, &found, false);
            self.complete(&mut shown, person, &place);
            shown
        };
        self.dispatch("MESSAGE_UPDATE", &shown);
        Ok(())
    }

    /// A message is deleted.
    ///
    /// # Errors
    /// [`Unknown`] for a message that is not there.
    pub fn delete(&self, id: &str) -> Result<(), Unknown> {
        let gone = self.find_message(id)?;
        lock(&self.state).messages.retain(|one| one.id != id);
        let mut event = json!({"id": id, "channel_id": gone.channel});
        self.tell_guild(&mut event, &gone.channel);
        self.dispatch("MESSAGE_DELETE", &event);
        Ok(())
    }

    /// A person puts an emoji on a message, named by its short name or itself.
    ///
    /// # Errors
    /// [`Unknown`] for a person or message that is not there.
    pub fn react(&self, person: &str, id: &str, emoji: &str) -> Result<(), Unknown> {
        let person = find_person(person)?;
        let found = self.find_message(id)?;
        let emoji = EMOJI.iter().find(|(name, _)| *name == emoji).map_or(emoji, |(_, character)| character);
        if let Some(one) = lock(&self.state).messages.iter_mut().find(|one| one.id == id) {
            one.reactions.push((emoji.to_owned(), person.id.to_owned()));
        }
        let mut event = json!({
            "user_id": person.id, "channel_id": found.channel, "message_id": id,
            "emoji": {"id": null, "name": emoji}, "message_author_id": found.author, "burst": false, "type": 0,
        });
        self.tell_guild(&mut event, &found.channel);
        if event.get("guild_id").is_some() {
            put(&mut event, "member", member(self, person));
        }
        self.dispatch("MESSAGE_REACTION_ADD", &event);
        Ok(())
    }

    /// A person opens a thread in a channel.
    ///
    /// # Errors
    /// [`Unknown`] for a person or channel that is not there.
    pub fn open_thread(&self, person: &str, place: &str, name: &str) -> Result<DiscordPosted, Unknown> {
        let (person, parent) = (find_person(person)?, self.find_place(place)?);
        let thread = {
            let mut state = lock(&self.state);
            let thread = Place {
                id: state.new_id(),
                name: name.to_owned(),
                kind: PUBLIC_THREAD,
                parent: Some(parent.id),
                owner: Some(person.id.to_owned()),
                is_archived: false,
            };
            state.places.push(thread.clone());
            thread
        };
        let mut shown = channel(&thread);
        put(&mut shown, "newly_created", json!(true));
        self.dispatch("THREAD_CREATE", &shown);
        Ok(DiscordPosted { channel: thread.id.clone(), id: thread.id })
    }

    /// A person gives a slash command with one option, `text`.
    ///
    /// # Errors
    /// [`Unknown`] for a person or channel that is not there.
    pub fn command(&self, person: &str, place: &str, name: &str, words: &str) -> Result<DiscordPosted, Unknown> {
        let (person, place) = (find_person(person)?, self.find_place(place)?);
        let options = if words.is_empty() {
            json!([])
        } else {
            json!([{"type": 3, "name": "text", "value": self.mentions(words)}])
        };
        let data = json!({"id": "1", "type": 1, "name": name, "options": options});
        let interaction = self.interact(person, &place, 2, &data, None);
        Ok(DiscordPosted { channel: place.id, id: interaction })
    }

    /// A person presses the button with this label, or with this end of its id, on a message.
    ///
    /// # Errors
    /// [`Unknown`] for a person, message or button that is not there.
    pub fn press(&self, person: &str, id: &str, label: &str) -> Result<DiscordPosted, Unknown> {
        let found = self.find_message(id)?;
        let mut known = Vec::new();
        for button in found.components.as_array().into_iter().flatten().flat_map(buttons) {
            let text = |field: &str| button.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
            if text("label") == label || text("custom_id").ends_with(&format!(":{label}")) {
                return self.press_id(person, id, &text("custom_id"));
            }
            known.push(text("label"));
        }
        Err(Unknown { what: format!("button {label}"), known })
    }

    /// A person presses a button with this id on a message, whoever put it there.
    ///
    /// # Errors
    /// [`Unknown`] for a person or message that is not there.
    pub fn press_id(&self, person: &str, id: &str, custom_id: &str) -> Result<DiscordPosted, Unknown> {
        let person = find_person(person)?;
        let found = self.find_message(id)?;
        let place = self.find_place(&found.channel)?;
        let shown = message(self, &lock(&self.state), &found, false);
        let data = json!({"custom_id": custom_id, "component_type": 2});
        let interaction = self.interact(person, &place, 3, &data, Some(shown));
        Ok(DiscordPosted { channel: place.id, id: interaction })
    }

    /// An interaction of a person, delivered.
    fn interact(&self, person: &Person, place: &Place, kind: u64, data: &Value, on: Option<Value>) -> String {
        let (interaction, body) = {
            let mut state = lock(&self.state);
            let id = state.new_id();
            // The real ones have about two hundred characters.
            let token = format!("aW50ZXJhY3Rpb246{id}");
            let mut body = json!({
                "application_id": APPLICATION, "id": id, "type": kind, "token": token, "version": 1, "locale": "en-US", "data": data,
                "channel": channel(place), "channel_id": place.id,
            });
            if place.kind == super::DM {
                put(&mut body, "user", user(self, person.id));
            } else {
                put(&mut body, "guild_id", json!(GUILD));
                let mut known = member(self, person);
                put(&mut known, "permissions", json!(if person.is_admin { "8" } else { "104324673" }));
                put(&mut body, "member", known);
            }
            if let Some(on) = on {
                put(&mut body, "message", on);
            }
            let interaction = Interaction::new(id, token, place.id.clone(), kind);
            state.interactions.push(interaction.clone());
            (interaction, body)
        };
        let id = interaction.id.clone();
        self.deliver_interaction(interaction, &body);
        id
    }

    /// Where a message is: the channel, and what its conversation is shown under there.
    pub(crate) fn thread_of(&self, id: &str) -> Result<(String, String), Unknown> {
        let found = self.find_message(id)?;
        let state = lock(&self.state);
        let parent = state.place(&found.channel).and_then(|place| place.parent.clone());
        Ok(match parent {
            Some(parent) => (parent, found.channel),
            None => (found.channel, found.reply_to.or(found.interaction).unwrap_or(found.id)),
        })
    }

    /// The ids of a person's messages.
    pub(crate) fn messages_of(&self, person: &str) -> Vec<String> {
        let id = PEOPLE.iter().find(|one| one.name == person).map(|one| one.id);
        let messages = &lock(&self.state).messages;
        messages.iter().filter(|one| Some(one.author.as_str()) == id).map(|one| one.id.clone()).collect()
    }

    pub(super) fn find_message(&self, id: &str) -> Result<DiscordMessage, Unknown> {
        let found = lock(&self.state).messages.iter().find(|one| one.id == id).cloned();
        found.ok_or_else(|| Unknown { what: format!("message {id}"), known: Vec::new() })
    }

    fn find_place(&self, wanted: &str) -> Result<Place, Unknown> {
        let state = lock(&self.state);
        state.place_by_name(wanted).cloned().ok_or_else(|| Unknown {
            what: format!("channel {wanted}"),
            known: state
                .places
                .iter()
                .filter(|place| place.kind != PUBLIC_THREAD)
                .map(|place| place.name.clone())
                .collect(),
        })
    }

    /// `@name` as people type it becomes a mention.
    fn mentions(&self, text: &str) -> String {
        let mut text = text.replace(&format!("@{}", self.options.bot_name), &format!("<@{APPLICATION}>"));
        for person in &PEOPLE {
            text = text.replace(&format!("@{}", person.name), &format!("<@{}>", person.id));
        }
        text
    }
}

fn buttons(row: &Value) -> impl Iterator<Item = &Value> {
    row.get("components").and_then(Value::as_array).into_iter().flatten()
}

fn find_person(name: &str) -> Result<&'static Person, Unknown> {
    PEOPLE.iter().find(|one| one.name == name).ok_or_else(|| Unknown {
        what: format!("person {name}"),
        known: PEOPLE.iter().map(|one| one.name.to_owned()).collect(),
    })
}
