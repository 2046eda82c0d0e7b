//! From JSON Schema to types. What a schema says that types cannot (lengths, patterns, bounds) is left out: the tool checks it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// How deep types are written; what is deeper is `unknown`.
const DEEPEST: usize = 12;
/// The longest object that is written in one line.
const LINE: usize = 80;

/// The object types of some schemas that stand in more than one place and so are worth a name.
#[derive(Debug, Default)]
pub(super) struct Shapes<'a> {
    named: BTreeMap<&'a str, (&'a Value, &'a Value)>,
    /// Names of properties with what was said of them.
    said: RefCell<BTreeSet<(String, String)>>,
}

/// What is seen of a name.
struct Seen<'a> {
    shape: &'a Value,
    root: &'a Value,
    places: usize,
    is_one: bool,
}

impl<'a> Shapes<'a> {
    pub(super) fn of(roots: impl Iterator<Item = &'a Value>) -> Self {
        let mut seen = BTreeMap::new();
        for root in roots {
            if let Some(title) = root.get("title").and_then(Value::as_str) {
                note(&mut seen, title, root, root);
            }
            visit(&mut seen, root, root, &mut BTreeSet::new());
        }
        let named = seen.into_iter().filter(|(_, seen)| seen.is_one && seen.places > 1);
        let named = named.map(|(name, seen)| (name, (seen.shape, seen.root))).collect();
        Self { named, said: RefCell::default() }
    }

    /// The names, each with its schema and what its references mean.
    pub(super) fn named(&self) -> impl Iterator<Item = (&'a str, Scope<'_>, &'a Value)> {
        self.named.iter().map(|(name, (shape, root))| (*name, Scope::new(root, self), *shape))
    }

    /// What there is to say of a property: what was said of one of that name above is not said again.
    fn say(&self, property: &str, schema: &Value) -> Option<String> {
        let text = description(schema)?;
        self.said.borrow_mut().insert((property.to_owned(), text.clone())).then_some(text)
    }
}

fn note<'a>(seen: &mut BTreeMap<&'a str, Seen<'a>>, name: &'a str, shape: &'a Value, root: &'a Value) {
    if properties(shape).is_none() {
        return;
    }
    let alike = |one: &Value, key: &str| one.get(key) == shape.get(key);
    let known = seen.entry(name).or_insert(Seen { shape, root, places: 0, is_one: true });
    known.places += 1;
    // Two types of one name stay without it.
    known.is_one &= ["properties", "required", "additionalProperties"].iter().all(|key| alike(known.shape, key));
}

fn visit<'a>(
    seen: &mut BTreeMap<&'a str, Seen<'a>>,
    root: &'a Value,
    schema: &'a Value,
    inside: &mut BTreeSet<&'a str>,
) {
    match schema {
        Value::Object(object) => {
            if let Some((name, shape)) = referred(root, schema) {
                note(seen, name, shape, root);
                if inside.insert(name) {
                    visit(seen, root, shape, inside);
                }
            }
            object.iter().filter(|(key, _)| *key != "$defs").for_each(|(_, below)| visit(seen, root, below, inside));
        }
        Value::Array(items) => items.iter().for_each(|below| visit(seen, root, below, inside)),
        _ => {}
    }
}

fn referred<'a>(root: &'a Value, schema: &'a Value) -> Option<(&'a str, &'a Value)> {
    let name = schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")?;
    Some((name, root.get("$defs")?.get(name)?))
}

/// The properties of an object's schema, if it has any.
pub(super) fn properties(schema: &Value) -> Option<&Map<String, Value>> {
    schema.get("properties").and_then(Value::as_object).filter(|properties| !properties.is_empty())
}

/// The properties that have to be there.
pub(super) fn required(schema: &Value) -> impl Iterator<Item = &str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// A text as it can stand in a comment: one line, which it cannot end.
pub(super) fn prose(text: &str) -> String {
    let text: String = text.chars().map(|one| if one.is_control() { ' ' } else { one }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace("*/", "*\\/")
}

/// What a schema's description says, as it can stand in a comment.
pub(super) fn description(schema: &Value) -> Option<String> {
    Some(prose(schema.get("description")?.as_str()?)).filter(|text| !text.is_empty())
}

/// How a property is written: in quotes where it is no identifier.
fn key(name: &str) -> String {
    let begins = name.starts_with(|first: char| first.is_ascii_alphabetic() || matches!(first, '_' | '$'));
    if begins && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$')) {
        return name.to_owned();
    }
    Value::from(name).to_string()
}

/// Where references lead, and which types have names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    root: &'a Value,
    shapes: &'a Shapes<'a>,
}

impl<'a> Scope<'a> {
    pub(super) fn new(root: &'a Value, shapes: &'a Shapes<'a>) -> Self {
        Self { root, shapes }
    }

    /// The type of a whole schema: by its name where it has one.
    pub(super) fn root(self, schema: &Value) -> String {
        match schema.get("title").and_then(Value::as_str) {
            Some(title) if self.shapes.named.contains_key(title) => title.to_owned(),
            _ => self.type_of(schema, 0, 0),
        }
    }

    /// An object's type, written out.
    pub(super) fn literal(self, schema: &Value) -> String {
        self.object(schema, 0, 0)
    }

    fn type_of(self, schema: &Value, indent: usize, depth: usize) -> String {
        if depth > DEEPEST {
            return "unknown".to_owned();
        }
        if let Some((name, shape)) = referred(self.root, schema) {
            if self.shapes.named.contains_key(name) {
                return name.to_owned();
            }
            return self.type_of(shape, indent, depth + 1);
        }
        if let Some(only) = schema.get("const") {
            return only.to_string();
        }
        if let Some(values) = schema.get("enum").and_then(Value::as_array) {
            return union(values.iter().map(Value::to_string));
        }
        for keyword in ["anyOf", "oneOf"] {
            if let Some(ways) = schema.get(keyword).and_then(Value::as_array) {
                return union(ways.iter().map(|way| self.type_of(way, indent, depth + 1)));
            }
        }
        if let Some(all) = schema.get("allOf").and_then(Value::as_array) {
            let all: Vec<String> = all.iter().map(|one| grouped(self.type_of(one, indent, depth + 1))).collect();
            return all.join(" & ");
        }
        match schema.get("type") {
            Some(Value::Array(kinds)) => {
                union(kinds.iter().filter_map(Value::as_str).map(|kind| self.kind(kind, schema, indent, depth)))
            }
            Some(Value::String(kind)) => self.kind(kind, schema, indent, depth),
            _ if properties(schema).is_some() => self.object(schema, indent, depth),
            _ if *schema == Value::Bool(false) => "never".to_owned(),
            _ => "unknown".to_owned(),
        }
    }

    fn kind(self, kind: &str, schema: &Value, indent: usize, depth: usize) -> String {
        match kind {
            "string" | "boolean" | "null" => kind.to_owned(),
            "integer" | "number" => "number".to_owned(),
            "array" => self.array(schema, indent, depth),
            "object" => self.object(schema, indent, depth),
            _ => "unknown".to_owned(),
        }
    }

    fn array(self, schema: &Value, indent: usize, depth: usize) -> String {
        if let Some(items) = schema.get("prefixItems").and_then(Value::as_array) {
            let items: Vec<String> = items.iter().map(|item| self.type_of(item, indent, depth + 1)).collect();
            return format!("[{}]", items.join(", "));
        }
        let item =
            schema.get("items").map_or_else(|| "unknown".to_owned(), |item| self.type_of(item, indent, depth + 1));
        format!("{}[]", grouped(item))
    }

    fn object(self, schema: &Value, indent: usize, depth: usize) -> String {
        let others = match schema.get("additionalProperties") {
            Some(Value::Bool(false)) => None,
            Some(others @ Value::Object(_)) => Some(self.type_of(others, indent, depth + 1)),
            Some(Value::Bool(true)) => Some("unknown".to_owned()),
            _ if properties(schema).is_none() => Some("unknown".to_owned()),
            _ => None,
        };
        let Some(properties) = properties(schema) else {
            return others.map_or_else(|| "{}".to_owned(), |others| format!("Record<string, {others}>"));
        };
        let required: BTreeSet<&str> = required(schema).collect();
        let member = |(name, property): (&String, &Value)| {
            let written = self.type_of(property, indent + 1, depth + 1);
            if required.contains(name.as_str()) {
                return format!("{}: {written};", key(name));
            }
            // What may be left out need not be null.
            format!("{}?: {};", key(name), written.trim_end_matches(" | null"))
        };
        let mut members: Vec<(Option<String>, String)> =
            properties.iter().map(|one| (self.shapes.say(one.0, one.1), member(one))).collect();
        // What is of another type beside the properties is a union with them to TypeScript, or would be refused.
        members.extend(others.map(|_| (None, "[key: string]: unknown;".to_owned())));
        let line = members.iter().map(|(_, member)| member.as_str()).collect::<Vec<_>>().join(" ");
        let is_plain = members.iter().all(|(comment, member)| comment.is_none() && !member.contains('\n'));
        if is_plain && line.len() <= LINE {
            return format!("{{ {} }}", line.trim_end_matches(';'));
        }
        let (inside, outside) = (" ".repeat(indent + 1), " ".repeat(indent));
        let mut text = String::from("{\n");
        for (description, member) in members {
            text.push_str(&match description {
                None => format!("{inside}{member}\n"),
                Some(description) if member.contains('\n') => format!("{inside}// {description}\n{inside}{member}\n"),
                Some(description) => format!("{inside}{member} // {description}\n"),
            });
        }
        text.push_str(&outside);
        text.push('}');
        text
    }
}

/// Each way once, in their order.
fn union(ways: impl Iterator<Item = String>) -> String {
    let mut different: Vec<String> = Vec::new();
    for way in ways {
        if !different.contains(&way) {
            different.push(way);
        }
    }
    if different.is_empty() { "never".to_owned() } else { different.join(" | ") }
}

/// In brackets where something follows it that would bind more tightly. An object's own signs are inside its braces.
fn grouped(text: String) -> String {
    let mut open = 0_usize;
    let mut in_text = false;
    let mut before = ' ';
    for one in text.chars() {
        match one {
            '"' if before != '\\' => in_text = !in_text,
            '{' | '[' | '<' if !in_text => open += 1,
            '}' | ']' | '>' if !in_text => open = open.saturating_sub(1),
            '|' | '&' if !in_text && open == 0 => return format!("({text})"),
            _ => {}
        }
        before = one;
    }
    text
}
