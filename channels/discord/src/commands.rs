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

/// Registers these commands in place of all there are. Those that are there already do not count towards the day's limit of new
/// ones, so it can be done at every start. Without any, nothing is done: an application may have commands of its own.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_takes_words_and_says_what_it_is_for_in_a_line() {
        let offer = |name: &str, description: &str| CommandOffer { name: name.into(), description: description.into() };
        let sorts = command(&offer("triage", "Sorts\n  bugs."));
        assert_eq!(
            (&sorts["name"], &sorts["description"], &sorts["type"]),
            (&json!("triage"), &json!("Sorts bugs."), &json!(1))
        );
        assert_eq!((&sorts["options"][0]["name"], &sorts["options"][0]["type"]), (&json!("text"), &json!(3)));
        assert_eq!(command(&offer("ask", " "))["description"], "Ask ask");
        let long = command(&offer("x", &"word ".repeat(60)));
        assert_eq!(long["description"].as_str().unwrap().chars().count(), DESCRIPTION_MAX);
    }
}
