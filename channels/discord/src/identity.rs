//! Learning who we are on Discord, and whether the app is set up for what we do.

use reveille_channel::{Ed25519Key, Identity, ReplyError};

use crate::api::{Api, Application};
use crate::own::{Own, OwnUser};
use crate::transport::Failure;

/// "Application Flags": the intent for message content, for apps in many servers and in few.
const MESSAGE_CONTENT: u64 = (1 << 18) | (1 << 19);

/// What the app may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Permitted {
    /// To read messages that do not mention it.
    pub(crate) message_content: bool,
}

pub(crate) fn permitted(application: &Application) -> Permitted {
    // Where flags are not told, what is not allowed shows when the gateway refuses it.
    Permitted { message_content: application.flags.is_none_or(|flags| flags & MESSAGE_CONTENT != 0) }
}

pub(crate) async fn identify(
    api: &Api,
    own: &Own,
    key: &Ed25519Key,
    listens: bool,
) -> Result<(Identity, Permitted), ReplyError> {
    let me = api.me().await?;
    let application = match api.application().await {
        Ok(application) => application,
        // What it is for is to warn: that it cannot be told keeps nobody from working.
        Err(Failure::Refused(refusal)) if refusal.status == 404 => Application::default(),
        Err(failure) => return Err(failure.into()),
    };
    if let Some(id) = application.id.as_deref().filter(|id| *id != own.application()) {
        return Err(ReplyError::Credentials(format!(
            "application_id is {}, but the bot token is of application {id}",
            own.application()
        )));
    }
    let permitted = permitted(&application);
    let handle = me.username.clone().unwrap_or_else(|| me.id.clone());
    own.learn(OwnUser { id: me.id.clone(), name: handle.clone() });
    let servers = match application.approximate_guild_count {
        Some(1) => "1 server".to_owned(),
        Some(count) => format!("{count} servers"),
        None => application.name.clone().unwrap_or_else(|| "Discord".to_owned()),
    };
    let warnings = warnings(&application, key, permitted, listens);
    Ok((Identity { id: me.id, handle, installation: servers, warnings }, permitted))
}

fn warnings(application: &Application, key: &Ed25519Key, permitted: Permitted, listens: bool) -> Vec<String> {
    let mut warnings = Vec::new();
    let told = application.verify_key.as_deref().and_then(Ed25519Key::parse);
    if told.is_some_and(|told| told != *key) {
        warnings.push(
            "public_key is not this application's, so every interaction over HTTP is refused; copy it from \"General Information\""
                .to_owned(),
        );
    }
    if listens && !permitted.message_content {
        warnings.push(
            "the \"Message Content Intent\" is off, so only messages that mention the bot, replies to it and direct messages \
             are read; switch it on at \"Bot\", \"Privileged Gateway Intents\""
                .to_owned(),
        );
    }
    if !listens && application.interactions_endpoint_url.as_deref().is_none_or(str::is_empty) {
        warnings.push(
            "there is neither a gateway (`gateway = false`) nor an \"Interactions Endpoint URL\" at \"General Information\", so \
             nothing arrives"
                .to_owned(),
        );
    }
    if application.approximate_guild_count == Some(0) {
        warnings.push(
            "the bot is in no server; invite it with the address `reveille doctor` and the guide name".to_owned(),
        );
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
    const OTHER: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

    #[test]
    fn what_is_not_set_up_is_said() {
        let key = Ed25519Key::parse(KEY).unwrap();
        let warned = |application: &Application, listens: bool| {
            warnings(application, &key, permitted(application), listens).len()
        };
        let good = Application {
            verify_key: Some(KEY.into()),
            flags: Some(1 << 19),
            interactions_endpoint_url: Some("https://bot.example/channels/discord/interactions".into()),
            approximate_guild_count: Some(2),
            ..Application::default()
        };
        assert_eq!((warned(&good, true), warned(&good, false)), (0, 0));
        assert_eq!(warned(&Application { verify_key: Some(OTHER.into()), ..good.clone() }, true), 1);
        assert_eq!(warned(&Application { flags: Some(0), ..good.clone() }, true), 1);
        assert_eq!(warned(&Application { interactions_endpoint_url: None, ..good.clone() }, false), 1);
        assert_eq!(warned(&Application { interactions_endpoint_url: None, ..good.clone() }, true), 0);
        assert_eq!(warned(&Application { approximate_guild_count: Some(0), ..good }, true), 1);
        assert_eq!(warned(&Application::default(), true), 0, "what is not told is not held against it");
    }
}
