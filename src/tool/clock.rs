//! `clock.now`: what time it is.

use std::time::Duration;

use async_trait::async_trait;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::{Answer, time, value_of};
use super::{Class, Tool, ToolContext, ToolError, ToolSpec, parse_arguments, schema_of, schema_of_value};
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
            returns: Some(schema_of_value::<TimeValue>()),
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
        Ok(now(context, arguments)?.text(context))
    }

    async fn value(&self, context: &ToolContext, arguments: &Value) -> Result<Value, ToolError> {
        value_of(now(context, arguments)?)
    }
}

/// A time in a zone.
struct Time(ZonedDateTime);

/// What programs get of it.
#[derive(Serialize, JsonSchema)]
struct TimeValue {
    /// Such as 2026-08-01T12:00:00Z.
    at: Option<String>,
    /// Milliseconds since 1970.
    ms: i64,
    /// In the zone.
    date: String,
    /// Such as 14:00:00.
    time: String,
    /// Such as Saturday.
    weekday: String,
    zone: String,
    /// Such as +02:00.
    offset: String,
}

impl Answer for Time {
    type Value = TimeValue;

    fn text(&self, _: &ToolContext) -> String {
        self.0.strftime("%A, %Y-%m-%d %H:%M:%S %:z").to_string()
    }

    fn into_value(self) -> TimeValue {
        let shown = |format: &str| self.0.strftime(format).to_string();
        let ms = self.0.timestamp().as_millisecond();
        TimeValue {
            at: time(ms),
            ms,
            date: shown("%Y-%m-%d"),
            time: shown("%H:%M:%S"),
            weekday: shown("%A"),
            zone: self.0.time_zone().iana_name().unwrap_or("UTC").to_owned(),
            offset: shown("%:z"),
        }
    }
}

fn now(context: &ToolContext, arguments: &Value) -> Result<Time, ToolError> {
    let Arguments { zone } = parse_arguments(arguments)?;
    let zone = match zone.as_deref() {
        None => TimeZone::UTC,
        Some(name) => TimeZone::get(name).map_err(|_| {
            ToolError::Failed("This is not a time zone that is known here. Leave `zone` out for UTC.".to_owned())
        })?,
    };
    let now = Timestamp::from_millisecond(context.now_ms)
        .map_err(|_| ToolError::Failed("The clock is out of order.".to_owned()))?;
    Ok(Time(now.to_zoned_datetime(zone)))
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
        assert_eq!(
            tool.value(&context, &json!({ "zone": "Europe/Berlin" })).await.unwrap(),
            json!({
                "at": "2026-08-01T12:00:00Z", "ms": 1_785_585_600_000i64, "date": "2026-08-01", "time": "14:00:00",
                "weekday": "Saturday", "zone": "Europe/Berlin", "offset": "+02:00",
            })
        );
    }
}
