//! What is changed of a WebAssembly module before it is compiled, by the binary format of the WebAssembly core specification
//! (section "Modules" of "Binary Format").
//!
//! The engine's memory has no maximum of its own. Its allocator is told a limit, but that is the guest's own word; a
//! maximum in the module is the runtime's. So the memory section gets one. And of its 450 exports less than thirty are used:
//! the runtime makes a table of all of them for every instance, which is a large part of making one, so the others go.

/// What a section of the wrong shape is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the engine is not a WebAssembly module with one memory without a maximum")]
pub(crate) struct Unreadable;

const HEADER_BYTES: usize = 8;
const MEMORY_SECTION: u8 = 5;
const EXPORT_SECTION: u8 = 7;

/// The module, with a maximum of `pages` of 64 KiB for its one memory.
///
/// # Errors
///
/// It has no memory, more than one, or one that already has a maximum: another engine than the pinned one.
pub(crate) fn with_memory_maximum(module: &[u8], pages: u32) -> Result<Vec<u8>, Unreadable> {
    with_section(module, MEMORY_SECTION, |body| bounded_memory(body, pages))?.ok_or(Unreadable)
}

/// The module, with those of its exports that are in `wanted` and no others.
///
/// # Errors
///
/// It cannot be read.
pub(crate) fn with_exports(module: &[u8], wanted: &[&str]) -> Result<Vec<u8>, Unreadable> {
    let changed = with_section(module, EXPORT_SECTION, |body| wanted_exports(body, wanted))?;
    Ok(changed.unwrap_or_else(|| module.to_vec()))
}

/// The module with another section of this kind; nothing if it has none.
fn with_section(
    module: &[u8],
    section: u8,
    change: impl Fn(&[u8]) -> Result<Vec<u8>, Unreadable>,
) -> Result<Option<Vec<u8>>, Unreadable> {
    let (header, mut rest) = module.split_at_checked(HEADER_BYTES).ok_or(Unreadable)?;
    let mut changed = header.to_vec();
    let mut is_found = false;
    while let Some((&id, after_id)) = rest.split_first() {
        let (size, after_size) = number(after_id)?;
        let size = usize::try_from(size).map_err(|_| Unreadable)?;
        let (body, next) = after_size.split_at_checked(size).ok_or(Unreadable)?;
        changed.push(id);
        if id == section {
            let body = change(body)?;
            write_number(&mut changed, u32::try_from(body.len()).map_err(|_| Unreadable)?);
            changed.extend_from_slice(&body);
            is_found = true;
        } else {
            write_number(&mut changed, u32::try_from(size).map_err(|_| Unreadable)?);
            changed.extend_from_slice(body);
        }
        rest = next;
    }
    Ok(is_found.then_some(changed))
}

/// `count flags minimum` becomes `count flags minimum maximum`.
fn bounded_memory(body: &[u8], pages: u32) -> Result<Vec<u8>, Unreadable> {
    let [1, 0, rest @ ..] = body else { return Err(Unreadable) };
    let (minimum, rest) = number(rest)?;
    if !rest.is_empty() || minimum > pages {
        return Err(Unreadable);
    }
    let mut bounded = vec![1, 1];
    write_number(&mut bounded, minimum);
    write_number(&mut bounded, pages);
    Ok(bounded)
}

/// Each export is the length of its name, the name, a byte for its kind, and a number.
fn wanted_exports(body: &[u8], wanted: &[&str]) -> Result<Vec<u8>, Unreadable> {
    let (count, mut rest) = number(body)?;
    let (mut kept, mut exports) = (0, Vec::new());
    for _ in 0..count {
        let (len, after) = number(rest)?;
        let len = usize::try_from(len).map_err(|_| Unreadable)?;
        let (name, after) = after.split_at_checked(len).ok_or(Unreadable)?;
        let (_kind, after) = after.split_first().ok_or(Unreadable)?;
        let (_index, after) = number(after)?;
        if wanted.iter().any(|one| one.as_bytes() == name) {
            kept += 1;
            exports.extend_from_slice(rest.strip_suffix(after).unwrap_or(rest));
        }
        rest = after;
    }
    let mut changed = Vec::new();
    write_number(&mut changed, kept);
    changed.extend_from_slice(&exports);
    Ok(changed)
}

/// An unsigned LEB128 number of at most 32 bits.
fn number(bytes: &[u8]) -> Result<(u32, &[u8]), Unreadable> {
    let mut value = 0_u32;
    let mut rest = bytes;
    for shift in [0, 7, 14, 21, 28] {
        let (&byte, after) = rest.split_first().ok_or(Unreadable)?;
        rest = after;
        value |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok((value, rest));
        }
    }
    Err(Unreadable)
}

fn write_number(out: &mut Vec<u8>, mut value: u32) {
    loop {
        let [low, ..] = (value & 0x7f).to_le_bytes();
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAGIC: [u8; 8] = *b"\0asm\x01\0\0\0";

    #[test]
    fn only_the_memory_section_changes() {
        let mut module = MAGIC.to_vec();
        module.extend([5, 3, 1, 0, 18, 0, 2, 1, b'x']);
        let changed = with_memory_maximum(&module, 4096).unwrap();
        let mut wanted = MAGIC.to_vec();
        wanted.extend([5, 5, 1, 1, 18, 0x80, 0x20, 0, 2, 1, b'x']);
        assert_eq!(changed, wanted);
    }

    #[test]
    fn only_the_exports_that_are_wanted_stay() {
        let mut module = MAGIC.to_vec();
        module.extend([5, 3, 1, 0, 18]);
        module.extend([7, 14, 3, 1, b'a', 0, 0, 2, b'm', b'y', 2, 0, 1, b'b', 0, 1]);
        let mut wanted = MAGIC.to_vec();
        wanted.extend([5, 3, 1, 0, 18]);
        wanted.extend([7, 10, 2, 2, b'm', b'y', 2, 0, 1, b'b', 0, 1]);
        assert_eq!(with_exports(&module, &["b", "my", "c"]), Ok(wanted));
        assert_eq!(with_exports(&module[..13], &["b"]).as_deref(), Ok(&module[..13]));
        let mut cut = module.clone();
        cut[15] = 200;
        assert_eq!(with_exports(&cut, &["b"]), Err(Unreadable));
    }

    #[test]
    fn a_memory_that_has_a_maximum_and_a_cut_module_are_refused() {
        let mut bounded = MAGIC.to_vec();
        bounded.extend([5, 4, 1, 1, 1, 2]);
        assert_eq!(with_memory_maximum(&bounded, 4096), Err(Unreadable));
        let mut cut = MAGIC.to_vec();
        cut.extend([5, 9, 1, 0]);
        assert_eq!(with_memory_maximum(&cut, 4096), Err(Unreadable));
        assert_eq!(with_memory_maximum(&MAGIC, 4096), Err(Unreadable));
    }
}
