//? value ["Up",0,"Down",1,{"0":"Up","1":"Down","Up":0,"Down":1}]
enum Direction { Up, Down } [Direction[0], Direction.Up, Direction[1], Direction.Down, Direction]

//? value ["open","open"]
enum State { Open = 'open', Closed = `clo${'sed'}` } const s: State = State.Open; [s, Object.values(State)[0]]

//? value [1,2,4,3]
enum Flag { A = 1 << 0, B = 1 << 1, C = B * 2, AB = A | B } [Flag.A, Flag.B, Flag.C, Flag.AB]

//? value 2
const enum Inline { One = 1, Two } Inline.Two

//? value ["x 1",3]
namespace Shapes { export interface Point { x: number } export const show = (p: Point) => `x ${p.x}`; export namespace Inner { export const n = 3; } }
[Shapes.show({ x: 1 }), Shapes.Inner.n]

//? value [1,2]
namespace Merged { export const a = 1; } namespace Merged { export const b = Merged.a + 1; } [Merged.a, Merged.b]

//? value ["a",1]
function first<T>(xs: readonly T[]): T { return xs[0]!; } function pair<const T extends readonly unknown[]>(...xs: T): T { return xs; }
[first<string>(['a']), ...pair(1 as const)]

//? value {"red":"#f00","green":"#0f0"}
const colors = { red: '#f00', green: '#0f0' } as const satisfies Record<string, `#${string}`>; colors

//? value [3,"three"]
function over(x: number): number; function over(x: string): string; function over(x: any) { return x; } [over(3), over('three')]

//? value "narrowed"
const isText = (x: unknown): x is string => typeof x === 'string'; const x: unknown = 'narrowed'; isText(x) ? x : 'no'

//? value [1,2,3]
type Deep<T> = T extends (infer U)[] ? Deep<U> : T; type Keys = { [K in keyof { a: 1 }]?: K }; const xs: Deep<number[][]>[] = [1, 2, 3]; xs

//? value {"a":1}
let value: { a: number } | undefined; value = { a: 1 }; value!; (value as { a: number })!; value

//? value ["optional",null]
function f(this: void, a?: string, ...rest: number[]): [string, null] { return [a ?? 'optional', null]; } f()

//? value 5
abstract class Shape { protected abstract side: number; get twice() { return this.side * 2; } } class Square extends Shape { protected override side = 2.5; } new Square().twice

//? value [1,2]
class P { constructor(public a: number, protected readonly b = 2) {} both() { return [this.a, this.b]; } } new P(1).both()

//? value "implemented"
interface Named { readonly name: string; greet?(): void; [key: string]: unknown } class N implements Named { name = 'implemented'; [key: string]: unknown; } new N().name

//? value 1
declare global { interface Window { x: number } } declare function external(): void; declare const outside: string; 1

//? value "tuple 2"
type Entry = [name: string, count?: number, ...rest: boolean[]]; const e: Entry = ['tuple', 2]; `${e[0]} ${e[1]}`

//? value [0,2]
let u!: number; u = 0; const w = <T,>(x: T): T => x; [u, w(2)]

//? value "any"
var anything = <any>'any'; let unknownType = anything as unknown as string; unknownType

//? value ["unique",true]
const tag: unique symbol = Symbol('unique'); type Branded = string & { readonly [tag]: true }; const b = 'unique' as Branded; [b, typeof tag === 'symbol']

//? value 7
type Fn = new (...args: never[]) => unknown; type G = typeof globalThis; const add = async (...[a, b]: [number, number]): Promise<number> => host.add(a, b); await add(3, 4)

//? value [1,"accessor"]
class A { accessor = 'accessor'; static readonly one: 1 = 1; declare ghost: string; } [A.one, new A().accessor]

//? value "only types are imported"
type Issue = Awaited<ReturnType<typeof host.list>>[number]; const t: keyof Issue extends string ? 'only types are imported' : never = 'only types are imported'; t
declare const host: { list(): Promise<{ id: number; title: string }[]> };

//? value "two"
let issues: Array<{ id: number; title: string }> = await host.list(); issues.find((i): i is typeof i => i.id === 2)?.title

//? value [1]
let optional: number[] | null = [1]; optional?.length ? optional : []
