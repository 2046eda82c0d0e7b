use std::num::NonZero;
use std::sync::Arc;

use reveille_codemode::{Answer, Api, CallOutcome, Event, Limit, Limits, Sandbox, SandboxError, SnapshotError};
use serde_json::value::to_raw_value;

use crate::door::{Sleep, answer, given, limits, run, sandbox};

/// A program that waits for one call, and its snapshot.
async fn asleep(sandbox: &Sandbox, source: &str) -> (Arc<reveille_codemode::Program>, Vec<u8>, Vec<Event>) {
    let program = sandbox.read(source.to_owned()).await.unwrap();
    let (events, mut run) = sandbox.start(Arc::clone(&program), limits(), given()).await.unwrap();
    let snapshot = run.snapshot().await.unwrap();
    (program, snapshot, events)
}

const WAITS: &str = "const kept = { n: 41 }; await host.echo(1); kept.n + 1";

#[tokio::test]
async fn a_snapshot_of_another_image_is_refused_and_names_both() {
    let sandbox = sandbox().await;
    let (program, snapshot, _) = asleep(&sandbox, WAITS).await;
    let api = Api::default().namespace("host", ["echo"]).unwrap();
    let other = Sandbox::open(api, NonZero::new(1).unwrap()).await.unwrap();
    let error = other.restore(program, snapshot).await.unwrap_err();
    let SandboxError::Snapshot(SnapshotError::OtherImage { wanted, found }) = &error else { panic!("{error}") };
    assert_eq!((wanted, found), (&sandbox.image().hash(), &other.image().hash()));
    assert!(error.to_string().contains("only where the same version runs"), "{error}");
}

#[tokio::test]
async fn a_snapshot_goes_on_in_another_sandbox_of_the_same_image() {
    let (program, snapshot, events) = asleep(&sandbox().await, WAITS).await;
    let mut run = sandbox().await.restore(program, snapshot).await.unwrap();
    let [Event::Call(request)] = &events[..] else { panic!("{events:?}") };
    let events = run.answer(vec![answer(request)], 0).await.unwrap();
    let value = events[0].finished().unwrap().result.as_ref().unwrap().as_ref().unwrap();
    assert_eq!(value.get(), "42");
}

#[tokio::test]
async fn a_snapshot_that_was_changed_or_cut_is_refused_or_what_it_holds_is_whole() {
    let sandbox = sandbox().await;
    let (program, snapshot, _) = asleep(&sandbox, WAITS).await;
    let mut unseen = 0;
    // All of the head, and some of what is packed.
    for at in (0..60).chain((60..snapshot.len()).step_by(snapshot.len() / 64)) {
        let cut = snapshot[..at].to_vec();
        let error = sandbox.restore(Arc::clone(&program), cut).await.unwrap_err();
        assert!(matches!(error, SandboxError::Snapshot(_)), "{at}: {error}");
        let mut damaged = snapshot.clone();
        damaged[at] ^= 1;
        match sandbox.restore(Arc::clone(&program), damaged).await {
            Err(SandboxError::Snapshot(_)) => {}
            Err(error) => panic!("{at}: {error}"),
            // The head of a zstd frame says how much memory to unpack it in. Its checksum is of what is unpacked.
            Ok(mut run) => {
                unseen += 1;
                let outcome = CallOutcome::Value(to_raw_value(&1).unwrap());
                let events = run.answer(vec![Answer { id: 1, outcome }], 0).await.unwrap();
                let value = events[0].finished().unwrap().result.as_ref().unwrap().as_ref().unwrap();
                assert_eq!(value.get(), "42", "{at}");
            }
        }
    }
    assert!(unseen < 4, "{unseen} changes were not seen");
}

#[tokio::test]
async fn a_snapshot_goes_on_with_its_own_source_alone() {
    let sandbox = sandbox().await;
    let (_, snapshot, _) = asleep(&sandbox, WAITS).await;
    let other = sandbox.read("1".to_owned()).await.unwrap();
    let error = sandbox.restore(other, snapshot).await.unwrap_err();
    assert!(matches!(error, SandboxError::Snapshot(SnapshotError::OtherProgram)), "{error}");
}

#[tokio::test]
async fn a_snapshot_over_its_limit_is_an_error_and_the_run_goes_on() {
    let sandbox = sandbox().await;
    let program = sandbox.read(WAITS.to_owned()).await.unwrap();
    let limits = Limits { snapshot_bytes: 1000, ..limits() };
    let (events, mut run) = sandbox.start(program, limits, given()).await.unwrap();
    let error = run.snapshot().await.unwrap_err();
    let is_right = matches!(&error, SandboxError::Snapshot(SnapshotError::TooLarge(Limit::SnapshotBytes { .. })));
    assert!(is_right, "{error}");
    let [Event::Call(request)] = &events[..] else { panic!("{events:?}") };
    let events = run.answer(vec![answer(request)], 0).await.unwrap();
    assert!(events[0].finished().unwrap().result.is_ok());
}

#[tokio::test]
async fn what_was_used_before_sleeping_counts_after_it() {
    let sandbox = sandbox().await;
    let source = "for (let i = 0; i < 10; i++) await host.echo(i);";
    let few = Limits { host_calls: 7, ..limits() };
    let (trace, finished) = run(&sandbox, source, few, Sleep::AtEveryCall).await;
    assert_eq!(trace.result, Err(reveille_codemode::Failure::Limit(Limit::HostCalls { limit: 7 })));
    assert_eq!(trace.calls.len(), 7);
    assert!(finished.usage.cpu > std::time::Duration::ZERO);
}
