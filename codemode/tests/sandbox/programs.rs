use std::fmt::Write as _;
use std::sync::Arc;

use reveille_codemode::{Finished, Limits, Program, Sandbox, SandboxError};

use crate::corpus::{Ends, Listed, corpus};
use crate::door::{Sleep, Trace, limits, run, run_program, sandbox};

/// As many programs are on their way at once.
const LANES: usize = 4;

/// What is wrong with a program, and how often it slept.
#[derive(Default)]
struct Found {
    wrong: String,
    slept: usize,
}

#[tokio::test]
async fn every_program_comes_to_what_it_must_and_to_the_same_when_it_sleeps_at_every_host_call() {
    let programs: Vec<_> = ["fine", "broken", "hostile"].into_iter().flat_map(corpus).collect();
    assert!(programs.len() > 500, "only {} programs were found", programs.len());
    let (sandbox, programs) = (sandbox().await, Arc::new(programs));
    let lanes: Vec<_> = (0..LANES)
        .map(|lane| {
            let (sandbox, programs) = (sandbox.clone(), Arc::clone(&programs));
            tokio::spawn(async move {
                let mut found = Found::default();
                for listed in programs.iter().skip(lane).step_by(LANES) {
                    check(&sandbox, listed, &mut found).await;
                }
                found
            })
        })
        .collect();
    let mut all = Found::default();
    for lane in lanes {
        let found = lane.await.unwrap();
        all.wrong.push_str(&found.wrong);
        all.slept += found.slept;
    }
    assert!(all.wrong.is_empty(), "\n{}", all.wrong);
    assert!(all.slept > 500, "only {} calls to sleep at", all.slept);
}

async fn check(sandbox: &Sandbox, listed: &Listed, found: &mut Found) {
    let mut wrong = |what: &str| writeln!(found.wrong, "{}\n    {what}", listed.place).unwrap();
    let program = match sandbox.read(listed.source.clone()).await {
        Ok(program) => program,
        Err(SandboxError::Program(error)) if listed.ends.is_refusal(&error) => return,
        Err(error) => return wrong(&format!("must end {:?} and cannot be read: {error}", listed.ends)),
    };
    let limits = listed.ends.limits();
    let (through, finished) = run_program(sandbox, &program, limits.clone(), Sleep::Never).await;
    if !listed.ends.is(&through) {
        wrong(&format!("must end {:?}\n    and ended {:?}", listed.ends, through.result));
    }
    if let Some(excess) = excess(&through, &finished, &limits) {
        wrong(&excess);
    }
    if through.calls.is_empty() {
        // Nothing to sleep at.
        return;
    }
    let (woken, finished) = run_program(sandbox, &program, limits.clone(), Sleep::AtEveryCall).await;
    if woken != through {
        wrong(&format!("through: {through:?}\n    woken:   {woken:?}"));
    }
    if let Some(excess) = excess(&woken, &finished, &limits) {
        wrong(&format!("woken: {excess}"));
    }
    found.slept += woken.calls.len();
}

/// What a run took over one and a half times its limit, or at all where the limit is a count.
///
/// The limit of memory is what the engine's allocator hands out. What is measured is all of the guest's memory, with what the
/// allocator has lying idle between the pieces, hence twice.
fn excess(trace: &Trace, finished: &Finished, limits: &Limits) -> Option<String> {
    let usage = finished.usage;
    let bytes: usize = trace.console.iter().map(|(_, text)| text.len()).sum();
    let value = trace.result.as_ref().ok().and_then(Option::as_ref).map_or(0, String::len);
    let is_within = usage.cpu <= limits.cpu.mul_f64(1.5)
        && usage.wall <= limits.wall.mul_f64(1.5)
        && usage.memory_bytes <= u64::from(limits.memory_bytes) * 2
        && trace.calls.len() <= usize::try_from(limits.host_calls).unwrap()
        && bytes <= usize::try_from(limits.console_bytes).unwrap()
        && value <= usize::try_from(limits.output_bytes).unwrap();
    let seen = format!("{usage:?}, {} calls, {bytes} bytes of console, {value} of value", trace.calls.len());
    (!is_within).then(|| format!("took more than its limits: {seen}"))
}

/// As a program goes that has nothing to do with the others: it computes, waits, keeps and comes to a value.
const HEALTHY: &str = "const seen: number[] = [];
for (let i = 0; i < 20; i++) { seen.push(await host.echo(i)); console.log('at', i); }
const sorted = Array.from({ length: 500 }, (_, i) => (i * 7919) % 500).sort((a, b) => a - b);
return { sum: seen.reduce((a, b) => a + b), last: sorted.at(-1), issues: (await host.list()).length };";

#[tokio::test]
async fn fifty_hostile_programs_end_at_their_limits_and_a_healthy_one_beside_them_goes_on_as_if_alone() {
    let sandbox = sandbox().await;
    let (alone, alone_finished) = run(&sandbox, HEALTHY, limits(), Sleep::Never).await;
    assert!(alone.result.is_ok(), "{alone:?}");
    let mut hostile = corpus("hostile");
    hostile.retain(|listed| matches!(listed.ends, Ends::AtLimit(_)));
    let step = hostile.len() / 50;
    let hostile: Vec<_> = hostile.into_iter().step_by(step).take(50).collect();
    assert_eq!(hostile.len(), 50);
    let stopping: Vec<_> = hostile
        .into_iter()
        .map(|listed| {
            let (sandbox, program) = (sandbox.clone(), Program::read(&listed.source).map(Arc::new).unwrap());
            let limits = listed.ends.limits();
            let run = async move { run_program(&sandbox, &program, limits, Sleep::Never).await };
            (listed, tokio::spawn(run))
        })
        .collect();
    // Among them, and through all of its host calls while they are there.
    tokio::task::yield_now().await;
    let (beside, beside_finished) = run(&sandbox, HEALTHY, limits(), Sleep::Never).await;
    assert_eq!(beside, alone);
    assert_eq!(beside_finished.usage.memory_bytes, alone_finished.usage.memory_bytes);
    for (listed, stopping) in stopping {
        let (trace, finished) = stopping.await.unwrap();
        assert!(listed.ends.is(&trace), "{}: {:?}", listed.place, trace.result);
        assert_eq!(excess(&trace, &finished, &listed.ends.limits()), None, "{}", listed.place);
    }
    let (after, _) = run(&sandbox, HEALTHY, limits(), Sleep::Never).await;
    assert_eq!(after, alone);
}
