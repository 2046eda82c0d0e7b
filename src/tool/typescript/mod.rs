//! Tools as TypeScript: what a model reads before it writes a program. Declarations are shorter than JSON Schemas, and they
//! say what a call gives as well as what it takes.
//!
//! A namespace per family of tools, a function per tool, an interface where a type stands in more than one place. Where all of
//! them would be too long, the names alone, and the rest on demand (`lookup`).

mod lookup;
#[cfg(test)]
mod tests;
mod types;

use std::collections::BTreeMap;

use super::ToolSpec;
use crate::journal::Effect;
pub use lookup::{Hit, describe, prompt, search};
use types::{Scope, Shapes};

/// Words that cannot name a function; they can name what a namespace exports.
const RESERVED: &[&str] = &[
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "debugger",
    "default",
    "delete",
    "do",
    "else",
    "enum",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "implements",
    "import",
    "in",
    "instanceof",
    "interface",
    "let",
    "new",
    "null",
    "package",
    "private",
    "protected",
    "public",
    "return",
    "static",
    "super",
    "switch",
    "this",
    "throw",
    "true",
    "try",
    "typeof",
    "var",
    "void",
    "while",
    "with",
    "yield",
];

/// How many tokens a text is, estimated: models take about four bytes of prose for one, and of JSON and code a little less, so
/// it is rather more than this. Both sides of a comparison are measured alike.
#[must_use]
pub fn tokens(text: &str) -> usize {
    text.len().div_ceil(4)
}

/// The tools as declarations, in order of their names. `asks` says of which a person is asked first.
///
/// Names of tools are identifiers with full stops between them; a test of the registry holds them to it.
#[must_use]
pub fn declarations(specs: &[&ToolSpec], asks: impl Fn(&ToolSpec) -> bool) -> String {
    let declared: Vec<String> =
        by_namespace(specs).into_iter().map(|(namespace, specs)| declared(namespace, &specs, &asks)).collect();
    declared.join("\n")
}

/// The tools by the first parts of their names, in order.
fn by_namespace<'a>(specs: &[&'a ToolSpec]) -> BTreeMap<&'a str, BTreeMap<&'a str, &'a ToolSpec>> {
    let mut namespaces: BTreeMap<&str, BTreeMap<&str, &ToolSpec>> = BTreeMap::new();
    for &spec in specs {
        let (namespace, name) = spec.name.rsplit_once('.').unwrap_or(("", spec.name));
        namespaces.entry(namespace).or_default().insert(name, spec);
    }
    namespaces
}

/// One namespace, or what stands in none. Its members are not indented and its comments are short: a model reads it as well, and
/// every space costs.
fn declared(namespace: &str, specs: &BTreeMap<&str, &ToolSpec>, asks: &impl Fn(&ToolSpec) -> bool) -> String {
    let shapes = Shapes::of(specs.values().filter_map(|spec| spec.returns.as_ref()));
    // Where something is exported by another name, all that is to be seen has to be exported.
    let has_reserved = specs.keys().any(|name| RESERVED.contains(name));
    let begins = match (namespace.is_empty(), has_reserved) {
        (true, _) => "declare ",
        (false, false) => "",
        (false, true) => "export ",
    };
    let mut lines: Vec<String> = Vec::new();
    for (name, scope, schema) in shapes.named() {
        lines.extend(types::description(schema).map(|text| format!("/** {text} */")));
        lines.push(format!("{begins}interface {name} {}", scope.literal(schema)));
    }
    for (name, spec) in specs {
        lines.push(function(name, spec, begins, &shapes, asks(spec)));
    }
    let body = lines.join("\n");
    if namespace.is_empty() { format!("{body}\n") } else { format!("declare namespace {namespace} {{\n{body}\n}}\n") }
}

fn function(name: &str, spec: &ToolSpec, begins: &str, shapes: &Shapes<'_>, asks: bool) -> String {
    let mut doc = types::prose(spec.description);
    doc.push_str(match spec.effect {
        Effect::Read => " @effect read",
        Effect::Idempotent => " @effect idempotent",
        Effect::Once => " @effect once",
    });
    if asks {
        doc.push_str(" @approval a person is asked first");
    }
    let parameters = match types::properties(&spec.parameters) {
        None => String::new(),
        Some(_) => {
            let optional = if types::required(&spec.parameters).next().is_none() { "?" } else { "" };
            format!("args{optional}: {}", Scope::new(&spec.parameters, shapes).literal(&spec.parameters))
        }
    };
    let returns = spec.returns.as_ref();
    let returns = returns.map_or_else(|| "string".to_owned(), |returns| Scope::new(returns, shapes).root(returns));
    let signature = format!("({parameters}): Promise<{returns}>;");
    let doc = format!("/** {} */", doc.trim());
    if RESERVED.contains(&name) {
        return format!("{doc}\nfunction _{name}{signature}\nexport {{ _{name} as {name} }};");
    }
    format!("{doc}\n{begins}function {name}{signature}")
}
