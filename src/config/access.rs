//! `[access]`.

use super::reader::Reader;
use super::{Access, schema};

/// Who may wake an agent whose AGENT.md does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccessDefault {
    /// Nobody.
    Nobody,
    /// Members of the workspace or organisation.
    Members,
    /// Anybody, strangers included.
    Everyone,
}

pub(super) fn read(reader: &mut Reader) -> Access {
    let table = reader.section(&schema::ACCESS);
    let words = [
        ("nobody", AccessDefault::Nobody),
        ("members", AccessDefault::Members),
        ("everyone", AccessDefault::Everyone),
        ("", AccessDefault::Nobody),
    ];
    Access { default: reader.choice(&table, "default", &words).unwrap_or(AccessDefault::Members) }
}
