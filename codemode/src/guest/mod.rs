//! One instance of the engine: its memory, and the functions of it that are called.
//!
//! Values of the engine are handled by the addresses of its `JSValue`s, as the package's own JavaScript does. Everything
//! that comes back is looked at as what a stranger says: lengths and addresses are checked by the runtime's memory view,
//! and text is bounded before it is copied.

mod calls;
mod memory;

use wasmer::sys::vm::TrapCode;
use wasmer::{FunctionEnv, Global, Instance, Memory, RuntimeError, Store, TypedFunction, WasmTypeList};

pub(crate) use self::calls::EXPORTS;
pub(crate) use self::memory::PAGE_BYTES;

use self::calls::Calls;
use crate::engine::Engine;
use crate::imports::{self, Host};
use crate::watchdog::Interrupter;

/// The address of a `JSValue` in the guest's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Value(pub(crate) i32);

/// Why the guest cannot go on. It is thrown away after each of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// The runtime's own stack ran out, below the limit that the engine watches.
    #[error("the stack ran out")]
    StackOverflow,
    /// The watchdog stopped it.
    #[error("the watchdog stopped it")]
    Interrupted,
    /// The engine's allocator has nothing left.
    #[error("the memory ran out")]
    OutOfMemory,
    /// It crashed, or the engine is not what this crate was written against.
    #[error("{0}")]
    Broken(String),
}

/// An instance.
pub(crate) struct Guest {
    store: Store,
    memory: Memory,
    stack_pointer: Global,
    host: FunctionEnv<Host>,
    instance: Instance,
    calls: Calls,
}

/// What became of a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Promise {
    Pending,
    Fulfilled(Value),
    Rejected(Value),
}

impl Guest {
    /// A new instance, with the memory as the module has it.
    pub(crate) fn new(engine: &Engine, host: Host) -> Result<Self, Fault> {
        let mut store = Store::new(engine.engine.clone());
        let host = FunctionEnv::new(&mut store, host);
        let imports = imports::link(&mut store, &host);
        let instance = Instance::new(&mut store, &engine.module, &imports).map_err(broken)?;
        let memory = instance.exports.get_memory("memory").map_err(broken)?.clone();
        let stack_pointer = instance.exports.get_global("__stack_pointer").map_err(broken)?.clone();
        host.as_mut(&mut store).memory = Some(memory.clone());
        let calls = Calls::find(&instance, &store)?;
        Ok(Self { store, memory, stack_pointer, host, instance, calls })
    }

    /// What stops it from another thread.
    pub(crate) fn interrupter(&self) -> Interrupter {
        let interrupter = self.store.interrupter();
        Interrupter::new(move || interrupter.interrupt())
    }

    /// Lets it serve another host.
    pub(crate) fn serve(&mut self, host: Host) {
        let own = self.host();
        let memory = own.memory.take();
        *own = Host { memory, ..host };
    }

    pub(crate) fn host(&mut self) -> &mut Host {
        self.host.as_mut(&mut self.store)
    }

    /// Calls an export that is needed rarely: at the start, and for snapshots.
    pub(crate) fn invoke<P: WasmTypeList, R: WasmTypeList>(
        &mut self,
        name: &str,
        parameters: P,
        call: impl FnOnce(&TypedFunction<P, R>, &mut Store, P) -> Result<R, RuntimeError>,
    ) -> Result<R, Fault> {
        let function = self.instance.exports.get_typed_function(&self.store, name).map_err(broken)?;
        call(&function, &mut self.store, parameters).map_err(fault)
    }

    /// Calls an export that takes numbers and gives none.
    pub(crate) fn set(&mut self, name: &str, value: u32) -> Result<(), Fault> {
        self.invoke(name, value.cast_signed(), |function: &TypedFunction<i32, ()>, store, value| {
            function.call(store, value)
        })
    }

    /// Calls an export that takes nothing and gives a number.
    pub(crate) fn get(&mut self, name: &str) -> Result<i32, Fault> {
        self.invoke(name, (), |function: &TypedFunction<(), i32>, store, ()| function.call(store))
    }

    /// Room in the guest's memory.
    pub(crate) fn allocate(&mut self, bytes: u32) -> Result<i32, Fault> {
        let at = self.calls.malloc.call(&mut self.store, bytes.cast_signed()).map_err(fault)?;
        if at == 0 { Err(Fault::OutOfMemory) } else { Ok(at) }
    }

    /// Text, with the zero behind it that C wants.
    fn place(&mut self, text: &str) -> Result<(i32, i32), Fault> {
        let len = u32::try_from(text.len()).map_err(|_| Fault::OutOfMemory)?;
        let at = self.allocate(len.checked_add(1).ok_or(Fault::OutOfMemory)?)?;
        let start = u64::from(at.cast_unsigned());
        self.write(start, text.as_bytes())?;
        self.write(start + u64::from(len), &[0])?;
        Ok((at, len.cast_signed()))
    }

    fn free(&mut self, at: i32) -> Result<(), Fault> {
        self.calls.free.call(&mut self.store, at).map_err(fault)
    }

    pub(crate) fn release(&mut self, value: Value) -> Result<(), Fault> {
        self.calls.free_value.call(&mut self.store, value.0).map_err(fault)
    }

    /// Evaluates a script and gives its value, or what it threw.
    pub(crate) fn evaluate(&mut self, code: &str, name: &str) -> Result<Result<Value, Value>, Fault> {
        let (code, len) = self.place(code)?;
        let (name, _) = self.place(name)?;
        // Flags 0: a script in the global scope.
        let value = self.calls.eval.call(&mut self.store, code, len, name, 0).map_err(fault)?;
        self.free(code)?;
        self.free(name)?;
        self.caught(value)
    }

    /// Calls a function of the engine with up to [`ARGUMENTS`] arguments. `scratch` has room for their addresses.
    pub(crate) fn call(
        &mut self,
        function: Value,
        this: Value,
        arguments: &[Value],
        scratch: i32,
    ) -> Result<Result<Value, Value>, Fault> {
        let count = u32::try_from(arguments.len()).map_err(broken)?;
        let mut addresses = Vec::new();
        for argument in arguments {
            addresses.extend_from_slice(&argument.0.to_le_bytes());
        }
        self.write(u64::from(scratch.cast_unsigned()), &addresses)?;
        let value =
            self.calls.call.call(&mut self.store, function.0, this.0, count.cast_signed(), scratch).map_err(fault)?;
        self.caught(value)
    }

    fn caught(&mut self, value: i32) -> Result<Result<Value, Value>, Fault> {
        if self.calls.is_exception.call(&mut self.store, value).map_err(fault)? == 0 {
            return Ok(Ok(Value(value)));
        }
        self.release(Value(value))?;
        let thrown = self.calls.exception.call(&mut self.store).map_err(fault)?;
        Ok(Err(Value(thrown)))
    }

    /// A property of an object that this crate made.
    pub(crate) fn property(&mut self, object: Value, name: &str) -> Result<Value, Fault> {
        let (name, _) = self.place(name)?;
        let value = self.invoke(
            "qjs_get_prop_string",
            (object.0, name),
            |function: &TypedFunction<(i32, i32), i32>, store, (object, name)| function.call(store, object, name),
        )?;
        self.free(name)?;
        Ok(Value(value))
    }

    pub(crate) fn new_text(&mut self, text: &str) -> Result<Value, Fault> {
        let (at, len) = self.place(text)?;
        let value = self.calls.new_string.call(&mut self.store, at, len).map_err(fault)?;
        self.free(at)?;
        match self.caught(value)? {
            Ok(value) => Ok(value),
            Err(thrown) => {
                self.release(thrown)?;
                Err(Fault::OutOfMemory)
            }
        }
    }

    /// The text of a value that is a text. `scratch` has room for its length. What is longer than `limit` is left
    /// where it is, and its length given.
    pub(crate) fn text(&mut self, value: Value, scratch: i32, limit: u32) -> Result<Result<String, u32>, Fault> {
        let at = self.calls.string.call(&mut self.store, value.0, scratch).map_err(fault)?;
        if at == 0 {
            return Err(Fault::OutOfMemory);
        }
        let view = self.memory.view(&self.store);
        let mut len = [0; 4];
        view.read(u64::from(scratch.cast_unsigned()), &mut len).map_err(broken)?;
        let len = u32::from_le_bytes(len);
        let text = if len > limit {
            Err(len)
        } else {
            let mut bytes = vec![0; usize::try_from(len).map_err(broken)?];
            view.read(u64::from(at.cast_unsigned()), &mut bytes).map_err(broken)?;
            // Half a surrogate pair is no UTF-8.
            Ok(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
        };
        self.calls.free_string.call(&mut self.store, at).map_err(fault)?;
        Ok(text)
    }

    pub(crate) fn is_null(&mut self, value: Value) -> Result<bool, Fault> {
        let is_null = self.invoke("qjs_is_null", value.0, |function: &TypedFunction<i32, i32>, store, value| {
            function.call(store, value)
        })?;
        Ok(is_null != 0)
    }

    /// Runs the next job of the queue; false if there is none. A job's own error is its promise's matter.
    pub(crate) fn run_job(&mut self) -> Result<bool, Fault> {
        if self.calls.is_job_pending.call(&mut self.store).map_err(fault)? == 0 {
            return Ok(false);
        }
        if self.calls.execute_job.call(&mut self.store).map_err(fault)? < 0 {
            let thrown = self.calls.exception.call(&mut self.store).map_err(fault)?;
            self.release(Value(thrown))?;
        }
        Ok(true)
    }

    pub(crate) fn promise(&mut self, promise: Value) -> Result<Promise, Fault> {
        // 0 pending, 1 fulfilled, 2 rejected.
        let state = self.calls.promise_state.call(&mut self.store, promise.0).map_err(fault)?;
        if state == 0 {
            return Ok(Promise::Pending);
        }
        let result = Value(self.calls.promise_result.call(&mut self.store, promise.0).map_err(fault)?);
        Ok(if state == 1 { Promise::Fulfilled(result) } else { Promise::Rejected(result) })
    }

    /// After the memory was put in place: where in it the runtime and the context lie.
    pub(crate) fn adopt(&mut self, runtime: i32, context: i32) -> Result<(), Fault> {
        self.invoke(
            "qjs_set_runtime_and_context",
            (runtime, context),
            |function: &TypedFunction<(i32, i32), ()>, store, (runtime, context)| {
                function.call(store, runtime, context)
            },
        )
    }
}

/// As many arguments as [`Guest::call`] is ever given; the scratch room holds them.
pub(crate) const ARGUMENTS: u32 = 2;

fn broken(error: impl std::fmt::Display) -> Fault {
    Fault::Broken(error.to_string())
}

fn fault(error: RuntimeError) -> Fault {
    let message = error.message();
    match error.to_trap() {
        Some(TrapCode::StackOverflow) => Fault::StackOverflow,
        Some(TrapCode::HostInterrupt) => Fault::Interrupted,
        Some(code) => Fault::Broken(format!("the engine crashed: {code}")),
        None => Fault::Broken(message),
    }
}
