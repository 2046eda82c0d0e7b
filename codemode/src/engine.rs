//! The JavaScript engine: QuickJS-NG as a WebAssembly module, compiled once in a process.
//!
//! The module is the file `quickjs.wasm` of the npm package `quickjs-wasi`, pinned by its hash, which the build checks.
//! It may import the twelve functions of [`crate::imports`] and nothing else: no files, no sockets, no environment.
//!
//! Compiled code stays in memory. Loading it from a file would be quicker, but whoever can write that file would then
//! run native code in the gateway; wasmer marks it `unsafe` for that reason, and this workspace has no `unsafe`.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use wasmer::Module;
use wasmer::sys::{Cranelift, EngineBuilder};

use crate::binary;
use crate::guest::EXPORTS;
use crate::imports::IMPORTS;

/// The file as the set-up step fetched it and `build.rs` checked it.
const QUICKJS: &[u8] = include_bytes!("../engine/quickjs.wasm");

/// The most memory a program can ever have, whatever its limits say: 256 MiB, in pages of 64 KiB.
pub(crate) const MEMORY_MAXIMUM_PAGES: u32 = 4096;

/// The compiled engine.
pub struct Engine {
    pub(crate) engine: wasmer::Engine,
    pub(crate) module: Module,
    /// Of the module as it was compiled.
    pub(crate) hash: [u8; 32],
    /// How long compiling took.
    pub(crate) compiled_in: Duration,
}

/// Why there is no engine. A gateway with this error has no code mode until it is built anew.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// The file is not what this crate was written against.
    #[error("code mode: {0}; fetch the pinned engine again with `cargo xtask assets` and rebuild")]
    Unreadable(String),
    /// It asks for more than the sandbox gives.
    #[error("code mode: the engine imports `{0}`, which the sandbox does not have; only the pinned engine is run")]
    Import(String),
    /// Cranelift could not compile it.
    #[error("code mode: the engine could not be compiled for this processor: {0}")]
    Compile(String),
    /// It does not start.
    #[error("code mode: the engine does not start: {0}")]
    Start(String),
}

impl Engine {
    /// The engine of this process. The first call compiles it, which takes half a second of all cores in a release
    /// build; call it from a thread that may wait.
    ///
    /// # Errors
    ///
    /// As in [`EngineError`], and the same on every further call.
    pub fn shared() -> Result<&'static Self, EngineError> {
        static SHARED: OnceLock<Result<Engine, EngineError>> = OnceLock::new();
        SHARED.get_or_init(|| Self::compile(QUICKJS)).as_ref().map_err(Clone::clone)
    }

    /// How long compiling took.
    pub fn compiled_in(&self) -> Duration {
        self.compiled_in
    }

    /// Makes an instance with nothing in it and drops it: what a fresh run is measured against.
    ///
    /// # Errors
    ///
    /// [`EngineError::Start`].
    pub fn bare_instance(&self) -> Result<(), EngineError> {
        crate::image::bare(self).map(drop).map_err(|fault| EngineError::Start(fault.to_string()))
    }

    fn compile(wasm: &[u8]) -> Result<Self, EngineError> {
        let started = Instant::now();
        let wasm = binary::with_memory_maximum(wasm, MEMORY_MAXIMUM_PAGES)
            .and_then(|wasm| binary::with_exports(&wasm, &EXPORTS))
            .map_err(|error| EngineError::Unreadable(error.to_string()))?;
        let engine: wasmer::Engine = EngineBuilder::new(Cranelift::new()).engine().into();
        let module = Module::from_binary(&engine, &wasm).map_err(|error| EngineError::Compile(error.to_string()))?;
        // Linking refuses what is missing; this refuses it by name, and before anything runs.
        for import in module.imports() {
            if !IMPORTS.contains(&(import.module(), import.name())) {
                return Err(EngineError::Import(format!("{}.{}", import.module(), import.name())));
            }
        }
        let hash = Sha256::digest(&wasm).into();
        Ok(Self { engine, module, hash, compiled_in: started.elapsed() })
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("hash", &hex::encode(self.hash)).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module that imports one function without parameters, and has a memory.
    fn importing(module: &str, name: &str) -> Vec<u8> {
        let mut import = vec![1, u8::try_from(module.len()).unwrap()];
        import.extend(module.bytes());
        import.push(u8::try_from(name.len()).unwrap());
        import.extend(name.bytes());
        import.extend([0, 0]);
        let mut wasm = b"\0asm\x01\0\0\0\x01\x04\x01\x60\0\0\x02".to_vec();
        wasm.push(u8::try_from(import.len()).unwrap());
        wasm.extend(import);
        wasm.extend([5, 3, 1, 0, 1]);
        wasm
    }

    #[test]
    fn a_module_that_wants_files_is_refused_by_name() {
        let error = Engine::compile(&importing("wasi_snapshot_preview1", "path_open")).unwrap_err();
        assert!(matches!(&error, EngineError::Import(name) if name == "wasi_snapshot_preview1.path_open"), "{error}");
        assert!(Engine::compile(&importing("env", "host_call")).is_ok());
    }

    #[test]
    fn what_is_no_module_is_refused() {
        assert!(matches!(Engine::compile(b"\0asm"), Err(EngineError::Unreadable(_))));
    }
}
