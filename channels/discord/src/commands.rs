//! The commands people choose from a list when they type `/` ("Application Commands": Bulk Overwrite).

use reveille_channel::{CommandOffer, ReplyError};
use serde_json::{Value, json};

use crate::api::Api;

/// "Application Command Types": typed with a slash. "Application Command Option Type": words.
const CHAT_INPUT: u64 = 1;
const STRING: u64 = 3;

/// Characters of a description.
const DESCRIPTION_MAX: usize = 100;

/// Commands of one application.
const COMMANDS_MAX: usize = 100;

/// The option that takes what a command is asked.
const TEXT: &str = "text";

/// Registers these commands in place of all there are; where they are there already, nothing is written: Discord counts.
pub(crate) async fn offer(
    api: &Api,
    application: &str,
    guilds: &[String],
    offers: &[CommandOffer],
) -> Result<(), ReplyError> {
    if offers.is_empty() {
        return Ok(());
    }
    let wanted: Vec<Value> = offers.iter().take(COMMANDS_MAX).map(command).collect();
    let places: Vec<Option<&str>> =
        if guilds.is_empty() { vec![None] } else { guilds.iter().map(|guild| Some(guild.as_str())).collect() };
    for place in places {
        let there = api.commands(application, place).await?;
        if is_same(&there, &wanted) {
            continue;
        }
        api.overwrite_commands(application, place, Value::Array(wanted.clone())).await?;
        tracing::info!(commands = wanted.len(), guild = place, "commands are registered");
    }
    Ok(())
}

fn command(offer: &CommandOffer) -> Value {
    let description = offer.description.split_whitespace().collect::<Vec<_>>().join(" ");
    let description = match description.chars().count() {
        0 => format!("Ask {}", offer.name),
        1..=DESCRIPTION_MAX => description,
        _ => description.chars().take(DESCRIPTION_MAX - 1).chain(['…']).collect(),
    };
    json!({
        "name": offer.name,
        "type": CHAT_INPUT,
        "description": description,
        "options": [{"name": TEXT, "type": STRING, "description": "What it is about", "required": false}],
    })
}

/// Whether what is registered is what is wanted, in the fields that we write.
fn is_same(there: &[Value], wanted: &[Value]) -> bool {
    let seen = |command: &Value| {
        let text = |of: &Value, field: &str| of.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let options: Vec<_> = command
            .get("options")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .map(|option| {
                let is_required = option.get("required").and_then(Value::as_bool).unwrap_or(false);
                (text(option, "name"), text(option, "description"), option.get("type").cloned(), is_required)
            })
            .collect();
        let kind = command.get("type").and_then(Value::as_u64).unwrap_or(CHAT_INPUT);
        (text(command, "name"), text(command, "description"), kind, options)
    };
    let sorted = |commands: &[Value]| {
        let mut all: Vec<_> = commands.iter().map(seen).collect();
        all.sort_by(|one, other| one.0.cmp(&other.0));
        all
    };
    sorted(there) == sorted(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_registered_already_is_told_from_what_is_not() {
        let offer = |name: &str, description: &str| CommandOffer { name: name.into(), description: description.into() };
        let wanted: Vec<Value> = [offer("triage", "Sorts\n  bugs."), offer("ask", "")].iter().map(command).collect();
        let mut there = wanted.clone();
        there.reverse();
        for command in &mut there {
            command["id"] = json!("1");
            command["version"] = json!("2");
            command["options"][0].as_object_mut().unwrap().remove("required");
        }
        assert!(is_same(&there, &wanted));
        there[0]["description"] = json!("another");
        assert!(!is_same(&there, &wanted));
        assert!(!is_same(&[], &wanted));
        assert_eq!(wanted[0]["description"], "Sorts bugs.");
        let long = command(&offer("x", &"word ".repeat(60)));
        assert_eq!(long["description"].as_str().unwrap().chars().count(), DESCRIPTION_MAX);
    }
}
