//! Names that an [`Api`](crate::Api) cannot have.

/// Words that cannot name a variable, and globals that programs expect to be what they are: those of the engine (a test
/// asks it for them) and a few that it may get.
#[rustfmt::skip]
pub(crate) const TAKEN: &[&str] = &[
    "AggregateError", "Array", "ArrayBuffer", "AsyncDisposableStack", "AsyncIterator", "Atomics", "BigInt",
    "BigInt64Array", "BigUint64Array", "Boolean", "DOMException", "DataView", "Date", "DisposableStack", "Error",
    "EvalError", "FinalizationRegistry", "Float16Array", "Float32Array", "Float64Array", "Function", "Infinity",
    "Int16Array", "Int32Array", "Int8Array", "InternalError", "Intl", "Iterator", "JSON", "Map", "Math", "NaN",
    "Number", "Object", "Promise", "Proxy", "RangeError", "ReferenceError", "Reflect", "RegExp", "Set",
    "SharedArrayBuffer", "String", "SuppressedError", "Symbol", "SyntaxError", "Temporal", "TypeError", "URIError",
    "Uint16Array", "Uint32Array", "Uint8Array", "Uint8ClampedArray", "WeakMap", "WeakRef", "WeakSet", "WebAssembly",
    "arguments", "async", "atob", "await", "break", "btoa", "case", "catch", "class", "console", "const", "continue",
    "debugger", "decodeURI", "decodeURIComponent", "default", "delete", "do", "else", "encodeURI", "encodeURIComponent",
    "enum", "escape", "eval", "export", "extends", "false", "finally", "for", "function", "gc", "globalThis", "if",
    "implements", "import", "in", "instanceof", "interface", "isFinite", "isNaN", "let", "navigator", "new", "null",
    "package", "parseFloat", "parseInt", "performance", "private", "protected", "public", "queueMicrotask", "return",
    "static", "structuredClone", "super", "switch", "this", "throw", "true", "try", "typeof", "undefined", "unescape",
    "var", "void", "while", "with", "yield",
];
