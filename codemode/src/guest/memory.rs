//! The memory of a guest, as bytes.

use wasmer::Value as WasmValue;

use super::{Fault, Guest, broken, fault};

/// A WebAssembly page.
pub(crate) const PAGE_BYTES: u64 = 65_536;

impl Guest {
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.memory.view(&self.store).data_size()
    }

    /// All of the memory.
    pub(crate) fn copy_memory(&self) -> Result<Vec<u8>, Fault> {
        let view = self.memory.view(&self.store);
        let mut copy = vec![0; usize::try_from(view.data_size()).map_err(broken)?];
        view.read(0, &mut copy).map_err(broken)?;
        Ok(copy)
    }

    pub(crate) fn write(&self, at: u64, bytes: &[u8]) -> Result<(), Fault> {
        self.memory.view(&self.store).write(at, bytes).map_err(broken)
    }

    /// Makes the memory at least this large.
    pub(crate) fn grow_to(&mut self, bytes: u64) -> Result<(), Fault> {
        let missing = bytes.saturating_sub(self.memory_bytes()).div_ceil(PAGE_BYTES);
        if missing > 0 {
            let pages = u32::try_from(missing).map_err(broken)?;
            self.memory.grow(&mut self.store, pages).map_err(|_| Fault::OutOfMemory)?;
        }
        Ok(())
    }

    pub(crate) fn stack_pointer(&mut self) -> Result<i32, Fault> {
        match self.stack_pointer.get(&mut self.store) {
            WasmValue::I32(pointer) => Ok(pointer),
            _ => Err(Fault::Broken("the engine's stack pointer is no 32-bit number".to_owned())),
        }
    }

    pub(crate) fn set_stack_pointer(&mut self, pointer: i32) -> Result<(), Fault> {
        self.stack_pointer.set(&mut self.store, WasmValue::I32(pointer)).map_err(fault)
    }
}
