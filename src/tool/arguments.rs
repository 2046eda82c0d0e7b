//! Arguments: from a Rust type to the schema a model reads, and from what the model wrote to the Rust type.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::ToolError;
use super::output::cut;

/// The most bytes of an error that is told to the model.
const ERROR_BYTES: usize = 600;

/// The schema of a tool's arguments: small and plain, in the part of JSON Schema that every provider takes (one object,
/// no references, no titles, one type per field).
#[must_use]
pub fn schema_of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    if let Value::Object(object) = &mut schema {
        // The tool's own description says it; a type's doc comment is for its readers.
        object.remove("description");
        object.entry("properties").or_insert_with(|| Value::Object(Map::new()));
    }
    simplify(&mut schema);
    schema
}

/// The schema of a value that a program gets: what may be null stays so, as it is there and null. Types keep their names, so that
/// one that stands in many places can be written once.
#[must_use]
pub fn schema_of_value<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize().with(|settings| {
        settings.meta_schema = None;
    });
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    without(&mut schema, &["format", "default", "minimum"]);
    schema
}

/// Takes keywords out, wherever they stand; a property of the same name stays.
fn without(schema: &mut Value, keywords: &[&str]) {
    match schema {
        Value::Object(object) => {
            for keyword in keywords {
                if !object.get(*keyword).is_some_and(Value::is_object) {
                    object.remove(*keyword);
                }
            }
            object.values_mut().for_each(|below| without(below, keywords));
        }
        Value::Array(items) => items.iter_mut().for_each(|below| without(below, keywords)),
        _ => {}
    }
}

fn simplify(schema: &mut Value) {
    without(schema, &["title", "format", "default"]);
    one_type(schema);
}

/// What may be null may be left out: not being required says the same, and some providers take one type only.
fn one_type(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Array(types)) = object.get("type") {
                let kept = types.iter().find(|kind| kind.as_str() != Some("null")).cloned();
                if let Some(kept) = kept {
                    object.insert("type".to_owned(), kept);
                }
            }
            object.values_mut().for_each(one_type);
        }
        Value::Array(items) => items.iter_mut().for_each(one_type),
        _ => {}
    }
}

/// Reads arguments as the model wrote them.
///
/// # Errors
/// [`ToolError::Failed`] with the field that is wrong and what is expected there, in words for the model.
pub fn parse_arguments<T: DeserializeOwned>(arguments: &Value) -> Result<T, ToolError> {
    let none = Value::Object(Map::new());
    let arguments = match arguments {
        // Some providers write nothing for a tool without required arguments.
        Value::Null => &none,
        Value::Object(_) => arguments,
        Value::String(_) => return Err(wrong("they are not JSON: write one JSON object")),
        _ => return Err(wrong("they are not a JSON object")),
    };
    serde_path_to_error::deserialize(arguments).map_err(|error| {
        let path = error.path().to_string();
        let said = error.into_inner().to_string();
        // For an unknown or missing field, serde names it by itself.
        if path == "." || said.contains(&format!("`{path}`")) {
            wrong(&said)
        } else {
            wrong(&format!("`{path}`: {said}"))
        }
    })
}

fn wrong(what: &str) -> ToolError {
    ToolError::Failed(cut(format!("The arguments are wrong: {what}. Nothing was done."), ERROR_BYTES).0)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    /// Not for the model.
    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its shape matters")]
    struct Example {
        /// Which one.
        title: String,
        /// How many, at most 10.
        #[serde(default)]
        limit: Option<u32>,
        /// A list.
        #[serde(default)]
        labels: Vec<String>,
    }

    #[derive(Debug, Deserialize, JsonSchema)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}

    #[test]
    fn a_schema_is_one_plain_object() {
        assert_eq!(
            schema_of::<Example>(),
            json!({
                "type": "object",
                "properties": {
                    "title": { "description": "Which one.", "type": "string" },
                    "limit": { "description": "How many, at most 10.", "type": "integer", "minimum": 0 },
                    "labels": { "description": "A list.", "type": "array", "items": { "type": "string" } },
                },
                "required": ["title"],
                "additionalProperties": false,
            })
        );
        assert_eq!(
            schema_of::<Nothing>(),
            json!({ "type": "object", "properties": {}, "additionalProperties": false })
        );
    }

    #[test]
    fn a_wrong_argument_is_named_with_what_is_expected() {
        let said = |arguments: Value| parse_arguments::<Example>(&arguments).unwrap_err().to_string();
        let page = [
            json!("{\"title\": \"cut"),
            json!([1]),
            json!({}),
            json!({ "titel": "x" }),
            json!({ "title": 7 }),
            json!({ "title": "x", "limit": -1 }),
            json!({ "title": "x", "labels": ["a", 2] }),
            json!({ "title": "x", "x".repeat(5_000): 1 }),
        ]
        .map(said);
        insta::assert_snapshot!(page.join("\n"));
        assert!(parse_arguments::<Nothing>(&Value::Null).is_ok());
    }
}
