//! What the properties are tried with.

use std::fmt::Write as _;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value};

use crate::corpus::{Listed, corpus};

static CORPUS: LazyLock<Vec<Listed>> =
    LazyLock::new(|| ["fine", "broken", "hostile"].into_iter().flat_map(corpus).collect());

pub(crate) fn json() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<i32>().prop_map(|number| serde_json::json!(number)),
        any::<i32>().prop_map(|number| serde_json::json!(f64::from(number) / 1024.0)),
        select(vec![0.0, -0.0, 1e300, -5e-324, 1e21, 0.1]).prop_map(|number| serde_json::json!(number)),
    ];
    let text = prop_oneof![any::<String>(), ".{0,12}", "[\"\\\\\u{0}-\u{1f}\u{2028}\u{fffd}]{0,6}"];
    let key = prop_oneof![
        any::<String>(),
        "[a-z]{0,4}",
        select(vec!["__proto__", "constructor", "toJSON", "then", "length", "0", "id", "error", "outcome", "value"])
            .prop_map(str::to_owned),
    ];
    let leaf =
        prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::Bool), number, text.prop_map(Value::String)];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec((key.clone(), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Expressions that are no JSON, or only nearly.
pub(crate) const ODD: &[&str] = &[
    "undefined",
    "NaN",
    "-0",
    "Infinity",
    "Symbol('x')",
    "() => 1",
    "class {}",
    "new Map([[1, {}]])",
    "new Set([NaN])",
    "new Date(NaN)",
    "new Date(0)",
    "/x/g",
    "1n",
    "'\\ud800'",
    "'\\udc00\\ud800'",
    "({ ['\\udfff']: '\\ud800' })",
    "JSON.rawJSON?.('\"\\\\ud800\"')",
    "new Proxy([], {})",
    "new Proxy({}, { ownKeys() { throw 1 } })",
    "(() => { const a = []; a.push(a); return a })()",
    "({ get x() { throw new Error('x') } })",
    "new WeakRef({})",
    "({ toJSON() { return undefined } })",
    "({ toJSON() { return '\\ud800' } })",
    "({ toJSON: 1 })",
    "new Uint8Array(3)",
    "new Error('e')",
    "Object.create(null)",
    "[ , 1]",
    "Promise.resolve(1)",
    "Object('x')",
    "function* () {}",
    "missing",
    "'x'.repeat(1e5)",
    "'\\u2028\\0\\\\\"'",
    "host",
    "console",
    "Math",
    "globalThis",
    "({ __proto__: null, a: 1 })",
    "({ '__proto__': 1, ['__proto__']: 2 })",
    "(host.echo(1), 2)",
    "({ toJSON() { host.echo(3); return 4 } })",
    "({ toJSON() { console.log('x'); throw null } })",
    "[[[[[]]]]]",
    "Array(1000)",
    "Array.prototype",
];

/// What texts of TypeScript are made of.
const TOKENS: &[&str] = &[
    "const a = 1;",
    "let {",
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    "<",
    ">",
    "=>",
    "=",
    ";",
    ",",
    ".",
    "?.",
    "??",
    "...",
    "`",
    "${",
    "'",
    "\"",
    "/",
    "/*",
    "*/",
    "//",
    "\n",
    "\u{2028}",
    "\\u{61}",
    "#x",
    "@d",
    "async",
    "await",
    "yield",
    "function*",
    "class A",
    "enum E",
    "namespace N",
    "declare",
    "abstract",
    "as",
    "satisfies",
    "type T =",
    "interface I",
    "import",
    "export",
    "return",
    "throw",
    "if",
    "else",
    "for",
    "of",
    "in",
    "while",
    "do",
    "switch",
    "case",
    "default:",
    "break",
    "continue",
    "x:",
    "try",
    "catch",
    "finally",
    "new",
    "delete",
    "void",
    "typeof",
    "static",
    "get",
    "set",
    "super",
    "this",
    "import.meta",
    "import(",
    "require(",
    "0x",
    "1n",
    "1e",
    "08",
    ".5",
    "/(?<a",
    "/u",
    "<div>",
    "</div>",
    "<>",
    "</>",
    "!",
    "-",
    "**",
    "|",
    "&",
    "keyof",
    "infer U",
    "unique symbol",
    "accessor",
    "using",
    "ä",
    "\u{1f600}",
    "\u{feff}",
    "\0",
    "host.echo(1)",
    "a",
    "b",
    "return 1",
];

pub(crate) fn tokens() -> impl Strategy<Value = String> {
    let token = prop_oneof![8 => select(TOKENS).prop_map(str::to_owned), 1 => "\\PC{0,3}"];
    (prop::collection::vec(token, 0..50), select(vec!["", " "])).prop_map(|(tokens, between)| tokens.join(between))
}

/// A program of the corpus with pieces lost, doubled and put in.
pub(crate) fn changed() -> impl Strategy<Value = String> {
    let change = (0..3_u8, any::<Index>(), 0..12_usize, select(TOKENS));
    (any::<Index>(), prop::collection::vec(change, 1..5)).prop_map(|(program, changes)| {
        let mut text: Vec<char> = program.get(&CORPUS).source.chars().collect();
        for (kind, at, len, token) in changes {
            let at = at.index(text.len() + 1);
            let piece = at..(at + len).min(text.len());
            match kind {
                0 => drop(text.drain(piece)),
                1 => {
                    let piece = text[piece].to_vec();
                    text.splice(at..at, piece);
                }
                _ => drop(text.splice(at..at, token.chars())),
            }
        }
        text.into_iter().collect()
    })
}

/// What a run does between its beginning and its end, with one number to do it with.
const STEPS: &[&str] = &[
    "n += await host.add(n % 1000, $);",
    "log.push(await host.echo([n, $]));",
    "log.push((await Promise.all([host.echo($), sleep($), host.list()])).length);",
    "for (let i = 0; i < $ % 4; i++) n += it.next().value;",
    "try { await host.fail('x' + $); } catch (error: any) { log.push(`${error.call} ${error.message}`); }",
    "map.set($, new Uint8Array($ % 50).fill($));",
    "n = (n * 31 + $) % 65521;",
    "log.push(Math.random());",
    "log.push(Date.now());",
    "pending.push(host.echo($));",
    "text += 'x'.repeat($ * 10);",
    "console.log('at', $, n);",
    "const { length } = await list(await host.echo($ % 5)); n += length;",
];

pub(crate) fn steps() -> impl Strategy<Value = String> {
    prop::collection::vec((select(STEPS), 0..100_u8), 1..12).prop_map(|steps| {
        let mut source = "let n = 1, text = ''; const log: unknown[] = [], pending: Promise<unknown>[] = [];
const map = new Map<number, Uint8Array>(); const it = (function* () { for (let k = 0; ; k++) yield k; })();
const list = async (n: number) => { const all: number[] = []; for (let i = 0; i < n; i++) all.push(await host.echo(i)); return all; };
"
        .to_owned();
        for (step, number) in steps {
            writeln!(source, "{{ {} }}", step.replace('$', &number.to_string())).unwrap();
        }
        source + "await Promise.all(pending); ({ n, log, text: text.length, map: [...map].map(([k, v]) => [k, [...v]]) })"
    })
}
