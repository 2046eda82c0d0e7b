//? throws ReferenceError: b is not defined\n  --> program:2:8
const a = 1;
return b;

//? throws TypeError: cannot read property 'y' of null
const x = null;
x.y

//? throws TypeError: not a function
await host.nope()

//? throws HostError: no such file (from host.fail)
await host.fail('no such file')

//? throws the program threw 42, which is no Error
throw 42

//? throws the program threw {"a":1}
throw { a: 1 }

//? throws threw null
throw null

//? throws threw undefined
throw undefined

//? throws threw Symbol(s)
throw Symbol('s')

//? throws MyError: mine
throw new (class MyError extends Error { name = 'MyError' })('mine')

//? stalled
await new Promise(() => {})

//? stalled
new Promise(() => {}); await host.echo(1); await new Promise(() => {})

//? no json
const a: any = { n: 1 }; a.self = a; return a;

//? nothing
return () => 1;

//? throws SyntaxError: expecting ')'
/(/.test('x')

//? throws SyntaxError: duplicate group name
/(?<a>x)(?<a>y)/.exec('xy')

//? throws SyntaxError
JSON.parse('{')

//? throws TypeError: circular reference
await host.echo((() => { const a: any = []; a.push(a); return a })())

//? throws TypeError: 'x' is read-only
const x = 1; (x as any) = 2;

//? throws ReferenceError
undeclared = 1

//? throws RangeError
new Array(-1)

//? throws AggregateError
await Promise.any([host.fail('a'), host.fail('b')])

//? throws RangeError: r
await Promise.reject(new RangeError('r'))

//? throws TypeError: not a function
(await host.list()).titles()

//? throws TypeError: cannot read property 'title' of undefined\n  --> program:2:
const issues = await host.list();
return issues.find((issue) => issue.id === 9).title;

//? throws TypeError
const { deep: { er } } = (await host.list()) as any; er

//? throws ReferenceError: fetch is not defined
await fetch('https://example.com')

//? throws ReferenceError: process is not defined
process.env.HOME

//? throws ReferenceError: setTimeout is not defined
await new Promise((resolve) => setTimeout(resolve, 100))

//? throws ReferenceError: Buffer is not defined
Buffer.from('x').toString('base64')

//? throws ReferenceError: Intl is not defined
new Intl.DateTimeFormat('en').format(0)

//? throws ReferenceError: URL is not defined
new URL('https://example.com').host

//? throws ReferenceError: TextEncoder is not defined
new TextEncoder().encode('x')

//? throws ReferenceError: crypto is not defined
crypto.randomUUID()

//? throws ReferenceError: window is not defined
window.location

//? throws ReferenceError: module is not defined
module.exports = 1

//? throws TypeError: not a function
const issues = host.list(); issues.map((i) => i.title)

//? throws TypeError: value is not iterable
for (const issue of host.list()) console.log(issue);

//? throws RangeError
(1.5).toFixed(101)

//? throws RangeError
1n / 0n

//? throws TypeError
Symbol('a') + 'b'

//? throws TypeError
null.f()

//? throws TypeError
new (class { constructor() { if (new.target) throw new TypeError('abstract'); } })()

//? throws ReferenceError
class B extends A {} class A {}

//? throws TypeError: mine (from host.add)
try { await host.fail('x'); } catch (error: any) { throw Object.assign(new TypeError('mine'), { call: 'host.add' }); }

//? throws HostError: second (from host.fail)
await Promise.all([host.echo(1), host.fail('second')])

//? throws Error: at the end\n  --> program:3:
const a = 1;
await host.echo(a);
throw new Error('at the end');

//? throws Error: two\nlines
throw new Error('two\nlines')

//? throws Error: outer
throw new Error('outer', { cause: new Error('inner') })

//? throws the program threw ["a",1]
throw ['a', 1]

//? throws the program threw a text
throw 'a text'

//? throws the program threw 10n
throw 10n

//? throws threw
throw () => 1

//? throws threw
throw NaN

//? throws HostError: not caught in then
await host.echo(1).then(() => host.fail('not caught in then'))

//? throws Error: thrown in a generator
function* g() { yield 1; throw new Error('thrown in a generator'); } [...g()]

//? no json
return { get bad() { throw new Error('getter'); } };

//? no json
return { toJSON() { throw new Error('toJSON'); } };

//? throws TypeError
JSON.stringify((() => { const a: any = {}; a.a = a; return a; })())

//? throws SyntaxError
new Function('return (')

//? throws SyntaxError
eval('const =')

//? throws Error
eval('import("fs")')

//? throws SyntaxError
eval('import.meta')

//? throws SyntaxError
new RegExp('[')

//? throws URIError
decodeURIComponent('%E0%A4%A')

//? throws TypeError
Object.freeze([1]).push(2)

//? throws TypeError
Object.defineProperty({}, 'x', { get() {}, value: 1 } as any)

//? throws TypeError
class Secret { #x = 1; static read(o: any) { return o.#x; } } Secret.read({})

//? throws TypeError
host.echo.call(null, 1); (host as any).echo.extra = 1;

//? stalled
const never = new Promise(() => {}); await Promise.race([never]);

//? stalled
await { then() {} }

//? stalled
const { promise } = Promise.withResolvers(); await host.echo(1); await promise;

//? stalled
async function* g() { await new Promise(() => {}); yield 1; } for await (const x of g());

//? limit too deeply
const m: any = new Map(); m.set('self', m); m

//? no json
const a: any = []; a[0] = { a }; a

//? nothing
return function named() {};

//? nothing
return Symbol.iterator;

//? nothing
if (false) 1; else ;

//? throws SyntaxError: expecting ';'
class A { accessor n = 1; }

//? throws TypeError
{ using x = {} as any; }

//? throws InvalidCharacterError
atob('%')
