//? value "after the semicolon"
const a = 1
const b = 'after the semicolon'
;[a].length
b

//? value [1,2]
var hoisted; { var hoisted: any = 1; let hidden = 2; hoisted = [hoisted, hidden]; } hoisted

//? value "strict: undefined"
function self(this: unknown) { return this; } `strict: ${self()}`

//? value 8
2 ** 3

//? value "exp 0.5"
`exp ${2 ** -1}`

//? value [true,null,"x","d"]
const n: any = null; [n?.a.b.c === undefined, n?.[0] ?? null, n ?? 'x', '' || 'd']

//? value "called once"
let calls = 0; const o: any = { get f() { calls++; return () => 'called once'; } }; const r = o.f?.(); calls === 1 ? r : 'no'

//? value [3,4]
const o: any = { a: 3 }; o.a ||= 9; o.b ??= 4; [o.a, o.b]

//? value ["a","b","0"]
const keys = []; for (const k in { a: 1, b: 2 }) keys.push(k); for (const i in ['x']) keys.push(i); keys

//? value 10
let i = 0; while (true) { if (i++ >= 9) break; } i

//? value "deleted"
const o: any = { x: 1 }; delete o.x; 'x' in o ? 'there' : 'deleted'

//? value ["object","function","undefined","symbol","bigint","number"]
[null, class {}, undefined, Symbol(), 1n, NaN].map((x) => typeof x)

//? value [1,2,3,4]
[...[1, 2], ...'34'].map(Number)

//? value "void"
void 0 ?? 'void'

//? value [0,"b",-1]
const at = ['a', 'b']; [at.indexOf('a'), at.at(-1), at.indexOf('z')]

//? value "unicode ünïcode"
const ünïcode = 'ünïcode'; `unicode ${ünïcode}`

//? value "x"
const \u0078 = 'x'; x

//? value 3
// a comment with */ and `backticks`
/* and /* another */
3 // the end

//? value "<!-- is a comment in scripts alone"
'<!-- is a comment in scripts alone'

//? value {"get":1,"set":2,"static":3,"async":4,"of":5,"type":6,"as":7}
const get = 1, set = 2, async = 4, of = 5, type = 6, as = 7; ({ get, set, static: 3, async, of, type, as })

//? value ["if","class",1]
const o = { if: 'if', class: 'class', 1: 1 }; [o.if, o.class, o[1]]

//? value [1,1]
const f = () => ({ a: 1 }); const { a } = f(); [a, f().a]

//? value 120
(function fact(n: number): number { return n < 2 ? 1 : n * fact(n - 1); })(5)

//? value ["left","right"]
const [l, r] = ((s: string) => s.split('|'))('left|right'); [l, r]

//? value "ternary c"
const n = 3; `ternary ${n === 1 ? 'a' : n === 2 ? 'b' : 'c'}`

//? value [100,4950]
let sum = 0; for (const n of Array(100).keys()) sum += n; [Array(100).length, sum]

//? value true
new Function('a', 'b', 'return a + b')(1, 2) === 3 && (0, eval)('typeof host') === 'object'

//? value "sandbox"
globalThis.shared = 'sandbox'; declare global { var shared: string } shared

//? value "debugger passed"
debugger; 'debugger passed'

//? value [[1,2],[3]]
const chunk = <T,>(xs: T[], n: number): T[][] => xs.length ? [xs.slice(0, n), ...chunk(xs.slice(n), n)] : []; chunk([1, 2, 3], 2)

//? value "use strict is no value"
'use strict'; 'use strict is no value'

//? value [["console",4]]
console.log('%s is %d', 'x', 1); console.table([{ a: 1 }]); console.group('g'); console.groupEnd(); console.assert(false, 'a'); console.time('t'); console.timeEnd('t'); [['console', 4]]

//? value "the loop is the end, so this is the value"
for (const n of [1]) console.log(n);
'the loop is the end, so this is the value'
