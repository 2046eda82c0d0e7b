//? value [["a",1],["b",2]]
Object.entries({ a: 1, b: 2 })

//? value {"b":2}
Object.fromEntries(Object.entries({ a: 1, b: 2 }).filter(([, v]) => v > 1))

//? value {"1":"one","2":"two"}
Object.fromEntries((await host.list()).map(({ id, title }) => [id, title]))

//? value {"a":{"b":[1,{"c":2}]}}
JSON.parse(JSON.stringify({ a: { b: [1, { c: 2 }] } }))

//? value [true,"TypeError"]
const frozen = Object.freeze({ a: 1 }); let name = ''; try { (frozen as any).a = 2; } catch (error) { name = (error as Error).name; } [Object.isFrozen(frozen), name]

//? value ["get a","has b","set c","delete d","ownKeys"]
const log: string[] = [];
const spy: any = new Proxy({} as any, { get: (t, k) => (log.push(`get ${String(k)}`), t[k]), has: (t, k) => (log.push(`has ${String(k)}`), k in t), set: (t, k, v) => (log.push(`set ${String(k)}`), (t[k] = v), true), deleteProperty: (t, k) => (log.push(`delete ${String(k)}`), delete t[k]), ownKeys: (t) => (log.push('ownKeys'), Reflect.ownKeys(t)) });
spy.a; 'b' in spy; spy.c = 1; delete spy.d; Object.keys(spy); log.slice(0, 5)

//? value ["applied 3","made"]
const callable: any = new Proxy(function () {}, { apply: (_, __, args) => `applied ${args.length}`, construct: () => ({ made: 'made' }) }); [callable(1, 2, 3), new callable().made]

//? value "TypeError"
const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); try { (proxy as any).x; } catch (error) { return (error as Error).name; }

//? value ["a","b",1,true]
const m = new Map<any, any>([['a', 1]]); m.set('b', 2); const key = {}; m.set(key, 3); [...[...m.keys()].slice(0, 2), m.get('a'), m.has(key)]

//? value [[1,2,3],[2],[1],[1,3]]
const a = new Set([1, 2]), b = new Set([2, 3]); [a.union(b), a.intersection(b), a.difference(b), a.symmetricDifference(b)]

//? value [["x",["a","b"]],["y",["c"]]]
Map.groupBy([['a', 'x'], ['b', 'x'], ['c', 'y']], ([, k]) => k).entries().map(([k, v]) => [k, v.map(([n]) => n)]).toArray()

//? value [true,false,true]
const weak = new WeakSet(); const o = {}; weak.add(o); const held = new WeakRef(o); [weak.has(o), weak.has({}), held.deref() === o]

//? value {"visible":1}
const o = { visible: 1, [Symbol('hidden')]: 2 }; Object.defineProperty(o, 'secret', { value: 3, enumerable: false }); o

//? value ["Symbol(a)",true,"a"]
[Symbol('a').toString(), Symbol.for('a') === Symbol.for('a'), Symbol.keyFor(Symbol.for('a'))]

//? value [3,4,3]
const point = { _x: 3, get x() { return this._x; }, set x(v) { this._x = v; } }; const was = point.x; point.x = 4; [was, point.x, Object.keys(point).length + 1]

//? value [1,2]
const { a = 1, b = 1 } = { a: undefined, b: 2 }; [a, b]

//? value {"a":1,"b":{"c":3}}
const merge = (x: any, y: any): any => Object.keys(y).reduce((out, k) => ({ ...out, [k]: typeof y[k] === 'object' && out[k] ? merge(out[k], y[k]) : y[k] }), x); merge({ a: 1, b: { c: 2 } }, { b: { c: 3 } })

//? value [["b",1],["a",3]]
Object.entries({ a: 3, b: 1 }).sort(([, x], [, y]) => x - y)

//? value ["1","2","b","a"]
Object.keys({ b: 1, 2: 1, a: 1, 1: 1 })

//? value 2
[null, 1].length && 2

//? value [false,true,true]
[Object.is(0, -0), Object.is(NaN, NaN), Object.hasOwn({ a: 1 }, 'a')]

//? value {"own":1}
const base = { inherited: 1 }; Object.assign(Object.create(base), { own: 1 })

//? value [[3,2,1],[1,2,3],[1,9,3],[1,4]]
const xs = [1, 2, 3]; [xs.toReversed(), xs, xs.with(1, 9), xs.toSpliced(1, 2, 4)]

//? value [3,2,[1,2]]
[[1, 2, 3].findLast((n) => n > 1), [1, 2, 3].findLastIndex((n) => n > 2), Array.from(new Set([1, 2, 1]))]

//? value [1,2,3,4]
[...new Set([4, 2, 1, 3])].sort()

//? value {"type":"circle","area":3.14}
type Shape = { type: 'circle'; r: number } | { type: 'square'; side: number };
const area = (s: Shape) => { switch (s.type) { case 'circle': return 3.14 * s.r ** 2; case 'square': return s.side ** 2; } };
const s: Shape = { type: 'circle', r: 1 }; ({ type: s.type, area: area(s) })

//? value {"a":[1],"n":null}
({ a: [1], u: undefined, f() {}, s: Symbol('x'), n: null })

//? value [null,null]
[undefined, () => 1]

//? value "with Reflect"
Reflect.has({ a: 1 }, 'a') && Reflect.ownKeys({ a: 1 }).length === 1 && Reflect.construct(Date, [0]).getTime() === 0 ? 'with Reflect' : 'no'

//? value [1,{"deep":true}]
const cache = new WeakMap<object, number>(); const k = { deep: true }; cache.set(k, 1); [cache.get(k), k]
