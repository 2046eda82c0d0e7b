//! A parsed document without the links that may not be.

use comrak::Arena;
use comrak::nodes::{AstNode, NodeCode, NodeValue};

use super::scan::{Reach, scan};

/// Makes code of every address in a document that may not be a link, and of every image its words. Whether there was any.
///
/// A platform that reads the document written anew makes links only of what `may` be one.
pub fn unlink<'a>(arena: &'a Arena<'a>, root: &'a AstNode<'a>, reach: Reach, may: &dyn Fn(&str) -> bool) -> bool {
    let mut changed = false;
    for node in root.descendants().collect::<Vec<_>>() {
        let value = node.data().value.clone();
        let instead = match value {
            NodeValue::Text(text) => words(arena, &text, reach, may),
            NodeValue::Image(link) => Some(behind_its_words(arena, node, &link.url)),
            NodeValue::Link(link) if !may(&link.url) => Some(behind_its_words(arena, node, &link.url)),
            _ => None,
        };
        if let Some(instead) = instead {
            for new in instead {
                new.detach();
                node.insert_before(new);
            }
            node.detach();
            changed = true;
        }
    }
    changed
}

/// A text in pieces, its addresses as code; `None` when all of them may be links.
fn words<'a>(
    arena: &'a Arena<'a>,
    text: &str,
    reach: Reach,
    may: &dyn Fn(&str) -> bool,
) -> Option<Vec<&'a AstNode<'a>>> {
    let mut pieces: Vec<&AstNode<'_>> = Vec::new();
    let mut end = 0;
    for one in scan(text, reach, may).into_iter().filter(|one| !one.is_allowed) {
        let before = text.get(end..one.range.start).filter(|before| !before.is_empty());
        pieces.extend(before.map(|before| plain(arena, before)));
        pieces.push(code(arena, text.get(one.range.clone()).unwrap_or_default()));
        end = one.range.end;
    }
    if pieces.is_empty() {
        return None;
    }
    let rest = text.get(end..).filter(|rest| !rest.is_empty());
    pieces.extend(rest.map(|rest| plain(arena, rest)));
    Some(pieces)
}

/// A link or image as its words, with the address as code behind them.
fn behind_its_words<'a>(arena: &'a Arena<'a>, node: &'a AstNode<'a>, url: &str) -> Vec<&'a AstNode<'a>> {
    let mut label = String::new();
    for below in node.descendants() {
        if let NodeValue::Text(text) = &below.data().value {
            label.push_str(text);
        }
    }
    let mut pieces: Vec<&AstNode<'_>> = node.children().collect();
    let Some(address) = address_of(url, &label) else {
        return pieces;
    };
    if pieces.is_empty() || label == address {
        return vec![code(arena, address)];
    }
    pieces.extend([plain(arena, " ("), code(arena, address), plain(arena, ")")]);
    pieces
}

/// An address as people read it behind these words: a mail address without its scheme where that is how it was written.
/// `None` where there is none.
#[must_use]
pub fn address_of<'u>(url: &'u str, label: &str) -> Option<&'u str> {
    let mail = url.strip_prefix("mailto:").filter(|mail| *mail == label);
    Some(mail.unwrap_or(url)).filter(|url| !url.is_empty())
}

fn plain<'a>(arena: &'a Arena<'a>, text: &str) -> &'a AstNode<'a> {
    arena.alloc(NodeValue::Text(text.to_owned().into()).into())
}

fn code<'a>(arena: &'a Arena<'a>, text: &str) -> &'a AstNode<'a> {
    let literal = text.replace(['\n', '\r'], " ");
    arena.alloc(NodeValue::Code(NodeCode { num_backticks: 1, literal }).into())
}
