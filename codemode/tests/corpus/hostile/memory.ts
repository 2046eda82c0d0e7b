//? limit too deeply
function f() { f() } f()

//? limit too deeply
const f = async () => { await f() }; await f()

//? limit too deeply
let a: any = []; for (let i = 0; i < 1e5; i++) a = [a]; return a;

//? limit too deeply
const o = { toString() { return `${this}` } }; `${o}`

//? limit memory
const a = []; for (;;) a.push(new Array(1000).fill(1))

//? throws string too long
let s = 'x'; for (;;) s += s

//? limit memory
'x'.repeat(2 ** 28)

//? throws RangeError
new ArrayBuffer(2 ** 31)

//? limit memory
new Uint8Array(500_000_000)

//? value "recovered"
const a = []; try { for (;;) a.push('x'.repeat(1e6) + a.length) } catch { a.length = 0 } return 'recovered'

//? limit memory
const m = new Map(); for (let i = 0; ; i++) m.set(i, { i })

//? limit memory
const o: any = {}; for (let i = 0; ; i++) o['key' + i] = i

//? limit memory
let list: any = null; for (;;) list = { list }

//? limit memory
const keep: any[] = []; for (;;) keep.push(() => keep)

//? limit memory
const keep: any[] = []; for (;;) keep.push(new Uint8Array(100_000))

//? limit memory
const keep: any[] = []; for (;;) keep.push(Symbol('x'))

//? limit memory
const keep: any[] = []; for (let i = 0; ; i++) keep.push(new RegExp('x' + i))

//? limit memory
const keep: any[] = []; for (;;) keep.push(new Promise(() => {}))

//? throws RangeError: BigInt is too large
let n = 1n; for (;;) n <<= 100_000n

//? limit memory
const a: any[] = []; a.length = 2 ** 32 - 1; a.fill(0)

//? limit memory
await host.echo(1); const keep: any[] = []; for (;;) keep.push([1, 2, 3])

//? limit memory
const keep: any[] = []; try { for (;;) keep.push({}) } finally { for (;;) keep.push({}) }

//? limit memory
const all = (n: number) => n ? [all(n - 1), all(n - 1)] : []; all(30)

//? limit memory
JSON.parse('[' + '[],'.repeat(400_000) + '[]]')

//? limit memory
Array.from({ length: 200_000 }, (_, i) => ({ i, j: [i] }))

//? limit memory
const f = new Array(1e5).fill('x => x').join(';'); for (const keep: any[] = []; ; ) keep.push(new Function(f))

//? limit memory
new Uint8Array(10_000_000).map((x) => x + 1).slice()

//? limit memory
'x'.repeat(5e6).split('')

//? limit memory
[...'x'.repeat(3e6)]

//? throws RangeError
'x'.padEnd(2 ** 30)

//? throws RangeError
2n ** (2n ** 40n)

//? throws RangeError
new Array(2 ** 32)

//? throws RangeError
new ArrayBuffer(8, { maxByteLength: 2 ** 40 })

//? limit too deeply
const o: any = { get x() { return this.x; } }; o.x

//? limit too deeply
const p: any = new Proxy({}, { get: (_, k, r) => r[k] }); p.x

//? limit too deeply
class A { constructor() { new A(); } } new A()

//? limit too deeply
const a: any[] = []; a[Symbol.toPrimitive as any] = () => a + ''; a + ''

//? limit too deeply
function* g(): any { yield* g(); } [...g()]

//? limit too deeply
JSON.stringify({ toJSON() { return JSON.stringify(this); } })

//? limit too deeply
JSON.parse('['.repeat(60_000) + ']'.repeat(60_000))

//? limit too deeply
let o: any = {}; for (let i = 0; i < 1e5; i++) o = { o }; await host.echo(o)

//? limit too deeply
let o: any = {}; for (let i = 0; i < 1e5; i++) o = { o }; console.log(JSON.stringify(o).length)

//? limit too deeply
let e: any; for (let i = 0; i < 2e4; i++) e = new Map([[1, e]]); return e;

//? limit too deeply
eval('('.repeat(20_000) + '1' + ')'.repeat(20_000))

//? limit too deeply
[1].map(function f(): any { return [1].map(f); })

//? limit too deeply
'x'.replace(/x/, function f(): string { return 'x'.replace(/x/, f); })

//? limit memory
const bound = (f: any, n: number): any => (n ? bound(f.bind(null), n - 1) : f); let b: any = () => 1; for (let i = 0; i < 2e4; i++) b = b.bind(null); b()

//? value "caught and small again"
let depth = 0; const deep = () => { depth++; deep(); }; try { deep(); } catch { depth = 0; } await host.echo('caught and small again')
