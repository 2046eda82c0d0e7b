//! What the application has to be on Linear for this crate to work: scopes, categories, addresses. Linear takes no manifest:
//! a person fills in a form ("Getting started" of its agents, "OAuth 2.0 authentication", "Webhooks").
//!
//! It stands beside the code that needs them; who reads a further type of delivery adds its category here.

use reveille_channel::{Guide, Site};

/// What the application asks for: to read and write, and to be delegated to and called ("Getting started with agents").
pub(crate) const SCOPES: &str = "read,write,app:assignable,app:mentionable";

/// The categories of webhooks, as the form calls them, each with what it is for.
const CATEGORIES: [(&str, &str); 5] = [
    ("Agent session events", "delegations, mentions and what is said in sessions"),
    ("Comments", "threads of comments, and their changes"),
    ("Issues", "issues that are opened, changed, labelled"),
    ("Comment reactions", "reactions to comments"),
    ("Permission changes", "what the application may reach"),
];

/// Where Linear asks a person whether the application may be installed.
const AUTHORIZE: &str = "https://linear.app/oauth/authorize";

/// How the application of a connection is set up.
#[must_use]
pub fn guide(site: &Site) -> Guide {
    let mut guide = Guide::default();
    let callback = site.url("oauth/callback");
    let categories: Vec<String> = CATEGORIES.iter().map(|(name, what_for)| format!("{name:<22}{what_for}")).collect();
    guide.paper(
        "settings",
        "Linear application settings",
        "text",
        format!(
            "Application name      {}\nCallback URL          {callback}\nClient credentials    {}\nWebhooks              on\n\
             Webhook URL           {}\n\nWebhook categories:\n  {}",
            site.app_name,
            if site.has("access_token") { "off" } else { "on" },
            site.url("webhook"),
            categories.join("\n  ")
        ),
    );
    guide.paper(
        "authorize_url",
        "Address at which an administrator installs it as itself",
        "text",
        authorize_url(site, &callback),
    );
    guide.step(
        "Create the application",
        "As an administrator of the workspace: *Settings*, *API*, *OAuth applications*, *New* (<https://linear.app/settings/api/applications/new>). \
         Fill in the form as above. Its name and picture are what people see and mention.",
    );
    guide.step(
        "Copy the webhook's signing secret",
        format!(
            "On the application's page, *Webhooks*, *Signing secret*: copy it to {}.",
            site.place("webhook_secret")
        ),
    );
    if site.has("access_token") {
        by_token(site, &mut guide, &callback);
    } else {
        guide.step(
            "Copy the client's id and secret",
            format!(
                "*Client ID* belongs into {}, *Client secret* into {}. Nobody has to open the address above: with *Client credentials* on, the gateway gets its tokens itself, \
                 as the application (`actor=app`) with the scopes `{SCOPES}`, and a new one before the old one ends.",
                site.place("client_id"),
                site.place("client_secret")
            ),
        );
    }
    guide.step(
        "Call it",
        format!(
            "Delegate an issue to {name}, or write `@{name} what is this about?` in a comment.",
            name = site.app_name
        ),
    );
    guide.trouble(
        "It cannot be mentioned or delegated to",
        "The credential lacks `app:mentionable` or `app:assignable`, or is a person's: `reveille doctor` says which.",
    );
    guide.trouble(
        "A session says that the agent does not respond",
        format!(
            "Linear does not reach `{}`, or gets an error there: its page lists the deliveries. A wrong signing secret shows as 401.",
            site.url("webhook")
        ),
    );
    guide.trouble(
        "No token for `client_id` and `client_secret`",
        "*Client credentials* is off on the application's page, or one of the two is of another application.",
    );
    guide
}

fn authorize_url(site: &Site, callback: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("client_id", site.values.get("client_id").map_or("CLIENT_ID", String::as_str));
    query.append_pair("redirect_uri", callback).append_pair("response_type", "code");
    query.append_pair("scope", SCOPES).append_pair("actor", "app");
    format!("{AUTHORIZE}?{}", query.finish())
}

fn by_token(site: &Site, guide: &mut Guide, callback: &str) {
    guide.step(
        "Install it",
        format!(
            "Put the application's *Client ID* into the address above in place of `CLIENT_ID`, open it and agree. Linear leads to \
             `{callback}?code=...`; whatever that page shows, the code stands in the address."
        ),
    );
    guide.step(
        "Get the token",
        format!(
            "Within minutes: `curl https://api.linear.app/oauth/token -d grant_type=authorization_code -d code=CODE -d \
             client_id=CLIENT_ID -d client_secret=CLIENT_SECRET --data-urlencode redirect_uri={callback}`. Copy `access_token` of the \
             answer to {}. It ends at `expires_in`; with client credentials the gateway gets new ones itself \
             (`reveille add channel linear --client-id CLIENT_ID`).",
            site.place("access_token")
        ),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(keys: &[&str]) -> Site {
        Site {
            connection: "linear".into(),
            public_url: Some("https://bot.example.com".into()),
            api_base_url: "https://api.linear.app/graphql".into(),
            app_name: "assistant".into(),
            kept: keys.iter().map(|key| ((*key).to_owned(), format!("`{key}`"))).collect(),
            ..Site::default()
        }
    }

    #[test]
    fn the_settings_are_those_that_the_code_needs() {
        let guide = guide(&site(&["client_id", "client_secret", "webhook_secret"]));
        insta::assert_snapshot!("settings", guide.papers[0].text);
    }

    #[test]
    fn a_token_is_had_by_an_address_that_installs_the_application_as_itself() {
        let guide = guide(&site(&["access_token", "webhook_secret"]));
        let address = &guide.papers.iter().find(|paper| paper.id == "authorize_url").unwrap().text;
        let address: url::Url = address.parse().unwrap();
        let asked: Vec<(String, String)> = address.query_pairs().into_owned().collect();
        assert!(asked.contains(&("actor".into(), "app".into())) && asked.contains(&("scope".into(), SCOPES.into())));
        let callback = "https://bot.example.com/channels/linear/oauth/callback";
        assert!(asked.contains(&("redirect_uri".into(), callback.into())), "{asked:?}");
    }
}
