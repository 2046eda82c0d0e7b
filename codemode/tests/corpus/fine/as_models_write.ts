//? value 2
1 + 1

//? value "just a text"
'just a text'

//? nothing


//? nothing
let x = 1;

//? value {"a":[1,"two",null,true]}
return { a: [1, 'two', null, true] };

//? value 1024
const n: number = 2; return n ** 10;

//? value 3
async () => { return await host.add(1, 2); }

//? value 7
(async () => host.add(3, 4))

//? value 5
async function main(): Promise<number> { return 5 } await main()

//? value "plain"
(function () { return 'plain'; })

//? value "one,two"
const xs = await host.list(); xs.map((x) => x.title).join()

//? value "done"
for (let i = 0; i < 5; i++) console.log('line', i); await host.echo('done')

//? value [1,4,9,16]
const all = await Promise.all([1, 2, 3, 4].map((n) => host.echo(n * n))); return all;

//? value "b"
return await Promise.race([host.echo('a'), host.echo('b')]);

//? value ["fulfilled","rejected"]
return (await Promise.allSettled([host.echo(1), host.fail('x')])).map((r) => r.status);

//? value ["HostError","gone",true]
try { await host.fail('gone'); } catch (error) { return [error.name, error.message, error instanceof Error]; }

//? value "two"
interface Issue { id: number; title: string }
const byId = new Map<number, Issue>();
for (const issue of (await host.list()) as Issue[]) byId.set(issue.id, issue);
return byId.get(2)!.title;

//? value 10
enum Level { Low = 1, High = 5 }
namespace Deep { export const x = 2; }
Level.High * Deep.x

//? value 6
class Counter { #n = 0; constructor(private readonly step: number = 2) {} get n() { return this.#n }
async up() { this.#n += await host.echo(this.step); return this } }
const c = new Counter(); await c.up(); await (await c.up()).up(); c.n

//? value 1
abstract class A { abstract f(): string; static x: number; static { this.x = 1 } } A.x

//? value [0,1]
function* g() { let n = 0; while (true) yield n++; }
const it = g(); [it.next().value, it.next().value]

//? value 6
async function* pages() { for (const p of [1, 2, 3]) yield await host.echo(p); }
let sum = 0; for await (const p of pages()) sum += p; return sum;

//? value ["1","22"]
const m = 'a1b22'.matchAll(/(?<d>\d+)/g); [...m].map((x) => x.groups!.d)

//? value "05/2024-06"
'2024-05-06'.replace(/(?<y>\d{4})-(?<m>\d\d)/u, '$<m>/$<y>')

//? value "42"
/(?<=\$)\d+/.exec('cost $42')![0]

//? value "got thing"
const p = new Proxy({}, { get: (_, key) => `got ${String(key)}` }); (p as any).thing

//? value "18446744073709551616"
2n ** 64n

//? value 47
new Uint8Array([1, 2, 300]).reduce((a, b) => a + b, 0)

//? value 0
new DataView(new ArrayBuffer(8)).getFloat64(0)

//? value [["a",1]]
new Map([['a', 1]])

//? value [1,2]
new Set([1, 2, 2])

//? value "1970-01-01T00:00:00.000Z"
new Date(0)

//? value 0
Date.now() - 1767225600000

//? value 1000
const a = Date.now(); await host.echo(1); Date.now() - a

//? value 0
new Date().getTimezoneOffset()

//? value "none"
const x = { a: { b: null } }; x?.a?.b?.c ?? 'none'

//? value 5
let a = null; a ??= 3; a ||= 4; a &&= 5; a

//? value {"b":2,"c":3}
const { a, ...rest } = { a: 1, b: 2, c: 3 }; rest

//? value 3
[3, 1, 2].toSorted().at(-1)

//? value {"odd":[1,3],"even":[2]}
Object.groupBy([1, 2, 3], (n) => (n % 2 ? 'odd' : 'even'))

//? nothing
structured: for (const a of [1, 2]) for (const b of [1, 2]) { if (b === 2) continue structured; }

//? value "a|b|c1,2"
const tag = (s, ...v) => s.raw.join('|') + v.join(); tag`a${1}b${2}c`

//? value "x"
Symbol('x').description

//? value 1
const o = { a: 1 }; const w = new WeakRef(o); w.deref()?.a

//? value 2
JSON.parse('{"a":[1,2]}').a.length

//? value "%C3%A4%20b"
encodeURIComponent('ä b')

//? value 3
'😀ü'.length

//? value "�x"
'\ud800' + 'x'

//? value true
const r = Math.random(); r >= 0 && r < 1

//? value 1
console.error({ a: 1 }, [1], null, undefined, 1n, new TypeError('t'), Symbol('s'), () => 1); 1

//? value 610
const f = (n: number): number => (n < 2 ? n : f(n - 1) + f(n - 2)); f(15)

//? value 6
eval('1 + 2') + new Function('return 3')()

//? value "over"
host.echo('not awaited'); 'over'

//? value 5
const x = 5 satisfies number; <any>x

//? value true
let done = false; queueMicrotask(() => { done = true }); await 0; done

//? value 7
await { then(resolve: (x: number) => void) { resolve(7) } }

//? value {"then":"not a function"}
await host.echo({ then: 'not a function', __proto__: { x: 1 } })

//? value "undefinedundefinedundefinedundefined"
typeof fetch + typeof require + typeof process + typeof WebAssembly

//? value 1000
await sleep(1000); Date.now() - 1767225600000

//? value "yes"
if (await ask('really?')) return 'yes'; else return 'no';

//? value ["sleep","ask","echo","function"]
[sleep.name, ask.name, host.echo.name, typeof sleep]

//? value "mine 1"
const sleep = async (ms: number) => `mine ${ms}`; await sleep(1)

//? value "yes"
const retry = async (n) => { try { return await (n ? host.fail('no') : host.echo('yes')) } catch { return retry(n - 1) } };
await retry(3)

