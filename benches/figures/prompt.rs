//! What tools cost in a prompt: as JSON Schemas, as the declarations that programs are written against, and as names alone.

use anyhow::Result;
use reveille::model::ToolSchema;
use reveille::tool::{Platforms, Registry, ToolSpec, typescript};

use crate::Figure;

/// Those of one agent: 34 tools.
const TOOLS: [&str; 4] = ["clock.*", "github.*", "linear.*", "skill.*"];

pub(crate) fn figures() -> Result<Vec<Figure>> {
    let registry = Registry::built_in(&Platforms::default())?;
    let patterns = TOOLS.map(str::to_owned);
    let specs: Vec<&ToolSpec> = registry.matching(&patterns).map(|tool| tool.spec()).collect();
    let schema = |spec: &ToolSpec| ToolSchema {
        name: spec.name.to_owned(),
        description: spec.description.to_owned(),
        parameters: spec.parameters.clone(),
    };
    let mut schemas = 0;
    for spec in &specs {
        schemas += typescript::tokens(&serde_json::to_string(&schema(spec))?);
    }
    let declarations = typescript::tokens(&typescript::declarations(&specs, |_| false));
    let names = typescript::tokens(&typescript::prompt(&specs, |_| false, declarations - 1));
    let count = specs.len();
    Ok(vec![
        figure(format!("declarations of {count} tools, with what they give"), schemas, declarations, "under 0.9"),
        figure(format!("names of {count} tools, the rest on demand"), schemas, names, "under 0.1"),
    ])
}

fn figure(what: String, schemas: usize, ours: usize, goal: &'static str) -> Figure {
    let ratio =
        f64::from(u32::try_from(ours).unwrap_or(u32::MAX)) / f64::from(u32::try_from(schemas).unwrap_or(u32::MAX));
    Figure { what, yardstick: format!("{schemas} tokens as schemas"), ours: format!("{ours} tokens"), ratio, goal }
}
