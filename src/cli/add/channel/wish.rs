//! What is wanted of a connection: its platform, the keys of its table, and what a person has to bring.

use reveille_channel::{Guide, Site};

use crate::config::{Shape, suggest_variable};

/// A value as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Written {
    Text(String),
    Number(i64),
    Flag(bool),
}

/// A key of the table.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) value: Written,
    /// The person said so; what is there already is kept otherwise.
    pub(super) is_said: bool,
}

/// Something that the platform gives, or that is made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Need {
    pub(super) key: &'static str,
    /// Where it stands, in a few words.
    pub(super) found: &'static str,
    /// `None`: it is no secret.
    pub(super) shape: Option<Shape>,
    /// We make it: the platform is told.
    pub(super) is_made: bool,
}

/// A connection that is wanted.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    pub(super) platform: &'static str,
    /// How the platform is called.
    pub(super) title: &'static str,
    pub(super) name: String,
    pub(super) keys: Vec<Key>,
    /// Keys that exclude those.
    pub(super) without: &'static [&'static str],
    /// Whether the platform calls the gateway, and so has to reach it.
    pub(super) is_reached: bool,
    /// All that a connection to this platform can need; those whose key is set are.
    pub(super) needs: &'static [Need],
    pub(super) guide: fn(&Site) -> Guide,
}

impl Wish {
    pub(super) fn new(
        platform: &'static str,
        title: &'static str,
        name: &str,
        needs: &'static [Need],
        guide: fn(&Site) -> Guide,
    ) -> Self {
        let mut wish = Self {
            platform,
            title,
            name: name.to_owned(),
            keys: Vec::new(),
            without: &[],
            is_reached: true,
            needs,
            guide,
        };
        if name != platform {
            wish.put("kind", Written::Text(platform.to_owned()), true);
        }
        wish
    }

    /// A key with a reference to the variable that people would expect.
    pub(super) fn variable(&mut self, key: &'static str) {
        let variable = suggest_variable(std::slice::from_ref(&self.name), key);
        self.put(key, Written::Text(format!("env:{variable}")), false);
    }

    /// A key that the person said something of, or that refers to a variable.
    pub(super) fn said_or_variable(&mut self, key: &'static str, said: Option<&str>) {
        match said {
            Some(said) => self.put(key, Written::Text(said.to_owned()), true),
            None => self.variable(key),
        }
    }

    pub(super) fn put(&mut self, name: &'static str, value: Written, is_said: bool) {
        self.keys.push(Key { name, value, is_said });
    }
}
