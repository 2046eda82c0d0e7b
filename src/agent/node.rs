//! YAML with the place of every key and value, so that each mistake can be shown where it is.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{Location, Spanned};

use super::error::Problems;

/// A value and the bytes of the file it stands in.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) at: Range<usize>,
    pub(super) value: Value,
}

/// What YAML can say.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Null,
    Flag(bool),
    Integer(i128),
    Number(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

/// A key of a map.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) at: Range<usize>,
    pub(super) text: String,
}

impl Value {
    /// What it is, for sentences.
    fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Flag(_) => "true or false",
            Self::Integer(_) | Self::Number(_) => "a number",
            Self::Text(_) => "text",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }
}

/// As the parser gives it: places are still line, column and span.
enum Raw {
    Plain(Value),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<Raw>, Spanned<Raw>)>),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Raw;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a YAML value")
            }

            fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
                Ok(Raw::Plain(Value::Flag(value)))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
                Ok(Raw::Plain(Value::Integer(value.into())))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
                Ok(Raw::Plain(Value::Integer(value.into())))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
                Ok(Raw::Plain(Value::Number(value)))
            }

            fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
                Ok(Raw::Plain(Value::Text(value.to_owned())))
            }

            fn visit_unit<E>(self) -> Result<Raw, E> {
                Ok(Raw::Plain(Value::Null))
            }

            fn visit_none<E>(self) -> Result<Raw, E> {
                Ok(Raw::Plain(Value::Null))
            }

            fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
                Raw::deserialize(deserializer)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = access.next_element()? {
                    items.push(item);
                }
                Ok(Raw::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Raw, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = access.next_entry()? {
                    entries.push(entry);
                }
                Ok(Raw::Map(entries))
            }
        }

        deserializer.deserialize_any(Any)
    }
}

/// Reads the front matter. `None` when it is no YAML; the reason is among the problems then.
pub(super) fn read(yaml: &str, problems: &mut Problems<'_>) -> Option<Node> {
    let options = serde_saphyr::options! {
        strict_booleans: true,
        with_snippet: false,
        budget: serde_saphyr::budget! { max_depth: 16, max_nodes: 4096, max_aliases: 16 },
    };
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(yaml, options) {
        Ok(raw) => Some(place(raw, yaml, problems)),
        Err(error) => {
            let at = error.location().map_or(0..0, |location| bytes_of(&location, yaml));
            let text = error.without_snippet().to_string();
            // The place is shown beside the message, and the parser's options are not the author's concern.
            let text = text.split(" at line ").next().unwrap_or_default();
            let text = text.split(", set ").next().unwrap_or_default();
            let advice = if text.contains("character") || text.contains("comment") || text.contains("alias") {
                Some("text that begins with one of @ # * & ! ` stands in quotes".to_owned())
            } else {
                None
            };
            problems.add(at, format!("this is not YAML: {text}"), advice);
            None
        }
    }
}

fn place(raw: Spanned<Raw>, yaml: &str, problems: &mut Problems<'_>) -> Node {
    let at = bytes_of(&raw.referenced, yaml);
    let value = match raw.value {
        Raw::Plain(value) => value,
        Raw::List(items) => Value::List(items.into_iter().map(|item| place(item, yaml, problems)).collect()),
        Raw::Map(entries) => {
            let mut placed = Vec::with_capacity(entries.len());
            for (key, value) in entries {
                let key = place(key, yaml, problems);
                let value = place(value, yaml, problems);
                match key.value {
                    Value::Text(text) => placed.push((Key { at: key.at, text }, value)),
                    other => problems.add(key.at, format!("a key is text, not {}", other.kind()), None),
                }
            }
            Value::Map(placed)
        }
    };
    Node { at, value }
}

/// The bytes a location covers: one character at least, so that there is something to point at.
fn bytes_of(location: &Location, yaml: &str) -> Range<usize> {
    let to_usize = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let start = location.span().byte_offset().map_or_else(
        || {
            let line = to_usize(location.line()).saturating_sub(1);
            let line_start: usize = yaml.split_inclusive('\n').take(line).map(str::len).sum();
            let column = to_usize(location.column()).saturating_sub(1);
            let rest = yaml.get(line_start..).unwrap_or_default();
            line_start + rest.chars().take(column).map(char::len_utf8).sum::<usize>()
        },
        to_usize,
    );
    let length = location.span().byte_len().map_or(0, to_usize);
    let least =
        yaml.get(start..).and_then(|rest| rest.chars().next()).filter(|next| *next != '\n').map_or(0, char::len_utf8);
    start..start.saturating_add(length.max(least)).min(yaml.len().max(start))
}

impl Node {
    /// Notes that something else was expected here.
    pub(super) fn is_not(&self, expected: &str, problems: &mut Problems<'_>) {
        problems.add(self.at.clone(), format!("expected {expected}, found {}", self.value.kind()), None);
    }

    /// Text, not empty.
    pub(super) fn text(&self, problems: &mut Problems<'_>) -> Option<&str> {
        match &self.value {
            Value::Text(text) if !text.trim().is_empty() => Some(text),
            Value::Text(_) => {
                problems.add(self.at.clone(), "this is empty", None);
                None
            }
            _ => {
                self.is_not("text", problems);
                None
            }
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, problems: &mut Problems<'_>) -> Option<bool> {
        match self.value {
            Value::Flag(flag) => Some(flag),
            _ => {
                self.is_not("true or false", problems);
                None
            }
        }
    }

    /// A whole number of `range`.
    pub(super) fn integer(&self, range: std::ops::RangeInclusive<u32>, problems: &mut Problems<'_>) -> Option<u32> {
        let Value::Integer(number) = self.value else {
            self.is_not("a whole number", problems);
            return None;
        };
        let found = u32::try_from(number).ok().filter(|number| range.contains(number));
        if found.is_none() {
            let message = format!("{number} is not between {} and {}", range.start(), range.end());
            problems.add(self.at.clone(), message, None);
        }
        found
    }

    /// A number of `range`.
    pub(super) fn number(&self, range: std::ops::RangeInclusive<f64>, problems: &mut Problems<'_>) -> Option<f64> {
        let number = match self.value {
            Value::Number(number) => number,
            Value::Integer(number) => f64::from(i32::try_from(number).unwrap_or(i32::MAX)),
            _ => {
                self.is_not("a number", problems);
                return None;
            }
        };
        if range.contains(&number) {
            return Some(number);
        }
        problems.add(self.at.clone(), format!("{number} is not between {} and {}", range.start(), range.end()), None);
        None
    }

    /// One of these words.
    pub(super) fn one_of<T: Copy>(&self, what: &str, words: &[(&str, T)], problems: &mut Problems<'_>) -> Option<T> {
        let text = self.text(problems)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let words: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            problems.add_unknown(self.at.clone(), what, text, &words);
        }
        found
    }

    /// A list; a single value stands for a list of one.
    pub(super) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    /// Texts, each once, in a list or alone.
    pub(super) fn texts(&self, problems: &mut Problems<'_>) -> Vec<(String, Range<usize>)> {
        let mut texts: Vec<(String, Range<usize>)> = Vec::new();
        for item in self.items() {
            let Some(text) = item.text(problems) else { continue };
            if texts.iter().any(|(other, _)| other == text) {
                problems.add(item.at.clone(), format!("`{text}` stands here twice"), None);
            } else {
                texts.push((text.to_owned(), item.at.clone()));
            }
        }
        texts
    }

    /// The entries of a map.
    pub(super) fn entries(&self, problems: &mut Problems<'_>) -> &[(Key, Self)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => {
                self.is_not("a map of keys and values", problems);
                &[]
            }
        }
    }
}
