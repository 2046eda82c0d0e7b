//? value [0,"gone"]
const b = new ArrayBuffer(8); const t = new Uint8Array(b); b.transfer(); [t.length, t[0] ?? 'gone']

//? value "still"
for (const k of Object.getOwnPropertyNames(globalThis)) { try { globalThis[k] = undefined } catch {} }
await host.echo('still')

//? value 3
globalThis.Promise = class {}; Promise.prototype.then = null;
await host.add(1, 2)

//? value 3
Promise.prototype.then = () => { throw 1 }; Promise.resolve = null;
await host.add(1, 2)

//? value 3
JSON.stringify = () => 'forged'; JSON.parse = () => ({});
await host.add(1, 2)

//? value "forged"
Array.prototype.toJSON = () => 'forged'; const x = await host.echo([1]); x

//? value 1
Object.prototype.toJSON = () => 1; return { a: 1 };

//? value 4
Array.prototype[Symbol.iterator] = null; Array.prototype.push = null; Array.prototype.forEach = null;
await host.add(2, 2)

//? value 5
Function.prototype.call = Function.prototype.apply = Function.prototype.bind = null;
await host.add(2, 3)

//? value 6
Object.defineProperty(Array.prototype, 0, { set() { throw 'trap' } });
await host.add(2, 4)

//? throws
Object.defineProperty(Object.prototype, 'error', { get() { throw 'trap' } });
await host.echo(1)

//? value 1
Object.setPrototypeOf(globalThis, null); await host.echo(1)

//? throws TypeError
host = null

//? throws TypeError
(globalThis as any).host.echo = () => 1

//? throws TypeError
delete (globalThis as any).host

//? throws TypeError
sleep = null

//? throws TypeError
(globalThis as any).sleep = () => 1

//? throws TypeError
(sleep as any).forged = 1

//? throws TypeError
await new (sleep as any)(1)

//? throws
Error.prepareStackTrace = () => { throw 1 }; Error.stackTraceLimit = 1e9; throw new Error('e')

//? throws
throw new Proxy({}, { get() { throw 1 }, getPrototypeOf() { throw 2 } })

//? throws Error: trap
return new Proxy([], { get() { throw new Error('trap') } })

//? throws Error: x
const e = new Error('x'); e.stack = 'at f (program:999999999999:1)\n    at g (program:2:99999)'; throw e

//? throws
const e = new Error('m'.repeat(3e6)); throw e

//? throws
Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0)

//? value 5
(async () => {}).constructor('return 5')()

//? value "ok"
Math.random = () => { throw 1 }; Date = null; await host.echo('ok')

//? value "ok"
const r = new FinalizationRegistry(() => {}); for (let i = 0; i < 1e4; i++) r.register({}, i); 'ok'

//? value "function"
typeof (0, eval)('this').constructor.constructor

//? throws ReferenceError
(() => {}).constructor('return process')()

//? value "undefined"
typeof (0, eval)('this').process

//? throws TypeError: invalid property access
(function () { return (Function.prototype as any).caller; })()

//? value 5
String.prototype.toWellFormed = () => { throw 1 }; String.prototype.valueOf = () => 'forged'; await host.echo(5)

//? value [1,2]
Reflect.apply = () => { throw 1 }; Reflect.ownKeys = () => []; new Set([1, 2])

//? value [["a",1]]
Map.prototype.forEach = function () { throw 1 }; Map.prototype[Symbol.iterator] = null as any; new Map([['a', 1]].values() as any)

//? value {"a":1}
Object.keys = Object.entries = Object.getPrototypeOf = () => { throw 1 }; await host.echo({ a: 1 })

//? value "x"
Object.defineProperty(Object.prototype, 'name', { value: 'forged', writable: true }); await host.echo('x')

//? value "x"
Object.defineProperty(Object.prototype, '1', { value: 'forged', writable: true }); await host.echo('x')

//? throws
Object.defineProperty(Object.prototype, 'id', { get() { return 1 }, set() { throw 'trap' } }); Object.prototype.toString = () => { throw 2 }; throw {}

//? throws
Error.prototype.toString = () => { throw 1 }; Object.defineProperty(Error.prototype, 'name', { get() { throw 2 } }); throw new Error('x')

//? throws
class E extends Error { static [Symbol.hasInstance]() { throw 1 } } Object.defineProperty(Error, Symbol.hasInstance, { value() { throw 2 } }); throw new E('x')

//? value 3
class Evil extends Promise<any> { then(): any { throw 1 } } globalThis.Promise = Evil as any; await host.add(1, 2)

//? value "ok"
Object.defineProperty(Promise, Symbol.species, { get() { throw 1 } }); Promise.prototype.constructor = class { constructor() { throw 2 } } as any; await host.echo('ok')

//? value 1
globalThis.globalThis = null as any; await host.echo(1)

//? value [8,0]
// A buffer that goes away while it is used.
const t = new Uint8Array(8); const n = t.length; t.sort((a, b) => { t.buffer.transfer(); return a - b; }); [n, t.length]

//? value [4,"gone"]
const b = new ArrayBuffer(4, { maxByteLength: 8 }); const v = new DataView(b, 2); b.resize(1); let how = 'there'; try { v.getInt8(0); } catch { how = 'gone'; } [4, how]

//? throws TypeError
const b = new ArrayBuffer(8); b.transfer(); new Uint8Array(b)

//? value [0,2]
const a = [1, 2, 3]; const seen: any[] = []; a.forEach((x) => { a.length = 0; seen.push(x); }); [a.length, seen.length + 1]

//? value "no crash"
const a: any[] = [3, 1, 2]; a.sort(() => { a.length = 0; a.push({}); return 1; }); 'no crash'

//? value "no crash"
const o: any = {}; const e = [o]; e.concat(new Proxy([], { get(t: any, k) { e.length = 0; return t[k]; } })); Array.prototype.splice.call(new Proxy([1, 2, 3], { get(t: any, k) { t.length = 1; return t[k]; } }), 0, 2); 'no crash'

//? value "no crash"
const r = /a/g; (r as any)[Symbol.replace] = null; Object.defineProperty(r, 'exec', { value() { (r as any).compile?.('b'); return null; } }); 'aaa'.replace(r as any, 'b'); r.test('a'); 'no crash'

//? value "no crash"
const m = new Map<any, any>([[1, 1], [2, 2]]); for (const [k] of m) { m.clear(); if (k > 5) break; } const w = new WeakMap(); for (let i = 0; i < 1e4; i++) w.set({}, { w }); 'no crash'

//? value "no crash"
const g: any = (function* (): any { g.next(); yield 1; })(); try { g.next(); } catch {} 'no crash'

//? value "no crash"
const p: any = new Proxy(function () {}, { construct() { return {}; }, getPrototypeOf() { return p; } }); try { ({}) instanceof p; } catch {} try { Object.setPrototypeOf({}, p); } catch {} 'no crash'

//? value "no crash"
const a: any = []; a[2 ** 31] = 1; a.length = 0; Array.prototype.unshift.call({ length: 2 ** 32 }, ...[]); 'no crash'

//? value "no crash"
let s: any = 'x'; for (let i = 0; i < 20; i++) s = s + s; s.charAt(1e9); s.slice(-1e9, 1e9); 'x'.at(2 ** 31); 'no crash'

//? value "no crash"
for (const C of [Uint8Array, Float64Array, BigInt64Array]) { for (const n of [-1, 2 ** 53, NaN, 1.5, Infinity]) { try { new (C as any)(n); } catch {} try { new (C as any)(new ArrayBuffer(8), n, n); } catch {} } } 'no crash'

//? value "no crash"
const fr = new FinalizationRegistry(() => { throw 1 }); (() => { for (let i = 0; i < 1e4; i++) fr.register({ i }, i); })(); await host.echo(1); 'no crash'
