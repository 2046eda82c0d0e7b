//! Where each character of a parsed text stands in the source: entities and backslash escapes are longer there.

use std::ops::Range;

use comrak::nodes::NodeValue;

use crate::markdown::parsed;

/// The reported beginning of a text that follows an entity can be off by the entity's length.
const MOST_DRIFT: usize = 64;
/// The longest named entity is shorter.
const MOST_ENTITY_BYTES: usize = 40;

/// The spans of a text's characters in the source.
pub(crate) struct Source {
    /// By the character's first byte in the text: its span in the source.
    spans: Vec<(usize, Range<usize>)>,
}

impl Source {
    /// Finds `content` in `text`, at `start` or as near to it as it fits.
    pub(crate) fn of(content: &str, text: &str, start: usize) -> Option<Self> {
        let nearest = (0..=MOST_DRIFT).flat_map(|drift| [start.checked_sub(drift), start.checked_add(drift)]);
        nearest.flatten().find_map(|start| {
            let spans = align(content, text.get(start..)?)?;
            Some(Self {
                spans: spans.into_iter().map(|(at, span)| (at, start + span.start..start + span.end)).collect(),
            })
        })
    }

    /// The source of a part of the text.
    pub(crate) fn span(&self, part: Range<usize>) -> Option<Range<usize>> {
        let first = self.spans.binary_search_by_key(&part.start, |(at, _)| *at).ok()?;
        let last = self.spans.partition_point(|(at, _)| *at < part.end).checked_sub(1)?;
        Some(self.spans.get(first)?.1.start..self.spans.get(last)?.1.end)
    }
}

/// Reads `raw` from its beginning as `content`.
fn align(content: &str, raw: &str) -> Option<Vec<(usize, Range<usize>)>> {
    let mut spans = Vec::with_capacity(content.len());
    let mut position = 0;
    let mut entity_ends = 0;
    for (at, character) in content.char_indices() {
        // An entity may stand for two characters.
        if at < entity_ends {
            spans.push((at, spans.last().map(|(_, span): &(usize, Range<usize>)| span.clone())?));
            continue;
        }
        let rest = raw.get(position..)?;
        let mut ahead = rest.chars();
        let next = ahead.next()?;
        let length = if next == '\\' && character.is_ascii_punctuation() && ahead.next() == Some(character) {
            2
        } else if let Some((entity, meaning)) = entity(rest).filter(|(_, meaning)| is_at(content, at, meaning)) {
            entity_ends = at + meaning.len();
            entity.len()
        } else if next == character {
            next.len_utf8()
        } else if next == '\0' && character == char::REPLACEMENT_CHARACTER {
            1
        } else {
            return None;
        };
        spans.push((at, position..position + length));
        position += length;
    }
    Some(spans)
}

fn is_at(content: &str, at: usize, meaning: &str) -> bool {
    content.get(at..).is_some_and(|rest| rest.starts_with(meaning))
}

/// The entity that `raw` begins with, and what it means.
fn entity(raw: &str) -> Option<(&str, String)> {
    if !raw.starts_with('&') {
        return None;
    }
    let end = raw.bytes().take(MOST_ENTITY_BYTES).position(|byte| byte == b';')? + 1;
    let entity = raw.get(..end)?;
    let meaning = parsed(entity, |root| {
        root.descendants().find_map(|node| match &node.data().value {
            NodeValue::Text(text) => Some(text.to_string()),
            _ => None,
        })
    })?;
    (meaning != entity).then_some((entity, meaning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_entities_are_found_where_they_stand() {
        let text = "x &#64;a\\_b &amp;c &ngE;d";
        let content = "@a_b &c \u{2267}\u{338}d";
        let source = Source::of(content, text, 3).unwrap();
        let of = |part: &str| {
            let start = content.find(part).unwrap();
            text.get(source.span(start..start + part.len()).unwrap()).unwrap()
        };
        assert_eq!(of("@"), "&#64;");
        assert_eq!(of("a_b"), "a\\_b");
        assert_eq!(of("& c".trim_end_matches(" c")), "&amp;");
        assert_eq!(of("d"), "d");
        assert!(Source::of("@b", text, 0).is_none());
    }
}
