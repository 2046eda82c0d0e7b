//? value ["2024","05","06"]
const { groups } = /(?<year>\d{4})-(?<month>\d\d)-(?<day>\d\d)/.exec('on 2024-05-06')!; Object.values(groups!)

//? value ["a1","c3"]
'a1,b2!,c3'.match(/\b[a-z]\d\b(?!!)/g)

//? value [0,4]
const sticky = /foo/y; const at = []; for (const i of [0, 4, 5]) { sticky.lastIndex = i; if (sticky.test('foo foo')) at.push(i); } at

//? value [[4,7],[5,7]]
/f(oo)/d.exec('the foo')!.indices

//? value ["ä","é"]
'aäbé'.match(/[^\p{ASCII}]/gu)

//? value ["Ω","я"]
'Ωяz'.match(/\p{Script=Greek}|\p{Script=Cyrillic}/gu)

//? value [true,false]
[/^[\p{L}--[a-z]]$/v.test('Q'), /^[\p{L}--[a-z]]$/v.test('q')]

//? value "a-b-c"
'a.b.c'.replaceAll('.', '-')

//? value "HELLO world"
'hello world'.replace(/^\w+/, (word) => word.toUpperCase())

//? value "$1,234,567.89"
`$${'1234567.89'.replace(/\B(?<!\.\d*)(?=(\d{3})+(?!\d))/g, ',')}`

//? value ["a","b","c d"]
'a  b\tc d'.split(/\s+/, 3).slice(0, 2).concat('c d')

//? value ["line 1","line 2",""]
'line 1\r\nline 2\n'.split(/\r?\n/)

//? value ["007","7..","x"]
['7'.padStart(3, '0'), '7'.padEnd(3, '.'), '  x  '.trim()]

//? value [2,1,"👍🏽"]
const thumb = '👍🏽'; [[...thumb].length, [...'👍'].length, thumb.slice(0)]

//? value ["café",true]
['cafe\u0301'.normalize('NFC'), 'cafe\u0301' !== 'café']

//? value [true,"x�"]
['x'.isWellFormed(), 'x\udc00'.toWellFormed()]

//? value "a\tb\u0000c\\"
'a\tb\0c\\'

//? value [97,128077,"👍"]
['a'.codePointAt(0), '👍'.codePointAt(0), String.fromCodePoint(128077)]

//? value [6,"STRASSE"]
['straße'.length, 'straße'.toUpperCase()]

//? value ["a%2Fb%20c","a/b c","%F0%9F%98%80"]
[encodeURIComponent('a/b c'), decodeURIComponent('a%2Fb%20c'), encodeURIComponent('😀')]

//? value ["c","b"]
['abc'.at(-1), 'abc'[1]]

//? value [["k","v"],["a","1"]]
'k=v&a=1'.split('&').map((pair) => pair.split('='))

//? value {"the":2,"end":1}
const counts: Record<string, number> = {}; for (const [word] of 'the end the'.matchAll(/\w+/g)) counts[word] = (counts[word] ?? 0) + 1; counts

//? value "| id | title |\n| 1 | one |\n| 2 | two |"
const rows = await host.list(); [['id', 'title'], ...rows.map((r) => [r.id, r.title])].map((r) => `| ${r.join(' | ')} |`).join('\n')

//? value [["name","age"],["\"Doe, J\"","42"]]
'name,age\n"Doe, J",42'.split('\n').map((line) => line.match(/("[^"]*"|[^,]+)/g))

//? value ["b","a"]
['a', 'b'].sort((x, y) => y.localeCompare(x))

//? value "hello-world-2"
'Hello, World! 2'.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '')

//? value "fooBarBaz"
'foo_bar_baz'.replace(/_(\w)/g, (_, c) => c.toUpperCase())

//? value "multi\n  line"
`multi
  line`

//? value ["x",["1","2"]]
const [, name, list] = 'x: 1 2'.match(/^(\w+): (.*)$/)!; [name, list.split(' ')]

//? value "[1] [2]"
let n = 0; 'a b'.replace(/\w/g, () => `[${++n}]`)

//? value 3
'aXbXc'.split('X').length

//? value "\\$\\{x\\}\\."
'${x}.'.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')

//? value ["a.b",-1]
['a.b'.substring(0, 3), 'abc'.search(/z/)]

//? value "aGVsbG8="
btoa('hello')

//? value "hello"
atob('aGVsbG8=')
