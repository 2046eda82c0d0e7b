//? limit processor time
while (true) {}

//? limit processor time
try { while (true) {} } catch { return 'escaped' } finally { return 'escaped' }

//? limit processor time
for (;;) await 0;

//? limit program
const f = () => Promise.resolve().then(f); await f();

//? limit processor time
return { get x() { while (true) {} } };

//? limit processor time
return { toJSON() { for (;;) {} } };

//? limit processor time
throw { get message() { for (;;) {} }, get name() { for (;;) {} }, toString() { for (;;) {} }, toJSON() { for (;;) {} } }

//? limit processor time
console.log({ toJSON() { for (;;) {} } })

//? limit processor time
await host.echo({ toJSON() { for (;;) {} } })

//? limit processor time
/^(a+)+$/.test('a'.repeat(40) + '!')

//? limit processor time
await host.echo(1); while (true) {}

//? limit program
[...(function* () { for (;;) yield; })()]

//? limit processor time
for (;;) { try { console.log('flood'.repeat(100)) } catch {} }

//? limit processor time
do {} while (1)

//? limit processor time
L: for (;;) { continue L; }

//? limit processor time
const g = (function* () { for (;;) yield 1; })(); for (const _ of g) ;

//? limit processor time
async function* g() { for (;;) yield 1; } for await (const _ of g()) ;

//? limit processor time
try { try { for (;;) ; } catch { for (;;) ; } } finally { for (;;) ; }

//? limit processor time
await (async () => { try { await (async () => { for (;;) ; })(); } catch { for (;;) ; } })()

//? limit processor time
new Promise(() => { for (;;) ; })

//? limit processor time
host.echo(1).then(() => { for (;;) ; }); 'over before'

//? limit processor time
class A { static x = (() => { for (;;) ; })(); }

//? limit processor time
Object.defineProperty(globalThis, 'x', { get() { for (;;) ; } }); (globalThis as any).x

//? limit processor time
const p: any = new Proxy({}, { get() { for (;;) ; } }); p.x

//? limit processor time
const p: any = new Proxy({}, { ownKeys() { for (;;) ; } }); return p;

//? limit processor time
[3, 2, 1].sort(() => { for (;;) ; })

//? limit processor time
'x'.replace(/x/, () => { for (;;) ; })

//? limit processor time
JSON.parse('[1]', () => { for (;;) ; })

//? limit processor time
`${{ toString() { for (;;) ; } }}`

//? limit processor time
+{ valueOf() { for (;;) ; } }

//? limit processor time
return { then() { for (;;) ; } };

//? limit processor time
Array.from({ length: 1e9 }, (_, i) => i % 2)

//? limit processor time
Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)

//? limit processor time
new Array(2 ** 32 - 1).join(',').length

//? limit processor time
for (let i = 0n; ; i++) ;

//? limit processor time
let x = 3n; for (;;) x = (x * x) % (1n << 4000n);

//? limit processor time
const f = (n: number): number => (n < 2 ? n : f(n - 1) + f(n - 2)); f(60)

//? limit processor time
const a = Array.from({ length: 2000 }, (_, i) => i); for (;;) a.sort(() => Math.random() - 0.5)

//? limit processor time
for (;;) eval('1')

//? limit processor time
for (;;) new Function('return 1')()

//? limit processor time
for (;;) { try { throw new Error('x') } catch {} }

//? limit processor time
for (;;) Object.assign({}, { a: [1, 2, 3] })

//? limit processor time
for (;;) JSON.parse(JSON.stringify({ a: [1, 2, 3] }))

//? limit processor time
const tick = () => queueMicrotask(tick); tick(); await new Promise(() => {})

//? limit program
const fork = () => { Promise.resolve().then(fork); Promise.resolve().then(fork); }; fork(); await new Promise(() => {});

//? limit program
function f() { try { f() } finally { f() } } f()

//? limit processor time
const e = new Error('x'); Object.defineProperty(e, 'stack', { get() { for (;;) ; } }); throw e

//? limit processor time
throw new Proxy(new Error('x'), { get() { for (;;) ; } })

//? limit processor time
Object.defineProperty(Object.prototype, 'toJSON', { get() { for (;;) ; } }); console.log({})

//? limit processor time
console.log({ get x() { for (;;) ; } })

//? limit processor time
await host.echo(new Proxy({}, { ownKeys() { for (;;) ; } }))

//? limit processor time
Object.defineProperty(Object.prototype, 'then', { get() { for (;;) ; } }); await host.echo({ a: 1 })

//? limit processor time
const flag = new Int32Array(new SharedArrayBuffer(4)); while (flag[0] === 0) ;

//? limit processor time
const d = new Date(); for (;;) d.setDate(d.getDate() + 1)

//? limit processor time
const m = new Map([[0, 0]]); for (const [k] of m) { m.delete(k); m.set(k + 1, 0); }

//? limit processor time
const s = new Set([0]); s.forEach((v) => { s.delete(v); s.add(v + 1); })

//? limit processor time
for (let i = 0; ; i++) { if (i % 1000 === 0) await null; }

//? limit processor time
while (true) { try { await host.fail('x'); } catch { for (;;) ; } }
