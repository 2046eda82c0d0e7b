//! The fold held to its reference histories (`tests/histories/`): what is next after each record, and that a checkpoint at
//! any record changes nothing.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a story that cannot be read fails the test")]

use std::path::Path;

use reveille::journal::Body;
use reveille::turn::{InstanceState, Next, Todo};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
struct Story {
    records: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Entry {
    /// What is next once it is folded in.
    then: String,
    #[serde(flatten)]
    body: serde_json::Map<String, serde_json::Value>,
}

fn stories() -> Vec<(String, Vec<(Body, String)>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/histories");
    let mut stories = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let story: Story = serde_saphyr::from_str(&std::fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let records = story.records.into_iter().map(|entry| {
            let body = serde_json::from_value(entry.body.into()).unwrap_or_else(|error| panic!("{name}: {error}"));
            (body, entry.then)
        });
        stories.push((name.clone(), records.collect()));
    }
    assert!(stories.len() >= 10, "the stories are where they should be");
    stories
}

fn said(next: &Next) -> String {
    match next {
        Next::Rest { .. } => "rest".into(),
        Next::Do(Todo::Consider { events }) => format!("consider {} event", events.len()),
        Next::Do(Todo::Shorten { turn, .. }) => format!("shorten, turn {turn}"),
        Next::Do(Todo::CallModel { turn, step, attempt }) => {
            format!("call model, turn {turn} step {step} try {attempt}")
        }
        Next::Do(Todo::CallTools { calls, .. }) => format!("run {}", calls.join(", ")),
        Next::Do(Todo::End { turn, outcome, reason }) => {
            let outcome = format!("{outcome:?}").to_lowercase();
            let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("end turn {turn}, {outcome}{reason}")
        }
    }
}

#[test]
fn after_each_record_the_fold_says_what_the_story_says() {
    for (name, records) in stories() {
        let mut state = InstanceState::default();
        for (index, (body, then)) in records.iter().enumerate() {
            state.apply(body, 1_700_000_000_000).unwrap_or_else(|error| panic!("{name}, record {index}: {error}"));
            assert_eq!(said(&state.next()), *then, "{name}, after record {index}, a {}", body.kind());
        }
    }
}

#[test]
fn a_checkpoint_at_any_record_changes_nothing() {
    for (name, records) in stories() {
        for cut in 0..records.len() {
            let mut through = InstanceState::default();
            let mut restored = InstanceState::default();
            for (index, (body, _)) in records.iter().enumerate() {
                through.apply(body, 7).unwrap();
                restored.apply(body, 7).unwrap();
                if index == cut {
                    restored = serde_json::from_str(&serde_json::to_string(&restored).unwrap()).unwrap();
                }
            }
            assert_eq!(through, restored, "{name}, checkpointed after record {cut}");
        }
    }
}

#[test]
fn a_record_that_comes_twice_is_corrupt() {
    for (name, records) in stories() {
        let mut state = InstanceState::default();
        for (index, (body, _)) in records.iter().enumerate() {
            state.apply(body, 7).unwrap();
            // Setting an alarm again changes nothing that was not so.
            if matches!(body, Body::AlarmSet { .. }) {
                continue;
            }
            let again = state.clone().apply(body, 7);
            assert!(again.is_err(), "{name}: a second {} after record {index} is taken", body.kind());
        }
    }
}
