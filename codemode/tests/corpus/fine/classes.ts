//? value ["Rex barks","Animal"]
class Animal { constructor(readonly name: string) {} speak() { return `${this.name} makes a sound`; } }
class Dog extends Animal { override speak() { return `${this.name} barks`; } }
[new Dog('Rex').speak(), Object.getPrototypeOf(Dog).name]

//? value [true,false,"TypeError"]
class Box { #secret = 1; static has(other: object) { return #secret in other; } static read(other: any) { return other.#secret; } }
let thrown = '';
try { Box.read({}); } catch (error) { thrown = (error as Error).name; }
[Box.has(new Box()), Box.has({}), thrown]

//? value [3,2]
class Registry { static #count = 0; static #up() { return ++Registry.#count; } static { this.#up(); this.#up(); } static next() { return Registry.#up(); } }
[Registry.next(), Registry.name.length - 6]

//? value ["get","set 5",5]
const log: string[] = [];
class Watched { #v = 0; get v() { log.push('get'); return this.#v; } set v(n: number) { log.push(`set ${n}`); this.#v = n; } }
const w = new Watched(); w.v; w.v = 5;
[...log, (w as any).v]

//? value ["Widget","[object Widget]"]
class Widget { get [Symbol.toStringTag]() { return 'Widget'; } }
[Widget.name, String(new Widget())]

//? value [42,"42","default"]
class Money { [Symbol.toPrimitive](hint: string) { return hint === 'number' ? 42 : hint === 'string' ? '42' : 'default'; } }
const money: any = new Money();
[+money, `${money}`, money + '']

//? value [true,false]
class Even { static [Symbol.hasInstance](n: number) { return n % 2 === 0; } }
[(2 as any) instanceof Even, (3 as any) instanceof Even]

//? value ["base","mixed","own"]
const Mixed = <T extends new (...args: any[]) => object>(Base: T) => class extends Base { mixed() { return 'mixed'; } };
class Base { base() { return 'base'; } }
class Own extends Mixed(Base) { own() { return 'own'; } }
const own = new Own(); [own.base(), own.mixed(), own.own()]

//? value [1,2,3]
class Range { constructor(private from: number, private to: number) {} *[Symbol.iterator]() { for (let n = this.from; n <= this.to; n++) yield n; } }
[...new Range(1, 3)]

//? value ["a","b"]
class Tree { constructor(public name: string, public children: Tree[] = []) {}
  *walk(): Generator<string> { yield this.name; for (const child of this.children) yield* child.walk(); } }
[...new Tree('a', [new Tree('b')]).walk()]

//? value "TypeError"
class NotCalled {}
try { (NotCalled as any)(); } catch (error) { return (error as Error).name; }

//? value ["Derived",true]
class Plain { kind; constructor() { this.kind = new.target.name; } }
class Derived extends Plain {}
[new Derived().kind, new Derived() instanceof Plain]

//? value {"a":1,"b":2}
class Data { a = 1; b = this.a + 1; #hidden = 3; method() { return this.#hidden; } }
new Data()

//? value [2,1,0]
class Stack<T> { #items: T[] = []; push(...items: T[]) { this.#items.push(...items); return this; } pop(): T | undefined { return this.#items.pop(); } }
const stack = new Stack<number>().push(0, 1, 2);
[stack.pop(), stack.pop(), stack.pop()]

//? value ["list","of",3]
class List extends Array<number> { sum() { return this.reduce((a, b) => a + b, 0); } }
const list = List.from([1, 2]) as List;
['list', 'of', list.sum()]

//? value [7,"bound"]
class Handler { name = 'bound'; arrow = () => this.name; async call() { return host.add(3, 4); } }
const { arrow, call } = new Handler();
[await call(), arrow()]

//? value ["one","two"]
class Client { async *issues() { for (const issue of await host.list()) yield issue.title as string; } }
const titles: string[] = []; for await (const title of new Client().issues()) titles.push(title);
titles

//? value "computed 3"
const key = 'com' + 'puted';
class Computed { [key] = 3; static ['make' + 1]() { return new Computed() as any; } }
`${key} ${(Computed as any).make1()[key]}`

//? value ["super","sub"]
const object = { __proto__: { hi() { return 'super'; } }, hi() { return [super.hi(), 'sub']; } } as any;
object.hi()
