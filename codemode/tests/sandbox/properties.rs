//! What holds for whatever comes in: through the door, as a text, and across a sleep.

use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::sample::select;
use reveille_codemode::{
    Answer, AnswerError, CallOutcome, Event, Failure, Limits, Program, ProgramError, Request, Run, Sandbox,
    SandboxError,
};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use tokio::runtime::{Builder, Runtime};

use crate::arbitrary::{ODD, changed, json, steps, tokens};
use crate::door::{Sleep, given, limits, run, run_program, sandbox};

/// One sandbox for all cases of a test.
static SHARED: LazyLock<(Runtime, Sandbox)> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let sandbox = runtime.block_on(sandbox());
    (runtime, sandbox)
});

/// Whether both are the same to a program, which has one kind of number. Their last digit is for the readers of JSON.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            let [one, other] = [one, other].map(|number| number.as_f64().unwrap());
            (one - other).abs() <= one.abs() * 1e-15
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let is_there = |(key, value): (&String, &Value)| other.get(key).is_some_and(|other| is_same(value, other));
            one.len() == other.len() && one.iter().all(is_there)
        }
        _ => one == other,
    }
}

/// A program up to its first host call.
async fn asked(source: String) -> (Request, Run) {
    let program = SHARED.1.read(source).await.unwrap();
    let (mut events, run) = SHARED.1.start(program, limits(), given()).await.unwrap();
    match events.pop() {
        Some(Event::Call(request)) if events.is_empty() => (request, run),
        other => panic!("it asks for nothing: {other:?}"),
    }
}

/// Its value after the one answer it waits for.
async fn told(mut run: Run, outcome: CallOutcome) -> Box<RawValue> {
    let events = run.answer(vec![Answer { id: 1, outcome }], 0).await.unwrap();
    let finished = events.last().and_then(Event::finished).unwrap();
    finished.result.as_ref().unwrap().clone().unwrap()
}

/// Reads a text, which must take bounded time and no flaw, whatever it is.
fn read(source: &str) -> Option<Program> {
    let started = Instant::now();
    let read = Program::read(source);
    let took = started.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?} for {source:?}");
    match read {
        Ok(program) => Some(program),
        Err(error @ (ProgramError::Broken { .. } | ProgramError::Busy)) => panic!("{source:?}\n{error}"),
        Err(_) => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_json_goes_out_and_comes_in_as_it_is(out in json(), back in json()) {
        let (runtime, _) = &*SHARED;
        let text = serde_json::to_string(&out.to_string()).unwrap();
        let (request, value) = runtime.block_on(async {
            let (request, run) = asked(format!("return [await host.echo(JSON.parse({text}))];")).await;
            (request, told(run, CallOutcome::Value(to_raw_value(&back).unwrap())).await)
        });
        let args: Vec<Value> = serde_json::from_str(request.args.get()).unwrap();
        prop_assert!(args.len() == 1 && is_same(&args[0], &out), "{} is not {}", request.args, out);
        let value: Vec<Value> = serde_json::from_str(value.get()).unwrap();
        prop_assert!(is_same(&value[0], &back), "{:?} is not {}", value, back);
    }

    #[test]
    fn any_error_of_a_call_is_caught_with_its_name_and_message(name in any::<String>(), message in any::<String>()) {
        let source = "try { await host.echo(1) } catch (e) { return [e.name, e.message, e.call, e instanceof Error] }";
        let outcome = CallOutcome::Error { name: name.clone(), message: message.clone() };
        let value = SHARED.0.block_on(async { told(asked(source.to_owned()).await.1, outcome).await });
        let value: Value = serde_json::from_str(value.get()).unwrap();
        prop_assert_eq!(value, serde_json::json!([name, message, "host.echo", true]));
    }

    #[test]
    fn whatever_stands_in_the_brackets_comes_out_as_a_list_of_json_or_is_thrown(
        args in prop::collection::vec(select(ODD), 0..5),
    ) {
        let source = format!("return await host.echo({});", args.join(", "));
        let (trace, _) = SHARED.0.block_on(run(&SHARED.1, &source, limits(), Sleep::AtEveryCall));
        for (_, name, json) in &trace.calls {
            let list: Vec<Value> = serde_json::from_str(json).unwrap();
            prop_assert!(name == "host.echo" && (list.len() == args.len() || list.len() == 1), "{}", json);
        }
        match &trace.result {
            Ok(value) => drop(value.as_ref().map(|json| serde_json::from_str::<Value>(json).unwrap())),
            Err(failure) => prop_assert!(matches!(failure, Failure::Threw(_) | Failure::Limit(_)), "{:?}", failure),
        }
    }

    #[test]
    fn answers_in_any_order_and_number_come_to_the_same(
        order in Just((1..=12_u32).collect::<Vec<_>>()).prop_shuffle(),
        groups in prop::collection::vec(1..5_usize, 12),
        stranger in 13..u32::MAX,
    ) {
        let source = "await Promise.all(Array.from({ length: 12 }, (_, n) => host.echo(n)))";
        let answer = |id: u32| Answer { id, outcome: CallOutcome::Value(to_raw_value(&(u64::from(id) * 10)).unwrap()) };
        let value = SHARED.0.block_on(async {
            let program = SHARED.1.read(source.to_owned()).await.unwrap();
            let (_, mut run) = SHARED.1.start(program, limits(), given()).await.unwrap();
            let mut left = &order[..];
            for group in groups {
                let (now, later) = left.split_at(group.min(left.len()));
                let mut answers: Vec<_> = now.iter().copied().map(answer).collect();
                // With one that nobody asked for, or one twice, none of them is taken.
                for wrong in [stranger, now[0]] {
                    let with_wrong = answers.iter().cloned().chain([answer(wrong)]).collect();
                    let error = run.answer(with_wrong, 0).await.unwrap_err();
                    assert!(matches!(error, SandboxError::Answer(AnswerError::NotAsked(id)) if id == wrong), "{error}");
                    assert_eq!(run.waiting().len(), left.len());
                }
                answers.reverse();
                let events = run.answer(answers, 0).await.unwrap();
                left = later;
                if left.is_empty() {
                    return events.last().and_then(Event::finished).unwrap().result.clone().unwrap().unwrap();
                }
                assert!(events.is_empty() && run.waiting().len() == left.len());
            }
            let events = run.answer(left.iter().copied().map(answer).collect(), 0).await.unwrap();
            events.last().and_then(Event::finished).unwrap().result.clone().unwrap().unwrap()
        });
        prop_assert_eq!(value.get(), "[10,20,30,40,50,60,70,80,90,100,110,120]");
    }

    #[test]
    fn a_program_that_sleeps_at_some_of_its_calls_comes_to_the_same(source in steps(), bits in any::<u64>()) {
        let (through, woken) = SHARED.0.block_on(async {
            let program = SHARED.1.read(source).await.unwrap();
            let (through, _) = run_program(&SHARED.1, &program, limits(), Sleep::Never).await;
            (through, run_program(&SHARED.1, &program, limits(), Sleep::At(bits)).await.0)
        });
        prop_assert!(through.result.is_ok(), "{:?}", through.result);
        prop_assert_eq!(through, woken);
    }

    #[test]
    fn a_changed_program_is_refused_or_runs_to_an_end_that_is_its_own(source in changed()) {
        let Some(program) = read(&source) else { return Ok(()) };
        let few = Limits { cpu: Duration::from_millis(30), memory_bytes: 8 << 20, host_calls: 10, ..limits() };
        let program = Arc::new(program);
        let (trace, _) = SHARED.0.block_on(run_program(&SHARED.1, &program, few, Sleep::At(0b10)));
        prop_assert!(!matches!(trace.result, Err(Failure::Broken { .. })), "{:?}", trace.result);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn any_text_is_read_or_refused_in_bounded_time(text in any::<String>(), tokens in tokens()) {
        read(&text);
        read(&tokens);
    }

    #[test]
    fn any_bytes_are_no_snapshot(bytes in prop::collection::vec(any::<u8>(), 0..300), is_headed in any::<bool>()) {
        static WAITS: LazyLock<(Arc<Program>, Vec<u8>)> = LazyLock::new(|| SHARED.0.block_on(async {
            let program = SHARED.1.read("await host.echo(1)".to_owned()).await.unwrap();
            let (_, mut run) = SHARED.1.start(Arc::clone(&program), limits(), given()).await.unwrap();
            let snapshot = run.snapshot().await.unwrap();
            (program, snapshot)
        }));
        let (program, snapshot) = &*WAITS;
        // Behind the hash of the right image, which anyone can copy.
        let head = if is_headed { &snapshot[..37] } else { &[] };
        let restored = SHARED.0.block_on(SHARED.1.restore(Arc::clone(program), [head, &bytes[..]].concat()));
        prop_assert!(matches!(restored, Err(SandboxError::Snapshot(_))), "{:?}", restored);
    }
}
