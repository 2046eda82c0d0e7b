//! Which place of the source a place in the printed code came from.

use oxc_sourcemap::SourceMap;

use crate::position::Position;

/// The places of a program, sorted by where they are in its printed code.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Places(Vec<Place>);

/// Line and column, both from 0; columns in units of UTF-16.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    printed: (u32, u32),
    source: (u32, u32),
}

impl Places {
    pub(crate) fn of(map: Option<&SourceMap>) -> Self {
        let tokens = map.into_iter().flat_map(SourceMap::get_tokens);
        let mut places: Vec<Place> = tokens
            .map(|token| Place {
                printed: (token.get_dst_line(), token.get_dst_col()),
                source: (token.get_src_line(), token.get_src_col()),
            })
            .collect();
        places.sort_by_key(|place| place.printed);
        Self(places)
    }

    /// Where in `source` the printed place came from: the nearest known one at it or before it in its line.
    pub(crate) fn position(&self, source: &str, line: u32, column: u32) -> Option<Position> {
        let after = self.0.partition_point(|place| place.printed <= (line, column));
        let place = self.0.get(..after)?.last().filter(|place| place.printed.0 == line);
        // Indentation stands before the first of a line.
        let place = place.or_else(|| self.0.get(after).filter(|place| place.printed.0 == line))?;
        let (line, utf16) = place.source;
        let text = source.split('\n').nth(usize::try_from(line).ok()?).unwrap_or_default();
        let mut left = utf16;
        let mut column = 1_u32;
        for one in text.chars() {
            let units = u32::try_from(one.len_utf16()).unwrap_or(2);
            if left < units {
                break;
            }
            left -= units;
            column = column.saturating_add(1);
        }
        Some(Position { line: line.saturating_add(1), column })
    }
}
