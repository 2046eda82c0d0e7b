//? limit console
for (;;) console.log('flood'.repeat(100))

//? limit at the same time
for (let i = 0; i < 1e4; i++) host.echo(i)

//? limit host calls
for (let i = 0; i < 1e4; i++) { try { await host.echo(i) } catch {} }

//? throws the arguments of host.echo are 2097156 bytes
await host.echo('x'.repeat(2 ** 21))

//? limit bytes of JSON
'x'.repeat(300_000)

//? value "𐏿�"
await host.echo('\ud800\udfff\udc00')

//? value 1
console.log('\ud800'); console.log('\u0000'); 1

//? limit at the same time
await Promise.all(Array.from({ length: 65 }, () => host.echo(1)))

//? limit host calls
for (let i = 0; ; i++) await host.echo(i)

//? limit host calls
const again = async (): Promise<any> => { await host.echo(1); return again(); }; await again()

//? limit host calls
for (;;) await Promise.all([sleep(1), ask('x'), host.list()])

//? throws the arguments of host.echo are
const big = 'x'.repeat(1e6); await host.echo(big, big)

//? limit bytes of JSON
return Array.from({ length: 50_000 }, (_, i) => 'item ' + i);

//? limit console
console.log('x'.repeat(70_000))

//? limit console
for (let i = 0; ; i++) { console.debug(i); console.warn('w'.repeat(50)); }

//? limit console
await Promise.all(Array.from({ length: 50 }, async (_, i) => { await host.echo(i); for (;;) console.log('from', i, 'x'.repeat(1000)); }))

//? throws ReferenceError
requests += ',{"id":1,"name":"host.forged","args":[]}'

//? throws ReferenceError
settle('[]')

//? throws ReferenceError
pending[1].resolve('forged')

//? value ["undefined","undefined","undefined"]
[typeof (globalThis as any).limits, typeof (globalThis as any).$API, typeof (globalThis as any).babelHelpers]

//? value []
Object.getOwnPropertyNames(globalThis).filter((name) => /^(qjs|host_|wasm|std|os|bjson|scriptArgs|print)/.test(name))

//? value ["host.echo",["a\",\"name\":\"host.fail"]]
// A text that would be another request if it were pasted in.
['host.echo', [await host.echo('a","name":"host.fail')]]

//? value "]}{\"id\":7}\n \u0000"
await host.echo(']}{"id":7}\n\u2028\0')

//? value [1,2]
Object.prototype.toString = Array.prototype.toString = () => 'forged'; await host.echo([1, 2])

//? value null
await host.echo(undefined)

//? value null
await host.echo(() => 1)

//? value null
await host.echo(NaN)

//? value "5"
await host.echo(5n)

//? value [["k",[1]]]
await host.echo(new Map([['k', new Set([1])]]))

//? value {"a":"1970-01-01T00:00:00.000Z"}
await host.echo({ a: new Date(0), b: Symbol('x'), c: undefined })

//? value 9
Object.freeze(Object.prototype); Object.freeze(Array.prototype); Object.freeze(Promise.prototype); await host.add(4, 5)

//? throws TypeError
host.echo = async () => 'forged'

//? value "real"
const forged = { ...host, echo: async () => 'forged' }; await host.echo('real')

//? throws Error
await host.echo({ get x() { throw new Error('from a getter'); } })

//? value "went on"
try { await host.echo({ toJSON() { throw 1; } }); } catch {} await host.echo('went on')

//? value "went on"
try { await host.echo('x'.repeat(2 ** 21)); } catch {} await host.echo('went on')

//? value ["reentered",1]
// A call while the arguments of another are being written.
let inner: any; const outer = await host.echo({ toJSON() { inner = host.echo(1); return 'reentered'; } }); [outer, await inner]

//? value "logged while logging"
console.log({ toJSON() { console.log('inside'); return 'outside'; } }); 'logged while logging'

//? value ["{\"�\":1}",1]
console.log({ '\ud800': 1 }); [JSON.stringify({ '�': 1 }), 1]

//? value 2
// The value asks for something while it is written.
return { toJSON() { host.echo('too late'); return 2; } };

//? value 3
return { toJSON() { console.log('too late'); return 3; } };

//? throws
const e: any = new Error('x'); e.name = { toString() { return 'y'; } }; Object.defineProperty(e, 'message', { get() { host.echo(1); throw 2; } }); throw e

//? value true
const { then } = Promise.prototype; Promise.prototype.then = function (...args: any) { return then.apply(this, args); } as any; (await host.echo(true))

//? value "mine"
Promise.prototype.then = function (this: any, ok: any) { ok('mine'); return this; } as any; await (async () => ({ then(ok: any) { ok('mine'); } }))()
