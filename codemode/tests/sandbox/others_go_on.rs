use std::sync::Arc;
use std::time::Duration;

use reveille_codemode::{AnswerError, Api, Event, Given, Limits, SandboxError};

use crate::door::{answer, given, limits, sandbox, value};

#[tokio::test]
async fn programs_that_loop_leave_the_async_threads_alone_and_others_come_to_their_turn() {
    let sandbox = sandbox().await;
    let looping = sandbox.read("for (;;) {}".to_owned()).await.unwrap();
    let short = Limits { cpu: Duration::from_millis(50), ..limits() };
    let stuck: Vec<_> = (0..50)
        .map(|_| {
            let (sandbox, looping, short) = (sandbox.clone(), Arc::clone(&looping), short.clone());
            tokio::spawn(async move { sandbox.start(looping, short, given()).await.unwrap() })
        })
        .collect();
    // One thread drives this test. Were a program run on it, it would be over when the test goes on.
    tokio::task::yield_now().await;
    assert!(stuck.iter().all(|stuck| !stuck.is_finished()));
    assert_eq!(value(&sandbox, "1 + 1").await, 2);
    for stuck in stuck {
        let (events, run) = stuck.await.unwrap();
        assert!(run.is_over() && events[0].finished().unwrap().result.is_err());
    }
}

#[tokio::test]
async fn nothing_of_one_program_is_seen_by_the_next() {
    let sandbox = sandbox().await;
    let writes = "globalThis.left = 'secret'; Object.prototype.left = 'secret'; Math.left = 'secret'; 1";
    assert_eq!(value(&sandbox, writes).await, 1);
    let reads = "[typeof globalThis.left, typeof ({} as any).left, typeof (Math as any).left].join()";
    assert_eq!(value(&sandbox, reads).await, "undefined,undefined,undefined");
}

#[tokio::test]
async fn randomness_comes_from_the_seed_and_time_from_the_host() {
    let sandbox = sandbox().await;
    let program =
        sandbox.read("[Math.random(), Math.random(), Date.now(), performance.now()]".to_owned()).await.unwrap();
    let mut values = Vec::new();
    for (seed, now_ms) in [(1, 1000), (1, 1000), (2, 1000), (1, 2000)] {
        let given = Given { now_ms, seed };
        let (events, _) = sandbox.start(Arc::clone(&program), limits(), given).await.unwrap();
        let value = events[0].finished().unwrap().result.as_ref().unwrap().as_ref().unwrap();
        values.push(value.get().to_owned());
    }
    assert_eq!(values[0], values[1]);
    assert_ne!(values[0], values[2]);
    assert!(values[3].contains(",2000,"), "{}", values[3]);
}

#[tokio::test]
async fn a_function_without_a_namespace_asks_by_its_name_alone() {
    let sandbox = sandbox().await;
    let program = sandbox.read("[await sleep(1000), await ask('really?')]".to_owned()).await.unwrap();
    let (events, mut run) = sandbox.start(program, limits(), given()).await.unwrap();
    let Some(Event::Call(request)) = events.first() else { panic!("{events:?}") };
    assert_eq!((request.id, request.name.as_str(), request.args.get()), (1, "sleep", "[1000]"));
    let events = run.answer(vec![answer(request)], 0).await.unwrap();
    let Some(Event::Call(request)) = events.first() else { panic!("{events:?}") };
    assert_eq!((request.id, request.name.as_str(), request.args.get()), (2, "ask", r#"["really?"]"#));
    let events = run.answer(vec![answer(request)], 0).await.unwrap();
    let value = events[0].finished().unwrap().result.as_ref().unwrap().as_ref().unwrap();
    assert_eq!(value.get(), "[null,true]");
}

#[tokio::test]
async fn no_global_of_the_engine_can_be_covered() {
    let globals = value(&sandbox().await, "Object.getOwnPropertyNames(globalThis)").await;
    let globals: Vec<String> = serde_json::from_value(globals).unwrap();
    assert!(globals.len() > 50, "{globals:?}");
    let ours = ["host", "sleep", "ask"];
    let uncovered = |name: &&String| !ours.contains(&name.as_str()) && Api::default().function(name).is_ok();
    let coverable: Vec<_> = globals.iter().filter(uncovered).collect();
    assert!(coverable.is_empty(), "to be added to src/words.rs: {coverable:?}");
}

#[tokio::test]
async fn answers_that_nobody_asked_for_are_refused() {
    let sandbox = sandbox().await;
    let program = sandbox.read("await host.echo(1)".to_owned()).await.unwrap();
    let (events, mut run) = sandbox.start(program, limits(), given()).await.unwrap();
    let Some(Event::Call(request)) = events.first() else { panic!("{events:?}") };
    let mut wrong = answer(request);
    wrong.id = 9;
    let error = run.answer(vec![answer(request), wrong], 0).await.unwrap_err();
    assert!(matches!(error, SandboxError::Answer(AnswerError::NotAsked(9))), "{error}");
}

#[tokio::test]
async fn everything_that_goes_through_the_door_can_be_carried_as_json() {
    let sandbox = sandbox().await;
    let program = sandbox.read("console.log('a'); await host.echo(1); throw new Error('e')".to_owned()).await.unwrap();
    let (events, mut run) = sandbox.start(program, limits(), given()).await.unwrap();
    let json = serde_json::to_string(&events).unwrap();
    let carried: Vec<Event> = serde_json::from_str(&json).unwrap();
    let [Event::Console(_), Event::Call(request)] = &carried[..] else { panic!("{carried:?}") };
    let answers = serde_json::to_string(&[answer(request)]).unwrap();
    let events = run.answer(serde_json::from_str(&answers).unwrap(), 0).await.unwrap();
    let json = serde_json::to_string(&events).unwrap();
    let carried: Vec<Event> = serde_json::from_str(&json).unwrap();
    assert!(carried[0].finished().unwrap().result.is_err(), "{json}");
}
