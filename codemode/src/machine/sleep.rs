//! A machine as bytes, and back.

use std::sync::Arc;

use super::{Machine, host};
use crate::guest::Fault;
use crate::program::Program;
use crate::snapshot::{self, Numbers, SnapshotError};
use crate::spare::Spare;

impl Machine {
    /// The machine as bytes. It stays as it is.
    ///
    /// # Errors
    ///
    /// As in [`SnapshotError`].
    pub(crate) fn snapshot(&mut self) -> Result<Vec<u8>, SnapshotError> {
        let failed = |fault: Fault| SnapshotError::Sandbox(fault.to_string());
        let promise = self.promise.ok_or_else(|| SnapshotError::Sandbox("nothing has begun".to_owned()))?;
        let numbers = Numbers {
            program: self.program.hash().to_owned(),
            limits: self.limits.clone(),
            usage: self.usage,
            waiting: self.waiting(),
            promise,
            random: self.guest.host().random,
            stack_pointer: self.guest.stack_pointer().map_err(failed)?,
            memory_bytes: self.guest.memory_bytes(),
        };
        self.guest.with_memory(|memory| snapshot::pack(&self.image, memory, &numbers)).map_err(failed)?
    }

    /// A machine as it was when [`Machine::snapshot`] was called. Nothing of it runs until it gets an answer.
    ///
    /// # Errors
    ///
    /// As in [`SnapshotError`].
    pub(crate) fn restore(spare: &mut Spare, program: &Arc<Program>, bytes: &[u8]) -> Result<Self, SnapshotError> {
        let failed = |fault: Fault| SnapshotError::Sandbox(fault.to_string());
        let image = Arc::clone(spare.image());
        let raw = snapshot::unpack(&image, bytes)?;
        let unpacked = snapshot::read(&raw)?;
        let Numbers { program: hash, limits, usage, waiting, promise, random, stack_pointer, memory_bytes } =
            unpacked.numbers;
        if hash != program.hash() {
            return Err(SnapshotError::OtherProgram);
        }
        let mut guest = spare.take(host(0, random, usage, &limits)).map_err(failed)?;
        guest.grow_to(memory_bytes).map_err(failed)?;
        for (at, part) in &unpacked.parts {
            guest.write(*at, part).map_err(failed)?;
        }
        guest.set_stack_pointer(stack_pointer).map_err(failed)?;
        guest.adopt(image.roots.runtime, image.roots.context).map_err(failed)?;
        Ok(Self {
            interrupter: guest.interrupter(),
            guest,
            image,
            program: Arc::clone(program),
            limits,
            usage,
            promise: Some(promise),
            waiting: waiting.into_iter().collect(),
        })
    }
    #[cfg(test)]
    pub(crate) fn with_memory<T>(&self, look: impl FnOnce(&[u8]) -> T) -> T {
        self.guest.with_memory(look).unwrap()
    }
}
