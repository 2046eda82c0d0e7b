//! The host's side of the door, for tests: a few functions that answer the same each time, one call after the other.

use std::num::NonZero;
use std::sync::Arc;
use std::time::Duration;

use reveille_codemode::{
    Answer, Api, CallOutcome, Event, Failure, Finished, Given, Limits, Program, Request, Run, Sandbox,
};
use serde_json::Value;
use serde_json::value::to_raw_value;

pub(crate) const NOW_MS: u64 = 1_767_225_600_000;

/// A sandbox with `host.echo`, `host.add`, `host.list` and `host.fail`, and with `sleep` and `ask`, which stand in no namespace.
pub(crate) async fn sandbox() -> Sandbox {
    let api = Api::default().namespace("host", ["echo", "add", "list", "fail"]).unwrap();
    let api = api.function("sleep").unwrap().function("ask").unwrap();
    Sandbox::open(api, NonZero::new(2).unwrap()).await.unwrap()
}

/// Room for what is fine, and an end to what is not.
pub(crate) fn limits() -> Limits {
    Limits {
        cpu: Duration::from_millis(150),
        wall: Duration::from_secs(20),
        memory_bytes: 16 << 20,
        // So few that a program of calls alone always meets this one, and never its processor time first.
        host_calls: 100,
        ..Limits::default()
    }
}

pub(crate) fn given() -> Given {
    Given { now_ms: NOW_MS, seed: 42 }
}

/// What a host would do with a call.
pub(crate) fn outcome(request: &Request) -> CallOutcome {
    let args: Vec<Value> = serde_json::from_str(request.args.get()).unwrap();
    let first = args.first().cloned().unwrap_or(Value::Null);
    let value = match request.name.as_str() {
        "host.echo" => first,
        "host.add" => match [args.first(), args.get(1)].map(|one| one.and_then(Value::as_i64)) {
            [Some(one), Some(other)] => one.wrapping_add(other).into(),
            _ => {
                let message = "host.add takes two whole numbers".to_owned();
                return CallOutcome::Error { name: "TypeError".to_owned(), message };
            }
        },
        "host.list" => serde_json::json!([{ "id": 1, "title": "one" }, { "id": 2, "title": "two" }]),
        "sleep" => Value::Null,
        "ask" => (first == "really?").into(),
        "host.fail" => {
            let message = first.as_str().unwrap_or("no").to_owned();
            return CallOutcome::Error { name: "HostError".to_owned(), message };
        }
        other => panic!("no such function: {other}"),
    };
    CallOutcome::Value(to_raw_value(&value).unwrap())
}

pub(crate) fn answer(request: &Request) -> Answer {
    Answer { id: request.id, outcome: outcome(request) }
}

/// All that can be seen of a run from outside.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Trace {
    pub(crate) console: Vec<(String, String)>,
    /// Number, name, arguments.
    pub(crate) calls: Vec<(u32, String, String)>,
    pub(crate) result: Result<Option<String>, Failure>,
    pub(crate) unanswered: Vec<u32>,
}

/// Whether a run sleeps between a call and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sleep {
    Never,
    AtEveryCall,
    /// Where the bit of the answer's number is set; the first is 0, and the bits begin again after 64.
    At(u64),
}

impl Sleep {
    fn is_at(self, answer: u32) -> bool {
        match self {
            Self::Never => false,
            Self::AtEveryCall => true,
            Self::At(bits) => bits.rotate_right(answer) & 1 == 1,
        }
    }
}

/// Reads a program and runs it to its end.
pub(crate) async fn run(sandbox: &Sandbox, source: &str, limits: Limits, sleep: Sleep) -> (Trace, Finished) {
    let program = sandbox.read(source.to_owned()).await.unwrap();
    run_program(sandbox, &program, limits, sleep).await
}

/// Runs a program to its end. One answer at a time, the last call first.
pub(crate) async fn run_program(
    sandbox: &Sandbox,
    program: &Arc<Program>,
    limits: Limits,
    sleep: Sleep,
) -> (Trace, Finished) {
    let (mut events, mut run) = sandbox.start(Arc::clone(program), limits, given()).await.unwrap();
    let (mut console, mut calls, mut open) = (Vec::new(), Vec::new(), Vec::new());
    let mut now_ms = NOW_MS;
    let mut answered = 0;
    loop {
        let mut end = None;
        for event in events {
            match event {
                Event::Console(line) => console.push((line.level, line.text)),
                Event::Call(request) => {
                    calls.push((request.id, request.name.clone(), request.args.get().to_owned()));
                    open.push(request);
                }
                Event::Finished(finished) => end = Some(finished),
            }
        }
        if let Some(finished) = end {
            let result = match &finished.result {
                Ok(value) => Ok(value.as_ref().map(|value| value.get().to_owned())),
                Err(failure) => Err(failure.clone()),
            };
            return (Trace { console, calls, result, unanswered: finished.unanswered.clone() }, finished);
        }
        if sleep.is_at(answered) {
            run = slept(sandbox, program, run).await;
        }
        answered += 1;
        now_ms += 1000;
        let request = open.pop().unwrap();
        events = run.answer(vec![answer(&request)], now_ms).await.unwrap();
    }
}

/// The same run after it was only bytes.
async fn slept(sandbox: &Sandbox, program: &Arc<Program>, mut run: Run) -> Run {
    let waiting = run.waiting().to_vec();
    let bytes = run.snapshot().await.unwrap();
    drop(run);
    let run = sandbox.restore(Arc::clone(program), bytes).await.unwrap();
    assert_eq!(run.waiting(), waiting);
    run
}

/// The value of a program that has one.
pub(crate) async fn value(sandbox: &Sandbox, source: &str) -> Value {
    let (trace, _) = run(sandbox, source, limits(), Sleep::Never).await;
    match trace.result {
        Ok(Some(json)) => serde_json::from_str(&json).unwrap(),
        Ok(None) => Value::Null,
        Err(failure) => panic!("{source}\n{failure}"),
    }
}

/// The failure of a program that has none.
pub(crate) async fn failure(sandbox: &Sandbox, source: &str, limits: Limits) -> Failure {
    let (trace, _) = run(sandbox, source, limits, Sleep::Never).await;
    match trace.result {
        Ok(value) => panic!("{source}\nhas the value {value:?}"),
        Err(failure) => failure,
    }
}
