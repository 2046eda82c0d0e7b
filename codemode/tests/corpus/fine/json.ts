//? value {"__proto__":{"x":1},"a":1}
JSON.parse('{"__proto__": {"x": 1}, "a": 1}')

//? value {"a":2}
JSON.parse('{"a":1,"a":2}')

//? value "{\n  \"a\": [\n    1\n  ]\n}"
JSON.stringify({ a: [1] }, null, 2)

//? value "{\"a\":1}"
JSON.stringify({ a: 1, b: 2 }, ['a'])

//? value {"a":2,"b":[4]}
JSON.parse('{"a":1,"b":[2]}', (_, v) => (typeof v === 'number' ? v * 2 : v))

//? value "{\"when\":\"1970-01-01T00:00:00.000Z\"}"
JSON.stringify({ when: new Date(0) })

//? value {"amount":"12.50 EUR"}
class Money { constructor(private n: number) {} toJSON() { return `${this.n.toFixed(2)} EUR`; } } ({ amount: new Money(12.5) })

//? value ["\"\\ud800\"","null","undefined"]
[JSON.stringify('\ud800'), JSON.stringify(NaN), `${JSON.stringify(undefined)}`]

//? value "TypeError"
try { JSON.stringify(1n); } catch (error) { return (error as Error).name; }

//? value [true,9007199254740992]
[JSON.parse('1e400') === Infinity, JSON.parse('9007199254740993')]

//? value {"":{"":1}," ":2}
({ '': { '': 1 }, ' ': 2 })

//? value {"a/b":1,"ä":"ü","\"":"\\","\u0001":"\u001f"}
({ 'a/b': 1, 'ä': 'ü', '"': '\\', '\u0001': '\u001f' })

//? value {"kept":[["k",{"n":"1"}],["s",[1,2]]]}
({ kept: new Map<string, unknown>([['k', { n: 1n }], ['s', new Set([1, 2])]]) })

//? value {"name":"TypeError","message":"t"}
new TypeError('t')

//? value {"wrapped":[1,"a",true]}
({ wrapped: [new Number(1), new String('a'), new Boolean(true)] })

//? value null
null

//? nothing
undefined

//? nothing
Symbol('x')

//? value false
false

//? value ""
''

//? value {"�":"�"}
({ '\ud800': '\udfff' })

//? value "\\ud800"
'\\ud800'

//? value {"\\\\ud800":["\\ud800"]}
({ '\\\\ud800': ['\\ud800'] })

//? value [{"id":1,"title":"one"},{"id":2,"title":"two"}]
JSON.parse(JSON.stringify(await host.list()))

//? value [{"�":1}]
[await host.echo({ '\udc00': 1 })]
