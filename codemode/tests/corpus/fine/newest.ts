//? value ["opened","used","closed"]
const log: string[] = [];
{ using file = { [Symbol.dispose]() { log.push('closed'); } }; log.push('opened'); if (file) log.push('used'); }
log

//? value ["inner","outer"]
const log: string[] = []; const closing = (name: string) => ({ async [Symbol.asyncDispose]() { await host.echo(name); log.push(name); } });
{ await using outer = closing('outer'); await using inner = closing('inner'); }
log

//? value ["both","SuppressedError"]
try { using a = { [Symbol.dispose]() { throw new Error('first'); } }; throw new Error('both'); } catch (error: any) { return [error.suppressed.message, error.name]; }

//? value ["y",true,false]
const { groups } = /(?<a>x)|(?<a>y)/.exec('y')!; [groups!.a, /(?i:a)b/.test('Ab'), /(?i:a)b/.test('AB')]

//? value ["\\x61\\.b","aGk=","6869"]
const bytes = new Uint8Array([104, 105]) as any; [(RegExp as any).escape('a.b'), bytes.toBase64(), bytes.toHex()]

//? value [[104,105],true,0.1]
[[...(Uint8Array as any).fromBase64('aGk=')], (Error as any).isError(new TypeError('t')), (Math as any).sumPrecise([1e20, 0.1, -1e20])]

//? value [1,2,3,4]
[...(Iterator as any).concat([1, 2], new Set([3, 4]))]

//? value {"n":12345678901234567890}
({ n: (JSON as any).rawJSON('12345678901234567890') })

//? value ["😀","\ud83d\ude00"]
['😀', (JSON as any).rawJSON('"\\ud83d\\ude00"')]

//? value ["azä","1234.5","01/01/1970"]
// No Intl: every locale is the same one.
[['ä', 'z', 'a'].sort((x, y) => x.localeCompare(y, 'de')).join(''), (1234.5).toLocaleString('de-DE'), new Date(0).toLocaleDateString('de-DE')]
