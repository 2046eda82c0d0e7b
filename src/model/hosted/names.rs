//! Tool names as providers take them: no dots, at most 64 characters. One to one within a request.

use std::collections::HashMap;

use super::Request;
use crate::model::Message;

/// The longest name that every provider takes.
const NAME_MAX: usize = 64;

/// The names of one request, both ways.
#[derive(Debug, Default)]
pub(super) struct Names {
    wire: HashMap<String, String>,
    dotted: HashMap<String, String>,
}

impl Names {
    pub(super) fn of(request: &Request) -> Self {
        let mut names = Self::default();
        for tool in &request.tools {
            names.add(&tool.name);
        }
        for message in &request.messages {
            match message {
                Message::User { .. } => {}
                Message::Assistant { tool_calls, .. } => tool_calls.iter().for_each(|call| names.add(&call.name)),
                Message::Tool { name, .. } => names.add(name),
            }
        }
        names
    }

    fn add(&mut self, name: &str) {
        if self.wire.contains_key(name) {
            return;
        }
        let plain: String = name.replace('.', "__").chars().map(|c| if fits(c) { c } else { '_' }).collect();
        let plain = if plain.is_empty() { "_".to_owned() } else { plain };
        let mut wire: String = plain.chars().take(NAME_MAX).collect();
        let mut count = 2_usize;
        while self.dotted.contains_key(&wire) {
            let mark = format!("_{count}");
            wire = plain.chars().take(NAME_MAX.saturating_sub(mark.len())).collect();
            wire.push_str(&mark);
            count = count.saturating_add(1);
        }
        self.dotted.insert(wire.clone(), name.to_owned());
        self.wire.insert(name.to_owned(), wire);
    }

    /// As the provider is told.
    pub(super) fn wire(&self, name: &str) -> String {
        self.wire.get(name).map_or_else(|| name.to_owned(), Clone::clone)
    }

    /// As we know it. A name that the model made up never becomes that of a tool it was not told of so.
    pub(super) fn dotted(&self, wire: &str) -> String {
        if let Some(name) = self.dotted.get(wire) {
            return name.clone();
        }
        let name = wire.replace("__", ".");
        if self.wire.contains_key(&name) { wire.to_owned() } else { name }
    }
}

fn fits(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}
