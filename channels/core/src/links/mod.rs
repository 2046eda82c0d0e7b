//! Which addresses of a model's text may be links (OUT-1).
//!
//! A misled model can put what it knows into an address, and whoever follows the link, or a server that makes a preview of it,
//! brings it to a stranger. So a text's addresses are links only where they lead to hosts that somebody chose, and are written so
//! plainly that no reader can take them for anything else; every other one is shown as code.
//!
//! [`Links`] is that choice, [`scan`] finds in plain text what a platform makes a link of by itself, and [`unlink`] does it to
//! a parsed document. An adapter renders; this module knows no platform.

mod host;
mod scan;
mod shared;
mod unlink;

use url::Url;

pub use host::{LinkHost, NotALinkHost};
pub use scan::{Found, Reach, scan};
pub use unlink::{address_of, unlink};

/// The longest address that is a link, bytes. What is longer carries more than a place.
const ADDRESS_MAX: usize = 500;

/// The longest anchor, bytes.
const ANCHOR_MAX: usize = 64;

/// The longest value of a parameter, bytes.
const VALUE_MAX: usize = 24;

/// The hosts that links may lead to. By default none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    hosts: Vec<LinkHost>,
}

impl Links {
    /// Links to these hosts alone.
    #[must_use]
    pub fn to(hosts: impl IntoIterator<Item = LinkHost>) -> Self {
        Self { hosts: hosts.into_iter().collect() }
    }

    /// Links to one more host.
    #[must_use]
    pub fn and(mut self, host: LinkHost) -> Self {
        self.hosts.push(host);
        self
    }

    /// Links to the host of one more address, at its port.
    #[must_use]
    pub fn and_of(self, page: &Url) -> Self {
        match LinkHost::of(page) {
            Some(host) => self.and(host),
            None => self,
        }
    }

    /// Links to these hosts and to those of `others`.
    #[must_use]
    pub fn with(mut self, others: &Self) -> Self {
        self.hosts.extend(others.hosts.iter().cloned());
        self
    }

    /// Whether an address may be a link: it is of the web, in ASCII, without a user's name, leads to one of the hosts, has no
    /// query but parameters that the host is known to have, and no fragment but a plain anchor.
    #[must_use]
    pub fn allows(&self, address: &str) -> bool {
        Parts::of(address).is_some_and(|parts| {
            let may_have = |parameter: &str| self.hosts.iter().any(|host| host.has(&parts) && host.takes(parameter));
            self.hosts.iter().any(|host| host.has(&parts))
                && parts.query.is_none_or(|query| query.split('&').all(|one| is_parameter(one, &may_have)))
                && parts.fragment.is_none_or(is_anchor)
        })
    }
}

/// An address that is written plainly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Parts<'a> {
    host: &'a str,
    /// As it is written.
    port: Option<u16>,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

impl<'a> Parts<'a> {
    /// A subset of what RFC 3986 allows and of what browsers read (WHATWG, "URL parsing"): on what is in it, all readers agree.
    fn of(address: &'a str) -> Option<Self> {
        if address.len() > ADDRESS_MAX {
            return None;
        }
        let (scheme, rest) = address.split_once("://")?;
        if !scheme.eq_ignore_ascii_case("https") && !scheme.eq_ignore_ascii_case("http") {
            return None;
        }
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, tail) = rest.split_at_checked(end)?;
        let (host, port) = match authority.split_once(':') {
            None => (authority, None),
            Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, Some(port.parse().ok()?)),
            Some(_) => return None,
        };
        // Two slashes begin an address inside of the address: proxies and redirectors take one there.
        if !host::is_name(host) || !tail.bytes().all(is_of_a_path) || tail.contains("//") {
            return None;
        }
        let (tail, fragment) = match tail.split_once('#') {
            Some((tail, fragment)) => (tail, Some(fragment)),
            None => (tail, None),
        };
        let query = tail.split_once('?').map(|(_, query)| query);
        Some(Self { host, port, query, fragment })
    }
}

fn is_of_a_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'-' | b'.'
                | b'_'
                | b'~'
                | b'/'
                | b'%'
                | b'@'
                | b'+'
                | b','
                | b'='
                | b':'
                | b'$'
                | b'&'
                | b';'
                | b'('
                | b')'
                | b'?'
                | b'#'
        )
}

/// The name of a heading, a comment or a line. It stays in the reader's browser, and is short.
fn is_anchor(fragment: &str) -> bool {
    let is_of_a_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=ANCHOR_MAX).contains(&fragment.len()) && fragment.bytes().all(is_of_a_name)
}

/// A parameter that the host is known to have, with a value that is an id or a time.
fn is_parameter(written: &str, may_have: &impl Fn(&str) -> bool) -> bool {
    let is_of_an_id = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'.';
    written.split_once('=').is_some_and(|(name, value)| {
        may_have(name) && (1..=VALUE_MAX).contains(&value.len()) && value.bytes().all(is_of_an_id)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links() -> Links {
        let own = LinkHost::parse("slack.example").unwrap().with_parameters(&["thread_ts", "cid"]);
        Links::to([LinkHost::parse("docs.example.com").unwrap(), LinkHost::parse("*.corp.example").unwrap(), own])
            .and_of(&Url::parse("http://bot.example.com:8443/path").unwrap())
    }

    #[test]
    fn plain_addresses_of_chosen_hosts_are_links() {
        for address in [
            "https://docs.example.com",
            "https://docs.example.com/",
            "HTTPS://Docs.Example.COM/Guide",
            "http://docs.example.com/a/b%20c/@d",
            "https://docs.example.com/a_(b)#L10-L20",
            "https://docs.example.com/a#issuecomment-123",
            "https://a.corp.example/x",
            "https://a.b.corp.example/x",
            "https://bot.example.com:8443/hooks",
            "https://slack.example/archives/C1/p1700000000000100?thread_ts=1700000000.000100&cid=C024BE91L",
        ] {
            assert!(links().allows(address), "{address}");
        }
    }

    #[test]
    fn whatever_could_be_read_in_another_way_is_none() {
        for address in [
            "docs.example.com",
            "//docs.example.com",
            "https:docs.example.com",
            "https:/docs.example.com",
            "https:///docs.example.com",
            "https:\\\\docs.example.com",
            "https://evil.example",
            "https://docs.example.com.evil.example",
            "https://docs.example.com@evil.example",
            "https://docs.example.com:x@evil.example",
            "https://evil.example\\@docs.example.com",
            "https://user:password@docs.example.com",
            "https://docs.example.com\\.evil.example",
            "https://docs.example.com:443/",
            "https://docs.example.com:8443/",
            "https://docs.example.com:/",
            "https://docs.example.com.",
            "https://docs.example.com./x",
            "https://.docs.example.com",
            "https://docs.example.com%2eevil.example",
            "https://%64ocs.example.com",
            "https://docs\u{200b}.example.com",
            "https://docs.exämple.com",
            "https://docs.example.com/\u{200b}",
            "https://docs.example.com/?q=secret",
            "https://docs.example.com/?",
            "https://docs.example.com/#",
            "https://docs.example.com/#a=b&c",
            "https://docs.example.com/#a?b",
            "https://docs.example.com/proxy/https://evil.example",
            "https://docs.example.com//evil.example",
            "https://corp.example/",
            "https://evilcorp.example/",
            "https://bot.example.com/",
            "https://slack.example/x?thread_ts=secret-of-mine",
            "https://slack.example/x?other=1",
            "https://docs.example.com/x?thread_ts=1.2",
            "ftp://docs.example.com/",
            "mailto:me@docs.example.com",
            "data:text/html,https://docs.example.com",
            "slack://channel?id=1",
            "javascript://docs.example.com/%0aalert(1)",
            "https://docs.example.com/a b",
            "https://docs.example.com/a|b",
            "https://docs.example.com/a>b",
            " https://docs.example.com/",
        ] {
            assert!(!links().allows(address), "{address}");
        }
        assert!(!links().allows(&format!("https://docs.example.com/{}", "a".repeat(ADDRESS_MAX))));
        assert!(!links().allows(&format!("https://docs.example.com/#{}", "a".repeat(ANCHOR_MAX + 1))));
    }

    #[test]
    fn shared_hosts_are_none_even_below_a_chosen_one() {
        let links = Links::to([LinkHost::own("slack.com"), LinkHost::own("*.slack.com")]);
        assert!(links.allows("https://acme.slack.com/archives/C1/p1"));
        assert!(!links.allows("https://files.slack.com/files-pri/x"));
        assert!(!links.allows("https://hooks.slack.com/services/x"));
    }
}
