//! The few bytes of a WebAssembly module that are read and changed before it is compiled.
//!
//! The engine's memory has no maximum of its own. Its allocator is told a limit, but that is the guest's own word; a
//! maximum in the module is the runtime's. So the memory section gets one, by the binary format of the WebAssembly
//! core specification (section "Modules" of "Binary Format").

/// What a section of the wrong shape is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the engine is not a WebAssembly module with one memory without a maximum")]
pub(crate) struct Unreadable;

const HEADER_BYTES: usize = 8;
const MEMORY_SECTION: u8 = 5;

/// The module, with a maximum of `pages` of 64 KiB for its one memory.
///
/// # Errors
///
/// It has no memory, more than one, or one that already has a maximum: another engine than the pinned one.
pub(crate) fn with_memory_maximum(module: &[u8], pages: u32) -> Result<Vec<u8>, Unreadable> {
    let (header, mut rest) = module.split_at_checked(HEADER_BYTES).ok_or(Unreadable)?;
    let mut changed = header.to_vec();
    let mut is_found = false;
    while let Some((&id, after_id)) = rest.split_first() {
        let (size, after_size) = number(after_id)?;
        let size = usize::try_from(size).map_err(|_| Unreadable)?;
        let (body, next) = after_size.split_at_checked(size).ok_or(Unreadable)?;
        changed.push(id);
        if id == MEMORY_SECTION {
            let body = bounded_memory(body, pages)?;
            write_number(&mut changed, u32::try_from(body.len()).map_err(|_| Unreadable)?);
            changed.extend_from_slice(&body);
            is_found = true;
        } else {
            write_number(&mut changed, u32::try_from(size).map_err(|_| Unreadable)?);
            changed.extend_from_slice(body);
        }
        rest = next;
    }
    if is_found { Ok(changed) } else { Err(Unreadable) }
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
