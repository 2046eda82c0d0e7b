//! Slash commands ("Implementing slash commands"): a form, signed like everything else, to be answered within three seconds.
//!
//! A command has no message of its own, so it opens a thread: the answer is a message in the channel, and what belongs to it
//! goes below. Slack never delivers a command again; whoever gives it a second time means it.

use bytes::Bytes;
use reveille_channel::{Actor, ActorKind, Inbound, Kind, Malformed};
use serde_json::{Value, json};

use crate::normalise::{Reader, open_thread};
use crate::{PLATFORM, render, text};

/// A field of a form.
pub(crate) type Fields = Vec<(String, String)>;

/// The fields of a form. Form data is decoded whatever it holds; what is missing shows when it is asked for.
pub(crate) fn fields(body: &[u8]) -> Fields {
    url::form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

pub(crate) fn form(reader: Reader<'_>, body: &[u8]) -> Result<Inbound, Malformed> {
    read(reader, &fields(body))
}

/// The same fields come as a form, or as an object over a socket.
pub(crate) fn object(reader: Reader<'_>, payload: &Value) -> Result<Inbound, Malformed> {
    let object = payload.as_object().ok_or_else(|| Malformed::new("the command is no object"))?;
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    read(reader, &object.iter().map(|(name, value)| (name.clone(), text(value))).collect())
}

fn read(reader: Reader<'_>, fields: &Fields) -> Result<Inbound, Malformed> {
    let field = |name: &str| {
        let mut found = fields.iter().filter(|(key, value)| key == name && !value.is_empty());
        match (found.next(), found.next()) {
            (Some(_), Some(_)) => Err(Malformed::new(format!("the command has `{name}` twice"))),
            (found, _) => Ok(found.map(|(_, value)| value.as_str())),
        }
    };
    let need = |name: &str| field(name)?.ok_or_else(|| Malformed::new(format!("the command has no `{name}`")));
    // "Slack will occasionally send your command's request URL a simple POST request to verify the certificate."
    if field("ssl_check")?.is_some_and(|value| value != "0") {
        return Ok(Inbound::Handshake { content_type: "text/plain; charset=utf-8", body: Bytes::new() });
    }
    let command = need("command")?;
    let (team, channel, user) = (need("team_id")?, need("channel_id")?, need("user_id")?);
    let trigger = need("trigger_id")?;
    let name = command.strip_prefix('/').unwrap_or(command).to_lowercase();
    let (args, mentions) = text::read(field("text")?.unwrap_or_default(), reader.own.ids().user.as_deref());
    let mut thread = open_thread(team, channel, &format!("command:{trigger}"));
    if let Some(url) = field("response_url")? {
        thread.location.insert("response_url".into(), url.to_owned());
    }
    let channel_name = field("channel_name")?;
    if let Some(named) = channel_name.filter(|named| !matches!(*named, "directmessage" | "privategroup")) {
        thread.display = format!("#{named}");
    }
    let actor =
        Actor { id: user.to_owned(), name: field("user_name")?.unwrap_or(user).to_owned(), kind: ActorKind::Human };
    let keys = vec![format!("trigger:{team}:{trigger}")];
    let kind = Kind::Command { name: name.clone(), args: args.clone() };
    let mut event = reader.event("slash_command", kind, thread, actor, keys)?;
    event.facts.extend(channel_name.map(|named| ("channel_name".to_owned(), named.to_owned())));
    event.text = args;
    event.mentions = mentions;
    debug_assert_eq!(event.platform, PLATFORM);
    Ok(Inbound::Answered { events: vec![event], content_type: "application/json", body: receipt(command) })
}

/// What the person sees in place of a receipt when no agent has the command. Forms have answers of another shape, and keep them.
pub(crate) fn no_agent(promise: &Bytes) -> Option<Bytes> {
    let is_receipt =
        serde_json::from_slice::<Value>(promise).is_ok_and(|promise| promise.get("response_type").is_some());
    let text = "No agent here answers to this command.";
    is_receipt.then(|| Bytes::from(json!({"response_type": "ephemeral", "text": text}).to_string()))
}

/// What the person sees at once, and nobody else: that it arrived.
fn receipt(command: &str) -> Bytes {
    let text = format!("{command}: received.");
    Bytes::from(json!({"response_type": "ephemeral", "text": render::escape(&text)}).to_string())
}
