//! The functions of the engine that every run needs.

use wasmer::{Instance, Store, TypedFunction, WasmTypeList};

use super::{Fault, broken};

/// All that is called of the engine, and its memory. It has no other exports (`binary.rs`).
pub(crate) const EXPORTS: [&str; 28] = [
    "memory",
    "__stack_pointer",
    "_initialize",
    "qjs_call",
    "qjs_eval",
    "qjs_execute_pending_job",
    "qjs_free_cstring",
    "qjs_free_value",
    "qjs_get_context_ptr",
    "qjs_get_exception",
    "qjs_get_prop_string",
    "qjs_get_runtime_ptr",
    "qjs_get_string_len",
    "qjs_get_undefined",
    "qjs_init",
    "qjs_is_exception",
    "qjs_is_job_pending",
    "qjs_is_null",
    "qjs_new_string",
    "qjs_promise_result",
    "qjs_promise_state",
    "qjs_run_gc",
    "qjs_set_interrupt_handler",
    "qjs_set_max_stack_size",
    "qjs_set_memory_limit",
    "qjs_set_runtime_and_context",
    "wasm_free",
    "wasm_malloc",
];

/// What is called in every run, looked up once in an instance.
pub(super) struct Calls {
    pub(super) malloc: TypedFunction<i32, i32>,
    pub(super) free: TypedFunction<i32, ()>,
    pub(super) free_value: TypedFunction<i32, ()>,
    pub(super) eval: TypedFunction<(i32, i32, i32, i32), i32>,
    pub(super) call: TypedFunction<(i32, i32, i32, i32), i32>,
    pub(super) new_string: TypedFunction<(i32, i32), i32>,
    pub(super) string: TypedFunction<(i32, i32), i32>,
    pub(super) free_string: TypedFunction<i32, ()>,
    pub(super) is_exception: TypedFunction<i32, i32>,
    pub(super) exception: TypedFunction<(), i32>,
    pub(super) is_job_pending: TypedFunction<(), i32>,
    pub(super) execute_job: TypedFunction<(), i32>,
    pub(super) promise_state: TypedFunction<i32, i32>,
    pub(super) promise_result: TypedFunction<i32, i32>,
}

impl Calls {
    pub(super) fn find(instance: &Instance, store: &Store) -> Result<Self, Fault> {
        fn find<P: WasmTypeList, R: WasmTypeList>(
            instance: &Instance,
            store: &Store,
            name: &str,
        ) -> Result<TypedFunction<P, R>, Fault> {
            instance.exports.get_typed_function(store, name).map_err(broken)
        }
        Ok(Self {
            malloc: find(instance, store, "wasm_malloc")?,
            free: find(instance, store, "wasm_free")?,
            free_value: find(instance, store, "qjs_free_value")?,
            eval: find(instance, store, "qjs_eval")?,
            call: find(instance, store, "qjs_call")?,
            new_string: find(instance, store, "qjs_new_string")?,
            string: find(instance, store, "qjs_get_string_len")?,
            free_string: find(instance, store, "qjs_free_cstring")?,
            is_exception: find(instance, store, "qjs_is_exception")?,
            exception: find(instance, store, "qjs_get_exception")?,
            is_job_pending: find(instance, store, "qjs_is_job_pending")?,
            execute_job: find(instance, store, "qjs_execute_pending_job")?,
            promise_state: find(instance, store, "qjs_promise_state")?,
            promise_result: find(instance, store, "qjs_promise_result")?,
        })
    }
}
