//? value [1,2,[3,4],10]
const f = (a: number, [b]: number[], { c, d = 10 }: { c: number[]; d?: number }) => [a, b, c, d];
f(1, [2], { c: [3, 4] })

//? value [2,1]
let a = 1, b = 2; [a, b] = [b, a]; [a, b]

//? value {"x":1,"rest":{"y":2,"z":3},"deep":"d","default":"f"}
const { x, nested: { deep, missing = 'f' }, ...rest } = { x: 1, y: 2, z: 3, nested: { deep: 'd' } } as any;
({ x, rest, deep, default: missing })

//? value ["first",["second","third"]]
const [first, ...others] = 'first second third'.split(' '); [first, others]

//? value [1,3]
const [one, , three] = new Set([1, 2, 3]); [one, three]

//? value [0,1,1,2,3,5,8]
function* fibonacci() { let [a, b] = [0, 1]; for (;;) { yield a; [a, b] = [b, a + b]; } }
[...fibonacci().take(7)]

//? value ["start","sent","returned",true]
function* talk(): any { const got = yield 'start'; try { yield got; } finally { return 'returned'; } }
const t = talk(); const values = [t.next().value, t.next('sent').value]; const end: any = t.return('ignored');
[...values, end.value, end.done]

//? value "caught boom"
function* catches() { try { yield 1; } catch (error) { yield `caught ${error}`; } }
const c = catches(); c.next(); c.throw('boom').value

//? value [1,2,3,"end"]
function* inner() { yield 2; yield 3; return 'end'; }
function* outer() { yield 1; const end = yield* inner(); yield end; }
[...outer()]

//? value ["closed"]
const log: string[] = [];
const closing = { [Symbol.iterator]() { return { next: () => ({ value: 1, done: false }), return() { log.push('closed'); return { value: 0, done: true }; } }; } };
for (const _ of closing as any) break;
log

//? value [[0,"a"],[1,"b"]]
[...['a', 'b'].entries()]

//? value [2,4,6]
[1, 2, 3].values().map((n) => n * 2).toArray()

//? value 6
[1, 2, 3, 4].values().filter((n) => n % 2 === 0).reduce((a, b) => a + b)

//? value [1,1,2,2]
[1, 2].values().flatMap((n) => [n, n]).toArray()

//? value "found 2,2"
outer: for (let i = 0; i < 5; i++) { for (let j = 0; j < 5; j++) { if (i * j === 4) { return `found ${i},${j}`; } if (j > i) continue outer; } }

//? value [0,1,2]
const made: (() => number)[] = []; for (let i = 0; i < 3; i++) made.push(() => i); made.map((f) => f())

//? value "b default"
let seen = ''; switch ('b' as string) { case 'a': seen += 'a '; case 'b': seen += 'b '; default: seen += 'default'; break; case 'c': seen += 'c'; } seen

//? value 3
const block = { n: 0 }; label: { block.n = 3; if (block.n) break label; block.n = 4; } block.n

//? value [3,"two",1]
function counted(...args: unknown[]) { return args.length; }
const partial = counted.bind(null, 1, 2);
[partial(3), ((a: string, b = 'two') => b)('one'), counted.length + 1]

//? value 5050
const sum = (n: number, all = 0): number => (n === 0 ? all : sum(n - 1, all + n)); sum(100)

//? value "<b>&lt;i&gt;</b>"
const html = (parts: TemplateStringsArray, ...values: string[]) => parts.reduce((all, part, i) => all + values[i - 1].replace(/</g, '&lt;').replace(/>/g, '&gt;') + part);
html`<b>${'<i>'}</b>`

//? value ["a\\n","a\n",true]
const keep = (parts: TemplateStringsArray) => parts; const parts = () => keep`a\n`;
[parts().raw[0], parts()[0], parts() === parts()]

//? value "undefined:\\unicode"
((parts: TemplateStringsArray) => `${parts[0]}:${parts.raw[0]}`)`\unicode`

//? value [1,[2],"memo"]
const memo = new Map<number, number[]>(); const remembered = (n: number) => memo.getOrInsertComputed?.(n, () => [n]) ?? memo.set(n, [n]).get(n)!;
[remembered(1)[0], remembered(2), 'memo']

//? value [10,"a"]
const pipe = (...steps: ((x: any) => any)[]) => (x: any) => steps.reduce((v, f) => f(v), x);
[pipe((x) => x + 1, (x) => x * 2)(4), pipe()('a')]

//? value "hoisted"
return hoisted(); function hoisted() { return 'hoisted'; }

//? value "TDZ ReferenceError"
try { (() => late)(); let late = 1; return late; } catch (error) { return `TDZ ${(error as Error).name}`; }

//? value [null,1]
const holes = [, 1]; holes

//? value 3
[1, [2, [3, [4]]]].flat(Infinity).indexOf(4)

//? value "comma 2"
const v = (1, 2); `comma ${v}`

//? value {"0":"a","1":"b","length":2}
(function (..._: string[]) { return { ...arguments, length: arguments.length }; })('a', 'b')

//? value -1
const o = { valueOf: () => -1 }; (o as any) * 1
