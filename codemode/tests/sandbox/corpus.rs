//! The programs. Each with what it must come to.

/// What a program must come to.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ends {
    /// A value, as JSON.
    With(&'static str),
    /// The value `undefined`.
    WithNothing,
    /// Something thrown, whose text has this in it.
    Throwing(&'static str),
    /// A limit, whose text has this in it.
    AtLimit(&'static str),
    /// Waiting for nothing.
    Stalled,
    /// A value that is not data.
    WithoutJson,
}

use Ends::{AtLimit, Stalled, Throwing, With, WithNothing, WithoutJson};

/// As models write them.
pub(crate) const FINE: &[(&str, Ends)] = &[
    ("1 + 1", With("2")),
    ("'just a text'", With("\"just a text\"")),
    ("", WithNothing),
    ("let x = 1;", WithNothing),
    ("return { a: [1, 'two', null, true] };", With(r#"{"a":[1,"two",null,true]}"#)),
    ("const n: number = 2; return n ** 10;", With("1024")),
    ("async () => { return await host.add(1, 2); }", With("3")),
    ("(async () => host.add(3, 4))", With("7")),
    ("async function main(): Promise<number> { return 5 } await main()", With("5")),
    ("(function () { return 'plain'; })", With("\"plain\"")),
    ("const xs = await host.list(); xs.map((x) => x.title).join()", With("\"one,two\"")),
    ("for (let i = 0; i < 5; i++) console.log('line', i); await host.echo('done')", With("\"done\"")),
    ("const all = await Promise.all([1, 2, 3, 4].map((n) => host.echo(n * n))); return all;", With("[1,4,9,16]")),
    ("return await Promise.race([host.echo('a'), host.echo('b')]);", With("\"b\"")),
    (
        "return (await Promise.allSettled([host.echo(1), host.fail('x')])).map((r) => r.status);",
        With(r#"["fulfilled","rejected"]"#),
    ),
    (
        "try { await host.fail('gone'); } catch (error) { return [error.name, error.message, error instanceof Error]; }",
        With(r#"["HostError","gone",true]"#),
    ),
    (
        "interface Issue { id: number; title: string }\nconst byId = new Map<number, Issue>();\n\
         for (const issue of (await host.list()) as Issue[]) byId.set(issue.id, issue);\nreturn byId.get(2)!.title;",
        With("\"two\""),
    ),
    ("enum Level { Low = 1, High = 5 }\nnamespace Deep { export const x = 2; }\nLevel.High * Deep.x", With("10")),
    (
        "class Counter { #n = 0; constructor(private readonly step: number = 2) {} get n() { return this.#n }\n\
         async up() { this.#n += await host.echo(this.step); return this } }\n\
         const c = new Counter(); await c.up(); await (await c.up()).up(); c.n",
        With("6"),
    ),
    ("abstract class A { abstract f(): string; static x: number; static { this.x = 1 } } A.x", With("1")),
    (
        "function* g() { let n = 0; while (true) yield n++; }\nconst it = g(); [it.next().value, it.next().value]",
        With("[0,1]"),
    ),
    (
        "async function* pages() { for (const p of [1, 2, 3]) yield await host.echo(p); }\n\
         let sum = 0; for await (const p of pages()) sum += p; return sum;",
        With("6"),
    ),
    ("const m = 'a1b22'.matchAll(/(?<d>\\d+)/g); [...m].map((x) => x.groups!.d)", With(r#"["1","22"]"#)),
    ("'2024-05-06'.replace(/(?<y>\\d{4})-(?<m>\\d\\d)/u, '$<m>/$<y>')", With("\"05/2024-06\"")),
    ("/(?<=\\$)\\d+/.exec('cost $42')![0]", With("\"42\"")),
    ("const p = new Proxy({}, { get: (_, key) => `got ${String(key)}` }); (p as any).thing", With("\"got thing\"")),
    ("2n ** 64n", With("\"18446744073709551616\"")),
    ("new Uint8Array([1, 2, 300]).reduce((a, b) => a + b, 0)", With("47")),
    ("new DataView(new ArrayBuffer(8)).getFloat64(0)", With("0")),
    ("new Map([['a', 1]])", With(r#"[["a",1]]"#)),
    ("new Set([1, 2, 2])", With("[1,2]")),
    ("new Date(0)", With("\"1970-01-01T00:00:00.000Z\"")),
    ("Date.now() - 1767225600000", With("0")),
    ("const a = Date.now(); await host.echo(1); Date.now() - a", With("1000")),
    ("new Date().getTimezoneOffset()", With("0")),
    ("const x = { a: { b: null } }; x?.a?.b?.c ?? 'none'", With("\"none\"")),
    ("let a = null; a ??= 3; a ||= 4; a &&= 5; a", With("5")),
    ("const { a, ...rest } = { a: 1, b: 2, c: 3 }; rest", With(r#"{"b":2,"c":3}"#)),
    ("[3, 1, 2].toSorted().at(-1)", With("3")),
    ("Object.groupBy([1, 2, 3], (n) => (n % 2 ? 'odd' : 'even'))", With(r#"{"odd":[1,3],"even":[2]}"#)),
    ("structured: for (const a of [1, 2]) for (const b of [1, 2]) { if (b === 2) continue structured; }", WithNothing),
    ("const tag = (s, ...v) => s.raw.join('|') + v.join(); tag`a${1}b${2}c`", With("\"a|b|c1,2\"")),
    ("Symbol('x').description", With("\"x\"")),
    ("const o = { a: 1 }; const w = new WeakRef(o); w.deref()?.a", With("1")),
    ("JSON.parse('{\"a\":[1,2]}').a.length", With("2")),
    ("encodeURIComponent('ä b')", With("\"%C3%A4%20b\"")),
    ("'\u{1f600}ü'.length", With("3")),
    ("'\\ud800' + 'x'", With("\"\u{fffd}x\"")),
    ("const r = Math.random(); r >= 0 && r < 1", With("true")),
    ("console.error({ a: 1 }, [1], null, undefined, 1n, new TypeError('t'), Symbol('s'), () => 1); 1", With("1")),
    ("const f = (n: number): number => (n < 2 ? n : f(n - 1) + f(n - 2)); f(15)", With("610")),
    ("eval('1 + 2') + new Function('return 3')()", With("6")),
    ("host.echo('not awaited'); 'over'", With("\"over\"")),
    ("const x = 5 satisfies number; <any>x", With("5")),
    ("let done = false; queueMicrotask(() => { done = true }); await 0; done", With("true")),
    ("await { then(resolve: (x: number) => void) { resolve(7) } }", With("7")),
    ("await host.echo({ then: 'not a function', __proto__: { x: 1 } })", With(r#"{"then":"not a function"}"#)),
    (
        "typeof fetch + typeof require + typeof process + typeof WebAssembly",
        With("\"undefinedundefinedundefinedundefined\""),
    ),
    ("await sleep(1000); Date.now() - 1767225600000", With("1000")),
    ("if (await ask('really?')) return 'yes'; else return 'no';", With("\"yes\"")),
    ("[sleep.name, ask.name, host.echo.name, typeof sleep]", With(r#"["sleep","ask","echo","function"]"#)),
    ("const sleep = async (ms: number) => `mine ${ms}`; await sleep(1)", With("\"mine 1\"")),
    (
        "const retry = async (n) => { try { return await (n ? host.fail('no') : host.echo('yes')) } catch { return retry(n - 1) } };\nawait retry(3)",
        With("\"yes\""),
    ),
];

/// As models get them wrong.
pub(crate) const BROKEN: &[(&str, Ends)] = &[
    ("const a = 1;\nreturn b;", Throwing("ReferenceError: b is not defined\n  --> program:2:8")),
    ("const x = null;\nx.y", Throwing("TypeError: cannot read property 'y' of null")),
    ("await host.nope()", Throwing("TypeError: not a function")),
    ("await host.fail('no such file')", Throwing("HostError: no such file (from host.fail)")),
    ("throw 42", Throwing("the program threw 42, which is no Error")),
    ("throw { a: 1 }", Throwing(r#"the program threw {"a":1}"#)),
    ("throw null", Throwing("threw null")),
    ("throw undefined", Throwing("threw undefined")),
    ("throw Symbol('s')", Throwing("threw Symbol(s)")),
    ("throw new (class MyError extends Error { name = 'MyError' })('mine')", Throwing("MyError: mine")),
    ("await new Promise(() => {})", Stalled),
    ("new Promise(() => {}); await host.echo(1); await new Promise(() => {})", Stalled),
    ("const a: any = { n: 1 }; a.self = a; return a;", WithoutJson),
    ("return () => 1;", WithNothing),
    ("await import('fs')", Throwing("Error")),
    ("JSON.parse('{')", Throwing("SyntaxError")),
    (
        "await host.echo((() => { const a: any = []; a.push(a); return a })())",
        Throwing("TypeError: circular reference"),
    ),
    ("const x = 1; (x as any) = 2;", Throwing("TypeError: 'x' is read-only")),
    ("undeclared = 1", Throwing("ReferenceError")),
    ("new Array(-1)", Throwing("RangeError")),
    ("await Promise.any([host.fail('a'), host.fail('b')])", Throwing("AggregateError")),
    ("await Promise.reject(new RangeError('r'))", Throwing("RangeError: r")),
];

/// As an attacker would.
pub(crate) const HOSTILE: &[(&str, Ends)] = &[
    ("while (true) {}", AtLimit("processor time")),
    ("try { while (true) {} } catch { return 'escaped' } finally { return 'escaped' }", AtLimit("processor time")),
    ("for (;;) await 0;", AtLimit("processor time")),
    ("const f = () => Promise.resolve().then(f); await f();", AtLimit("program")),
    ("return { get x() { while (true) {} } };", AtLimit("processor time")),
    ("return { toJSON() { for (;;) {} } };", AtLimit("processor time")),
    (
        "throw { get message() { for (;;) {} }, get name() { for (;;) {} }, toString() { for (;;) {} }, toJSON() { for (;;) {} } }",
        AtLimit("processor time"),
    ),
    ("console.log({ toJSON() { for (;;) {} } })", AtLimit("processor time")),
    ("await host.echo({ toJSON() { for (;;) {} } })", AtLimit("processor time")),
    ("/^(a+)+$/.test('a'.repeat(40) + '!')", AtLimit("processor time")),
    ("await host.echo(1); while (true) {}", AtLimit("processor time")),
    ("[...(function* () { for (;;) yield; })()]", AtLimit("program")),
    ("function f() { f() } f()", AtLimit("too deeply")),
    ("const f = async () => { await f() }; await f()", AtLimit("too deeply")),
    ("let a: any = []; for (let i = 0; i < 1e5; i++) a = [a]; return a;", AtLimit("too deeply")),
    ("const o = { toString() { return `${this}` } }; `${o}`", AtLimit("too deeply")),
    ("const a = []; for (;;) a.push(new Array(1000).fill(1))", AtLimit("memory")),
    ("let s = 'x'; for (;;) s += s", Throwing("string too long")),
    ("'x'.repeat(2 ** 28)", AtLimit("memory")),
    ("new ArrayBuffer(2 ** 31)", Throwing("RangeError")),
    ("new Uint8Array(500_000_000)", AtLimit("memory")),
    (
        "const a = []; try { for (;;) a.push('x'.repeat(1e6) + a.length) } catch { a.length = 0 } return 'recovered'",
        With("\"recovered\""),
    ),
    ("for (;;) console.log('flood'.repeat(100))", AtLimit("console")),
    ("for (;;) { try { console.log('flood'.repeat(100)) } catch {} }", AtLimit("processor time")),
    ("for (let i = 0; i < 1e4; i++) host.echo(i)", AtLimit("at the same time")),
    ("for (let i = 0; i < 1e4; i++) { try { await host.echo(i) } catch {} }", AtLimit("host calls")),
    ("await host.echo('x'.repeat(2 ** 21))", Throwing("the arguments of host.echo are 2097156 bytes")),
    ("'x'.repeat(300_000)", AtLimit("bytes of JSON")),
    (
        "const b = new ArrayBuffer(8); const t = new Uint8Array(b); b.transfer(); [t.length, t[0] ?? 'gone']",
        With(r#"[0,"gone"]"#),
    ),
    (
        "for (const k of Object.getOwnPropertyNames(globalThis)) { try { globalThis[k] = undefined } catch {} }\nawait host.echo('still')",
        With("\"still\""),
    ),
    ("globalThis.Promise = class {}; Promise.prototype.then = null;\nawait host.add(1, 2)", With("3")),
    ("Promise.prototype.then = () => { throw 1 }; Promise.resolve = null;\nawait host.add(1, 2)", With("3")),
    ("JSON.stringify = () => 'forged'; JSON.parse = () => ({});\nawait host.add(1, 2)", With("3")),
    ("Array.prototype.toJSON = () => 'forged'; const x = await host.echo([1]); x", With("\"forged\"")),
    ("Object.prototype.toJSON = () => 1; return { a: 1 };", With("1")),
    (
        "Array.prototype[Symbol.iterator] = null; Array.prototype.push = null; Array.prototype.forEach = null;\nawait host.add(2, 2)",
        With("4"),
    ),
    (
        "Function.prototype.call = Function.prototype.apply = Function.prototype.bind = null;\nawait host.add(2, 3)",
        With("5"),
    ),
    ("Object.defineProperty(Array.prototype, 0, { set() { throw 'trap' } });\nawait host.add(2, 4)", With("6")),
    ("Object.defineProperty(Object.prototype, 'error', { get() { throw 'trap' } });\nawait host.echo(1)", Throwing("")),
    ("Object.setPrototypeOf(globalThis, null); await host.echo(1)", With("1")),
    ("host = null", Throwing("TypeError")),
    ("(globalThis as any).host.echo = () => 1", Throwing("TypeError")),
    ("delete (globalThis as any).host", Throwing("TypeError")),
    ("sleep = null", Throwing("TypeError")),
    ("(globalThis as any).sleep = () => 1", Throwing("TypeError")),
    ("(sleep as any).forged = 1", Throwing("TypeError")),
    ("await new (sleep as any)(1)", Throwing("TypeError")),
    ("Error.prepareStackTrace = () => { throw 1 }; Error.stackTraceLimit = 1e9; throw new Error('e')", Throwing("")),
    ("throw new Proxy({}, { get() { throw 1 }, getPrototypeOf() { throw 2 } })", Throwing("")),
    ("return new Proxy([], { get() { throw new Error('trap') } })", Throwing("Error: trap")),
    (
        "const e = new Error('x'); e.stack = 'at f (program:999999999999:1)\\n    at g (program:2:99999)'; throw e",
        Throwing("Error: x"),
    ),
    ("const e = new Error('m'.repeat(3e6)); throw e", Throwing("")),
    ("Atomics.wait(new Int32Array(new SharedArrayBuffer(8)), 0, 0)", Throwing("")),
    ("(async () => {}).constructor('return 5')()", With("5")),
    ("Math.random = () => { throw 1 }; Date = null; await host.echo('ok')", With("\"ok\"")),
    (
        "const r = new FinalizationRegistry(() => {}); for (let i = 0; i < 1e4; i++) r.register({}, i); 'ok'",
        With("\"ok\""),
    ),
    ("await host.echo('\\ud800\\udfff\\udc00')", With("\"\u{103ff}\u{fffd}\"")),
    ("console.log('\\ud800'); console.log('\\u0000'); 1", With("1")),
];
