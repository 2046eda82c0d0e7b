//! The clock beside a platform's, and whether platforms can reach us.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use url::{Host, Url};

use super::Check;
use crate::config::Config;

/// How long one answer may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// Signatures are refused five minutes off: this far is worth a word.
const DOUBTFUL_SECONDS: i64 = 30;

/// This far deliveries will be refused.
const BAD_SECONDS: i64 = 150;

pub(super) async fn check(config: &Config) -> Vec<Check> {
    let client = match reqwest::Client::builder().timeout(DEADLINE).redirect(reqwest::redirect::Policy::none()).build()
    {
        Ok(client) => client,
        Err(error) => {
            let found = error.without_url().to_string();
            return vec![Check::fail("network", found, "look at the system's certificates and at HTTPS_PROXY")];
        }
    };
    let (clock, public_url) = futures::join!(clock(&client, config), public_url(&client, config));
    vec![clock, public_url]
}

/// Our clock beside that of a platform.
async fn clock(client: &reqwest::Client, config: &Config) -> Check {
    let Some(channel) = config.channels.values().next() else {
        return Check::skip("clock", "no platform is configured to compare with");
    };
    let host = channel.api_base_url().host_str().unwrap_or_default().to_owned();
    let response = match client.head(channel.api_base_url().clone()).send().await {
        Ok(response) => response,
        Err(error) => return Check::skip("clock", format!("{host} did not answer: {}", error.without_url())),
    };
    let date = response.headers().get(http::header::DATE).and_then(|date| date.to_str().ok());
    let Some(theirs) = date.and_then(|date| rfc2822::parse(date).ok()) else {
        return Check::skip("clock", format!("{host} did not say what time it is"));
    };
    let off = Timestamp::now().as_second().saturating_sub(theirs.timestamp().as_second());
    let found = format!("{} s {} {host}", off.abs(), if off < 0 { "behind" } else { "ahead of" });
    let fix = "set the clock: `timedatectl set-ntp true`. Signatures more than five minutes off are refused";
    match off.abs() {
        0..DOUBTFUL_SECONDS => Check::ok("clock", found),
        DOUBTFUL_SECONDS..BAD_SECONDS => Check::warn("clock", found, fix),
        _ => Check::fail("clock", found, fix),
    }
}

/// Whether platforms can reach us.
async fn public_url(client: &reqwest::Client, config: &Config) -> Check {
    let name = "public URL";
    let Some(url) = &config.server.public_url else {
        let fix = "set [server] public_url to the https:// address that the platforms call";
        return if config.channels.is_empty() {
            Check::skip(name, "not set, and no platform is configured")
        } else {
            Check::warn(name, "not set", fix)
        };
    };
    if is_local(url) || url.scheme() != "https" {
        let fix = "platforms call https:// addresses that are reachable from outside";
        return Check::warn(name, url.to_string(), fix);
    }
    let Ok(health) = Url::parse(&format!("{}/healthz", url.as_str().trim_end_matches('/'))) else {
        return Check::skip(name, url.to_string());
    };
    let fix = "while `reveille serve` runs: look at the proxy in front of it and at DNS";
    match client.get(health).send().await {
        Ok(response) if response.status().is_success() => Check::ok(name, format!("{url} answers")),
        Ok(response) => Check::warn(name, format!("{url} answers {}", response.status().as_u16()), fix),
        Err(error) => Check::warn(name, format!("{url} does not answer: {}", error.without_url()), fix),
    }
}

fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_private() || address.is_unspecified(),
        Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unspecified(),
        None => true,
    }
}
