//! `clock.now`: what time it is.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{Class, Tool, ToolContext, ToolError, ToolSpec, parse_arguments, schema_of};
use crate::journal::Effect;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    /// IANA name of a time zone, such as Europe/Berlin; UTC if left out.
    #[serde(default)]
    zone: Option<String>,
}

/// `clock.now`.
#[derive(Debug)]
pub(super) struct Now(ToolSpec);

impl Now {
    pub(super) fn new() -> Self {
        Self(ToolSpec {
            name: "clock.now",
            description: "The date, the time and the day of the week, now.",
            parameters: schema_of::<Arguments>(),
            returns: None,
            effect: Effect::Read,
            class: Class::ReadTrusted,
            platform: None,
            deadline: Duration::from_secs(5),
            output_bytes: 256,
        })
    }
}

#[async_trait]
impl Tool for Now {
    fn spec(&self) -> &ToolSpec {
        &self.0
    }

    async fn call(&self, context: &ToolContext, arguments: &Value) -> Result<String, ToolError> {
        let Arguments { zone } = parse_arguments(arguments)?;
        let zone = match zone.as_deref() {
            None => TimeZone::UTC,
            Some(name) => TimeZone::get(name).map_err(|_| {
                ToolError::Failed("This is not a time zone that is known here. Leave `zone` out for UTC.".to_owned())
            })?,
        };
        let now = Timestamp::from_millisecond(context.now_ms)
            .map_err(|_| ToolError::Failed("The clock is out of order.".to_owned()))?;
        Ok(now.to_zoned_datetime(zone).strftime("%A, %Y-%m-%d %H:%M:%S %:z").to_string())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tool::tests::context;

    #[tokio::test]
    async fn the_time_is_the_turns_clock_in_the_zone_that_was_asked_for() {
        let tool = Now::new();
        let mut context = context();
        context.now_ms = 1_785_585_600_000;
        assert_eq!(tool.call(&context, &json!({})).await.unwrap(), "Saturday, 2026-08-01 12:00:00 +00:00");
        let berlin = tool.call(&context, &json!({ "zone": "Europe/Berlin" })).await.unwrap();
        assert_eq!(berlin, "Saturday, 2026-08-01 14:00:00 +02:00");
        assert!(tool.call(&context, &json!({ "zone": "Mars/Olympus" })).await.is_err());
    }
}
