//? refused modules are not available here
import fs from 'fs';
fs.readFileSync('x')

//? refused modules are not available here
import { type Issue, list } from './issues';
list()

//? refused modules are not available here
import * as everything from 'everything';

//? refused modules are not available here
import 'side-effect';

//? refused modules are not available here
import type { Issue } from './issues';
const issue: Issue = { id: 1 };

//? refused modules are not available here
export const answer = 42;

//? refused modules are not available here
export default async function main() { return 1; }

//? refused modules are not available here
const a = 1;
export { a };

//? refused modules are not available here
export * from 'x';

//? refused modules are not available here
import fs = require('fs');

//? refused modules are not available here
export = 1;

//? refused modules are not available here
const fs = require('fs');
fs.readFileSync('/etc/passwd', 'utf8')

//? refused modules are not available here
const { readFile } = await import('node:fs/promises');
await readFile('x')

//? refused modules are not available here
const load = () => import(`./${'x'}.js`);

//? refused modules are not available here
import.meta.url

//? refused modules are not available here
if (typeof require === 'function') require('child_process').execSync('id');

//? refused JSX is not available here
const view = <div className="x">hello</div>;

//? refused JSX is not available here
return <><Item n={1} /></>;

//? refused JSX is not available here
const List = ({ items }) => (
  <ul>
    {items.map((item) => <li key={item}>{item}</li>)}
  </ul>
);

//? refused decorators are not available here
function logged(value: any, _: any) { return value; }
class Service { @logged run() {} }

//? refused decorators are not available here
@sealed class Sealed {}
function sealed(_: any) {}

//? refused decorators are not available here
const C = @((c: any) => c) class {};

//? refused decorators are not available here
class A { constructor(@inject private b: number) {} }
function inject() {}

//? refused decorators are not available here
class A { @tracked accessor n = 1; }
declare const tracked: any;

//? refused Unexpected token
const a = ;

//? refused Expected `}`
if (true) { return 1;

//? refused Expected `)`
host.echo(1

//? refused Expected a semicolon
const text = 'it's';

//? refused already been declared
const x = 1; let x = 2;

//? refused Illegal break
if (true) break;

//? refused continue
const f = () => { continue; };

//? refused undefined label
for (;;) { break nowhere; }

//? refused regular expression
/a/gg.test('a')

//? refused Cannot assign
1 = 2;

//? refused await
function notAsync() { await host.echo(1); }

//? refused yield
const f = () => { yield 1; };

//? refused super
function f() { super.x; }

//? refused Private field '#nowhere'
class A { f(other) { return other.#nowhere; } }

//? refused new.target
const t = new.target;

//? refused with
with (host) { echo(1); }

//? refused octal
const n = 010;

//? refused delete
const x = 1; delete x;

//? refused const
const later;

//? refused constructor
class Twice { constructor() {} constructor() {} }

//? refused already been declared
function f(a, a) {}

//? refused rest
function f(...rest, last) {}

//? refused Expected a semicolon
SELECT * FROM issues WHERE id = 1;

//? refused
print "hello"

//? refused
def main():
    return 1

//? refused
Here is the program:
```ts
return 1;
```

//? refused
{ "not": "a program" }

//? refused
const x = “smart quotes”;

//? refused
for await (const x of [1]) { let y = x } } return 1

//? refused
<<<<<<< HEAD
const a = 1;
=======
const a = 2;
>>>>>>> branch
