//! A host that links may lead to.

use url::{Host, Url};

use super::{Parts, shared};

/// A host that links may lead to, or all names below one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkHost {
    /// Lower case, internationalised names as Punycode.
    name: String,
    is_wildcard: bool,
    port: Option<u16>,
    parameters: &'static [&'static str],
}

/// Why a text is no host that links may lead to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotALinkHost {
    /// It has a scheme, a path, a user or the like.
    #[error("is more than a host's name: only the name, without `https://` and without a path")]
    NotAName,
    /// It is no name, or an address in numbers that has several spellings.
    #[error("is no host's name")]
    Unreadable,
    /// Everybody's names are below it.
    #[error("is too wide: `*.` needs a name of at least two parts behind it")]
    TooWide,
    /// What it shows, or where it leads on to, is anybody's.
    #[error(
        "is, or holds, {0}: whoever steers the model can put a page there, or be sent what a link carries. Name a host of your own"
    )]
    Shared(&'static str),
}

impl LinkHost {
    /// Reads `docs.example.com`, `*.example.com` (the names below it, not itself) or either with `:PORT`.
    ///
    /// # Errors
    /// [`NotALinkHost`]: what is wrong with it.
    pub fn parse(written: &str) -> Result<Self, NotALinkHost> {
        let (name, port) = match written.rsplit_once(':') {
            Some((name, port)) => (name, Some(port.parse().map_err(|_| NotALinkHost::NotAName)?)),
            None => (written, None),
        };
        if name.contains(['/', '@', '?', '#', '\\', ':', '%'])
            || name.chars().any(|c| c.is_whitespace() || c.is_control())
        {
            return Err(NotALinkHost::NotAName);
        }
        let (name, is_wildcard) = match name.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (name, false),
        };
        // UTS 46, as browsers do it: what people read as a name becomes what is asked of the name service.
        let name = match Host::parse(name) {
            Ok(Host::Domain(name)) => name,
            Ok(Host::Ipv4(address)) if address.to_string() == name && !is_wildcard => name.to_owned(),
            _ => return Err(NotALinkHost::Unreadable),
        };
        if !is_name(&name) {
            return Err(NotALinkHost::Unreadable);
        }
        if is_wildcard && !name.contains('.') {
            return Err(NotALinkHost::TooWide);
        }
        let kind = shared::kind(&name).or_else(|| if is_wildcard { shared::kind_below(&name) } else { None });
        match kind {
            Some(kind) => Err(NotALinkHost::Shared(kind)),
            None => Ok(Self { name, is_wildcard, port, parameters: &[] }),
        }
    }

    /// The host of an address, at its port.
    #[must_use]
    pub fn of(page: &Url) -> Option<Self> {
        let name = page.host_str().filter(|name| is_name(name))?.to_ascii_lowercase();
        Some(Self { name, is_wildcard: false, port: page.port(), parameters: &[] })
    }

    /// A platform's own host, as its adapter names it: no operator's choice, and not looked up among shared ones.
    #[must_use]
    pub fn own(name: &'static str) -> Self {
        let (name, is_wildcard) = match name.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (name, false),
        };
        Self { name: name.to_owned(), is_wildcard, port: None, parameters: &[] }
    }

    /// Its addresses may have these parameters, with an id or a time as value: a platform's own references have some.
    #[must_use]
    pub fn with_parameters(mut self, parameters: &'static [&'static str]) -> Self {
        self.parameters = parameters;
        self
    }

    /// Whether an address is one of this host.
    pub(super) fn has(&self, parts: &Parts<'_>) -> bool {
        let name = parts.host.to_ascii_lowercase();
        let is_it = if self.is_wildcard {
            name.strip_suffix(&self.name).is_some_and(|below| below.ends_with('.')) && shared::kind(&name).is_none()
        } else {
            name == self.name
        };
        is_it && parts.port == self.port
    }

    pub(super) fn takes(&self, parameter: &str) -> bool {
        self.parameters.contains(&parameter)
    }
}

/// Whether it is a host's name in letters, digits and `-`: no second spelling, nothing encoded, no dot at its end.
pub(super) fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_the_name_service_is_asked() {
        for (written, name) in [
            ("docs.example.com", "docs.example.com"),
            ("Docs.Example.COM", "docs.example.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("*.bücher.example", "xn--bcher-kva.example"),
            ("ｄｏｃｓ.example", "docs.example"),
            ("intranet", "intranet"),
            ("intranet:8080", "intranet"),
            ("127.0.0.1:8080", "127.0.0.1"),
        ] {
            assert_eq!(LinkHost::parse(written).map(|host| host.name), Ok(name.to_owned()), "{written}");
        }
    }

    #[test]
    fn what_is_more_than_a_name_or_anybodys_is_refused() {
        use NotALinkHost::{NotAName, TooWide, Unreadable};
        for (written, why) in [
            ("https://docs.example.com", NotAName),
            ("docs.example.com/guide", NotAName),
            ("me@example.com", NotAName),
            ("docs.example.com:https", NotAName),
            ("docs.example.com ", NotAName),
            ("%64ocs.example.com", NotAName),
            ("", Unreadable),
            ("*", Unreadable),
            ("*.", Unreadable),
            ("a..b", Unreadable),
            ("docs.example.com.", Unreadable),
            ("do*cs.example.com", Unreadable),
            ("a_b.example.com", Unreadable),
            ("0x7f.1", Unreadable),
            ("*.com", TooWide),
        ] {
            assert_eq!(LinkHost::parse(written), Err(why), "{written}");
        }
        for written in [
            "bit.ly",
            "Raw.GitHubUserContent.com",
            "*.github.io",
            "acme.github.io",
            "*.google.com",
            "*.s3.amazonaws.com",
        ] {
            assert!(matches!(LinkHost::parse(written), Err(NotALinkHost::Shared(_))), "{written}");
        }
        assert!(LinkHost::parse("*.slack.com").is_err(), "files.slack.com is below it");
        assert!(LinkHost::parse("notbit.ly").is_ok() && LinkHost::parse("acme.slack.com").is_ok());
    }
}
