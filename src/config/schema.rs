//! Every key there is: what the reader checks, `config/reveille.toml` documents and excerpts are judged by.

/// A table of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    /// Its name; a `*` stands for any name.
    pub name: &'static str,
    /// Its keys.
    pub keys: &'static [Key],
}

/// A key of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub holds: Holds,
}

/// What a key holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// Something that may be shown.
    Public,
    /// A reference to a secret.
    Secret,
}

const fn public(name: &'static str) -> Key {
    Key { name, holds: Holds::Public }
}

const fn secret(name: &'static str) -> Key {
    Key { name, holds: Holds::Secret }
}

/// `[server]`.
pub const SERVER: Section = Section { name: "server", keys: &[public("listen"), public("public_url")] };
/// `[storage]`.
pub const STORAGE: Section = Section { name: "storage", keys: &[public("url"), secret("key"), secret("previous_key")] };
/// `[agents]`.
pub const AGENTS: Section = Section { name: "agents", keys: &[public("dir")] };
/// `[models.NAME]`.
pub const MODEL: Section =
    Section { name: "models.*", keys: &[public("provider"), secret("api_key"), public("base_url"), public("script")] };
/// `[channels.NAME]` of kind `slack`.
pub const SLACK: Section = Section {
    name: "channels.slack",
    keys: &[
        public("kind"),
        secret("signing_secret"),
        secret("bot_token"),
        public("api_base_url"),
        secret("app_token"),
        public("feedback"),
        public("client_id"),
        secret("client_secret"),
        public("authorize_url"),
        public("workspaces"),
    ],
};
/// `[channels.NAME]` of kind `github`.
pub const GITHUB: Section = Section {
    name: "channels.github",
    keys: &[
        public("kind"),
        secret("webhook_secret"),
        public("app_id"),
        secret("private_key"),
        secret("token"),
        public("api_base_url"),
    ],
};
/// `[channels.NAME]` of kind `linear`.
pub const LINEAR: Section = Section {
    name: "channels.linear",
    keys: &[
        public("kind"),
        secret("webhook_secret"),
        secret("access_token"),
        public("client_id"),
        secret("client_secret"),
        public("api_base_url"),
        public("authorize_url"),
        public("workspaces"),
    ],
};
/// `[channels.NAME]` of kind `discord`.
pub const DISCORD: Section = Section {
    name: "channels.discord",
    keys: &[
        public("kind"),
        public("application_id"),
        public("public_key"),
        secret("bot_token"),
        public("api_base_url"),
        public("gateway"),
        public("gateway_url"),
        public("command_guilds"),
    ],
};
/// `[access]`.
pub const ACCESS: Section = Section { name: "access", keys: &[public("default")] };

/// `[output]`.
pub const OUTPUT: Section = Section { name: "output", keys: &[public("link_hosts")] };

/// Every table.
pub const SECTIONS: [Section; 10] = [SERVER, STORAGE, AGENTS, MODEL, SLACK, GITHUB, LINEAR, DISCORD, ACCESS, OUTPUT];

/// The tables at the top.
pub const TOP: [&str; 7] = ["server", "storage", "agents", "models", "channels", "access", "output"];

/// Whether a key of this name holds, in every table that has it, something that may be shown.
#[must_use]
pub fn is_public(name: &str) -> bool {
    let mut keys = SECTIONS.iter().flat_map(|section| section.keys).filter(|key| key.name == name).peekable();
    keys.peek().is_some() && keys.all(|key| key.holds == Holds::Public)
}

/// The known name that is most like `name`.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let likeness = |other: &str| strsim::normalized_damerau_levenshtein(&name.to_lowercase(), other);
    let best = known.into_iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)))?;
    (likeness(best) >= 0.4).then_some(best)
}
