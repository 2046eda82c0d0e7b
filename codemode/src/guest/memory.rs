//! The memory of a guest, as bytes.

use wasmer::{Value as WasmValue, WasmSlice};

use super::{Fault, Guest, broken, fault};

/// A WebAssembly page.
pub(crate) const PAGE_BYTES: u64 = 65_536;

impl Guest {
    pub(crate) fn memory_bytes(&self) -> u64 {
        self.memory.view(&self.store).data_size()
    }

    /// Looks at all of the memory where it lies. Nothing of the guest runs meanwhile.
    pub(crate) fn with_memory<T>(&self, look: impl FnOnce(&[u8]) -> T) -> Result<T, Fault> {
        let view = self.memory.view(&self.store);
        let memory = WasmSlice::<u8>::new(&view, 0, view.data_size()).map_err(broken)?.access().map_err(broken)?;
        Ok(look(memory.as_ref()))
    }

    pub(crate) fn write(&self, at: u64, bytes: &[u8]) -> Result<(), Fault> {
        let view = self.memory.view(&self.store);
        let len = u64::try_from(bytes.len()).map_err(broken)?;
        // Not the view's own `write`, which goes word by word.
        let mut part = WasmSlice::<u8>::new(&view, at, len).map_err(broken)?.access().map_err(broken)?;
        part.copy_from_slice(bytes);
        Ok(())
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
