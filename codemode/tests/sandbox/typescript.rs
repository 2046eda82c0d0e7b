use std::fmt::Write as _;

use reveille_codemode::{Failure, Limit, Program, ProgramError, SOURCE_BYTES};

use crate::door::{failure, limits, sandbox, value};

#[test]
fn what_cannot_be_read_is_shown_with_its_line_and_a_caret() {
    let sources = [
        "const a = 1;\nconst b = ;\n",
        "if (true) {\n\treturn 1;\n",
        "import fs from 'fs';\nfs.readFileSync('x')",
        "export const x = 1;",
        "const x = 1;\nconst x = 2;",
        "for (const x of [1]) { function f() { break; } }",
        "const x: = 1;",
        "return `unclosed ${1",
        "<div>jsx</div>",
        "await = 3",
        "let ä = 'ü' 'x';",
    ];
    let mut shown = String::new();
    for source in sources {
        let error = Program::read(source).unwrap_err();
        writeln!(shown, "{error}\n").unwrap();
    }
    insta::assert_snapshot!(shown);
}

#[tokio::test]
async fn what_is_thrown_is_shown_in_the_lines_of_the_source() {
    let sandbox = sandbox().await;
    let sources = [
        "interface Issue {\n  id: number;\n}\nconst issues: Issue[] = [];\nconst first = issues[0];\nfirst.id",
        "// a comment\nfunction inner(x: any): number {\n  return x.a.b;\n}\n\nfunction outer() {\n  return inner({});\n}\n\nouter();",
        "const text = 'ä\u{1f600}'; null.x",
        "enum A { B }\nclass C { constructor(private n: A) {}\n  go() { throw new RangeError(`bad ${this.n}`) } }\nnew C(A.B).go()",
        // Of a host call, where it was made and not where its answer came in.
        "type N = number;\nasync function close(n: N) {\n  await host.echo(n);\n  await host.fail('no such issue');\n}\nawait close(3);",
    ];
    let mut shown = String::new();
    for source in sources {
        let failure = failure(&sandbox, source, limits()).await;
        writeln!(shown, "{failure}").unwrap();
        let Failure::Threw(thrown) = failure else { panic!("{failure}") };
        for frame in thrown.frames {
            writeln!(shown, "    {} at {}", frame.function.unwrap_or_else(|| "(program)".to_owned()), frame.position)
                .unwrap();
        }
        shown.push('\n');
    }
    insta::assert_snapshot!(shown);
}

#[tokio::test]
async fn no_text_gets_out_of_the_function_it_is_put_into() {
    let sandbox = sandbox().await;
    assert_eq!(value(&sandbox, "'a' // comment at the end").await, "a");
    assert_eq!(value(&sandbox, "#!/usr/bin/env node\n'hashbang'").await, "hashbang");
    assert_eq!(value(&sandbox, "'a'; /* }) */ '})'").await, "})");
    for source in ["}); while (1) {} (async () => {", "1 }) (", "'use strict'}", "`\n})"] {
        assert!(matches!(Program::read(source), Err(ProgramError::Syntax { .. })), "{source}");
    }
}

#[test]
fn a_source_at_the_bound_is_read_and_one_over_it_is_not() {
    let statement = "f();\n";
    let source = statement.repeat(SOURCE_BYTES / statement.len());
    let source = format!("{source}{}", " ".repeat(SOURCE_BYTES - source.len()));
    assert!(Program::read(&source).is_ok());
    let error = Program::read(format!("{source} ")).unwrap_err();
    assert!(matches!(error, ProgramError::TooLong(Limit::SourceBytes { .. })), "{error}");
}

/// Ways to nest: what opens, what stands inside, what closes.
const NESTED: &[(&str, &str, &str)] = &[
    ("(", "1", ")"),
    ("[", "", "]"),
    ("!", "1", ""),
    ("- ", "1", ""),
    ("+1", "", ""),
    ("a=", "1", ""),
    ("a=>", "1", ""),
    ("()=>", "1", ""),
    ("()=>{", "", "}"),
    ("`${", "1", "}`"),
    ("a?b:", "1", ""),
    ("a?", "1", ":b"),
    ("a.", "a", ""),
    ("a(", "", ")"),
    ("a[", "1", "]"),
    ("a**", "1", ""),
    ("a??(", "1", ")"),
    ("new ", "a", ""),
    ("await ", "1", ""),
    ("typeof ", "1", ""),
    ("if(1)", ";", ""),
    ("if(1);else ", ";", ""),
    ("for(;;)", ";", ""),
    ("a:", ";", ""),
    ("({a:", "1", "})"),
    ("({a(){", "", "}})"),
    ("class A{a=", "1", "}"),
    ("function f(){", "", "}"),
    ("<a>", "1", ""),
    ("a as ", "b", ""),
    ("try{", "", "}finally{}"),
    ("switch(1){default:", "", "}"),
    ("let a:[", "b", "]"),
    ("type A=[", "b", "]"),
    ("let[", "a", "]=b"),
    ("(a,", "b", ")"),
    ("async(", "b", ")"),
    ("namespace A{", "", "}"),
];

#[test]
fn the_deepest_nesting_that_fits_is_read_or_refused_and_overflows_no_stack() {
    for (open, inner, close) in NESTED {
        // Closed, and never closed.
        let (whole, half) = (open.len() + close.len(), open.len());
        for (close, count) in [(*close, (SOURCE_BYTES - 8) / whole), ("", (SOURCE_BYTES - 8) / half)] {
            let source = format!("{}{inner}{}", open.repeat(count), close.repeat(count));
            if let Err(error @ ProgramError::Broken { .. }) = Program::read(source) {
                panic!("{open}: {error}");
            }
        }
    }
}

/// oxc tries these again at each level, so that the deepest would take hours. Their depth needs another test for the stack
/// than their time.
const TRIED_AGAIN: &[(&str, &str, &str)] =
    &[("a<", "b", ""), ("a<b<", "c", ""), ("(a=", "b", ")=>1"), ("(a=", "b", "")];

#[test]
fn what_takes_too_long_to_read_is_given_up() {
    let error = Program::read("a<b<".repeat(SOURCE_BYTES / 4)).unwrap_err();
    assert_eq!(error, ProgramError::TooComplex);
    assert!(error.to_string().contains("write it flatter"), "{error}");
    // Others are read meanwhile; this depth of each takes a moment.
    for (open, inner, close) in TRIED_AGAIN {
        let source = format!("{}{inner}{}", open.repeat(100), close.repeat(100));
        assert!(!matches!(Program::read(source), Err(ProgramError::Broken { .. })), "{open}");
    }
}
