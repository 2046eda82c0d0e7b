//? value "first"
await Promise.any([host.fail('x'), host.echo('first'), host.fail('y')])

//? value [{"status":"rejected","reason":{"name":"HostError","message":"no"}},{"status":"fulfilled","value":1}]
await Promise.allSettled([host.fail('no'), host.echo(1)])

//? value ["HostError","HostError",2]
try { await Promise.any([host.fail('a'), host.fail('b')]); } catch (error: any) { return [...error.errors.map((e: Error) => e.name), error.errors.length]; }

//? value "timeout"
const slow = new Promise<string>(() => {});
await Promise.race([slow, sleep(50).then(() => 'timeout')])

//? value [1,2,3]
const out: number[] = []; for await (const n of [host.echo(1), 2, Promise.resolve(3)]) out.push(n); out

//? value [[0,1],[2,3],[4]]
const chunks: number[][] = [];
for (let i = 0; i < 5; i += 2) chunks.push(await Promise.all([i, i + 1].filter((n) => n < 5).map((n) => host.echo(n))));
chunks

//? value {"most":2,"done":6}
let active = 0, most = 0, done = 0;
const queue = [1, 2, 3, 4, 5, 6];
const worker = async () => { for (let n; (n = queue.shift()) !== undefined; ) { most = Math.max(most, ++active); await host.echo(n); active--; done++; } };
await Promise.all([worker(), worker()]);
({ most, done })

//? value "third time"
let tries = 0;
const flaky = async () => { if (++tries < 3) await host.fail('again'); return 'third time'; };
for (;;) { try { return await flaky(); } catch { await sleep(2 ** tries); } }

//? value ["then","finally","catch boom"]
const log: string[] = [];
await host.echo(1).then(() => log.push('then')).finally(() => log.push('finally'));
await Promise.reject('boom').catch((e) => log.push(`catch ${e}`));
log

//? value ["sync","micro 1","micro 2","after"]
const order: string[] = [];
Promise.resolve().then(() => order.push('micro 1')).then(() => order.push('micro 2'));
order.push('sync'); await 0; await 0; order.push('after'); order

//? value 42
const { promise, resolve } = Promise.withResolvers<number>(); host.echo(42).then(resolve); await promise

//? value ["tried","RangeError"]
[await Promise.try(() => 'tried'), await Promise.try(() => { throw new RangeError('x'); }).catch((e) => e.name)]

//? value [2,4]
await Array.fromAsync([1, host.echo(2)], async (n: number) => n * 2)

//? value ["page 1","page 2"]
async function* pages() { let cursor: number | null = 1; while (cursor) { const page: number = await host.echo(cursor); yield `page ${page}`; cursor = page < 2 ? page + 1 : null; } }
const all = []; for await (const page of pages()) all.push(page); all

//? value ["cleaned",1]
const log: string[] = [];
async function* source() { try { yield await host.echo(1); yield await host.echo(2); } finally { await host.echo('cleaning'); log.push('cleaned'); } }
let first; for await (const n of source()) { first = n; break; }
[...log, first]

//? value ["a","b","c"]
async function* a() { yield 'a'; } async function* all() { yield* a(); yield* ['b', Promise.resolve('c')]; }
const got: string[] = []; for await (const x of all()) got.push(x); got

//? value "HostError: in a generator"
async function* fails() { yield await host.fail('in a generator'); }
try { for await (const _ of fails()); } catch (error) { return String(error); }

//? value ["one","two"]
const feed = { async *[Symbol.asyncIterator]() { for (const { title } of await host.list()) yield title; } };
const titles = []; for await (const title of feed) titles.push(title); titles

//? value 3
await (async () => { const [a, b] = await Promise.all([host.echo(1), host.echo(2)]); return a + b; })()

//? value [1,2]
const thenable = { then(ok: (v: number) => void) { host.echo(1).then(ok); } };
[await thenable, await host.echo(2)]

//? value ["slow","fast"]
const results: Record<string, string> = {};
await Promise.all(['slow', 'fast'].map(async (k) => { results[k] = await host.echo(k); }));
Object.keys(results).sort().reverse()

//? value "all of 20"
const n = 20; const all = await Promise.all(Array.from({ length: n }, (_, i) => host.echo(i)));
all.every((x, i) => x === i) ? `all of ${n}` : all

//? value "unhandled is no end"
Promise.reject(new Error('nobody looks')); await host.echo(1); 'unhandled is no end'

//? value [[1,"one"],[2,"two"]]
await Promise.all((await host.list()).map(async ({ id, title }) => [await host.echo(id), title]))

//? value "awaited 3 deep"
await Promise.resolve(Promise.resolve(host.echo('awaited 3 deep')))

//? value 10
let total = 0; const add = async (n: number) => { const before = total; await null; total = before + n; };
for (const n of [1, 2, 3, 4]) await add(n); total

//? value ["mutex 1","mutex 2"]
let last: Promise<unknown> = Promise.resolve(); const order: string[] = [];
const locked = (f: () => Promise<void>) => (last = last.then(f));
locked(async () => { await host.echo(1); order.push('mutex 1'); }); await locked(async () => { order.push('mutex 2'); }); order

//? value {"closure":41,"map":"kept","date":"2026-01-01T00:00:00.000Z","regex":"b","symbol":true,"big":"9007199254740993"}
// What is alive across a wait, of every kind.
let n = 40; const up = () => ++n; const map = new Map([['k', 'kept']]); const date = new Date(); const regex = /b/g; regex.exec('abab');
const symbol = Symbol.for('kept'); const big = 2n ** 53n + 1n; const weak = new WeakMap([[map, 'weak']]);
await host.echo(up());
({ closure: n, map: map.get('k'), date, regex: regex.exec('abab')![0], symbol: Symbol.for('kept') === symbol && weak.get(map) === 'weak', big })

//? value [[1,2,3],[9,8],"buffered",true]
const view = new Uint8Array([1, 2, 3]); const copy = new Uint16Array([9, 8]); const text = ['buf', 'fered'].join('');
const set = new Set([view]); const proxy = new Proxy(set, { get: (t, k) => Reflect.get(t, k, t) });
await host.echo(0); await host.echo(1);
[[...view], [...copy], text, set.has(view) && proxy.size === 1]

//? value 11
function* counts() { let n = 10; for (;;) yield n++; } const it = counts(); it.next(); await host.echo(1); it.next().value

//? value "try 7 finally"
const f = async () => { try { return `try ${await host.add(3, 4)}`; } finally { await host.echo('in finally'); } }; `${await f()} finally`

//? value ["loop 0","loop 1"]
const seen: string[] = []; let i = 0;
do { const at = i; await sleep(1); seen.push(`loop ${at}`); } while (++i < 2);
seen
