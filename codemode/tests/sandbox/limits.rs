//! Each limit, one below it, at it, and over it.

use std::time::Duration;

use reveille_codemode::{Failure, Limit, Limits};

use crate::door::{Sleep, failure, limits, run, sandbox};

/// Whether a program of this size comes to a value, for each size.
async fn is_fine(source: impl Fn(u32) -> String, limits: &Limits, sizes: [u32; 3]) -> [bool; 3] {
    let sandbox = sandbox().await;
    let mut fine = [false; 3];
    for (fine, size) in fine.iter_mut().zip(sizes) {
        let (trace, _) = run(&sandbox, &source(size), limits.clone(), Sleep::Never).await;
        *fine = trace.result.is_ok();
    }
    fine
}

#[tokio::test]
async fn counted_limits_hold_to_the_last_one() {
    let few = Limits { host_calls: 10, parallel_calls: 5, console_bytes: 100, output_bytes: 100, ..limits() };
    let calls = |n| format!("for (let i = 0; i < {n}; i++) await host.echo(i);");
    assert_eq!(is_fine(calls, &few, [9, 10, 11]).await, [true, true, false]);
    let parallel = |n| format!("await Promise.all(Array.from({{ length: {n} }}, () => host.echo(1)))");
    assert_eq!(is_fine(parallel, &few, [4, 5, 6]).await, [true, true, false]);
    let console = |n| format!("console.log('x'.repeat({n}))");
    assert_eq!(is_fine(console, &few, [99, 100, 101]).await, [true, true, false]);
    // With its quotes.
    let output = |n| format!("'x'.repeat({n} - 2)");
    assert_eq!(is_fine(output, &few, [99, 100, 101]).await, [true, true, false]);
    // With its brackets and quotes.
    let small = Limits { call_bytes: 100, ..limits() };
    let call = |n| format!("await host.echo('x'.repeat({n} - 4))");
    assert_eq!(is_fine(call, &small, [99, 100, 101]).await, [true, true, false]);
}

#[tokio::test]
async fn bytes_are_counted_in_utf_8_by_the_host() {
    let sandbox = sandbox().await;
    let few = Limits { console_bytes: 100, call_bytes: 100, ..limits() };
    // 60 letters, 120 bytes.
    let console = failure(&sandbox, "console.log('ü'.repeat(60))", few.clone()).await;
    assert_eq!(console, Failure::Limit(Limit::ConsoleBytes { limit_bytes: 100 }));
    let call = failure(&sandbox, "await host.echo('ü'.repeat(60))", few).await;
    assert_eq!(call, Failure::Limit(Limit::CallBytes { name: "host.echo".to_owned(), bytes: 124, limit_bytes: 100 }));
}

#[tokio::test]
async fn the_limit_that_was_met_is_named_with_its_number() {
    let sandbox = sandbox().await;
    let small = Limits {
        cpu: Duration::from_millis(50),
        memory_bytes: 8 << 20,
        stack_bytes: 100_000,
        host_calls: 3,
        parallel_calls: 2,
        console_bytes: 10,
        output_bytes: 10,
        ..limits()
    };
    let cases = [
        ("for (;;) {}", Limit::CpuTime { limit_ms: 50 }),
        ("const a = []; for (;;) a.push({})", Limit::Memory { limit_bytes: 8 << 20 }),
        ("const f = () => f() + 1; f()", Limit::Stack { limit_bytes: 100_000 }),
        ("for (;;) await host.echo(1)", Limit::HostCalls { limit: 3 }),
        ("for (let i = 0; i < 3; i++) host.echo(1)", Limit::ParallelCalls { limit: 2 }),
        ("console.log('12345', '67890')", Limit::ConsoleBytes { limit_bytes: 10 }),
        ("'1234567890'", Limit::OutputBytes { bytes: 12, limit_bytes: 10 }),
    ];
    let mut texts = String::new();
    for (source, limit) in cases {
        let failure = failure(&sandbox, source, small.clone()).await;
        assert_eq!(failure, Failure::Limit(limit), "{source}");
        texts.push_str(&failure.to_string());
        texts.push('\n');
    }
    insta::assert_snapshot!(texts);
}

#[tokio::test]
async fn wall_time_alone_stops_a_program_too() {
    let sandbox = sandbox().await;
    let short = Limits { wall: Duration::from_millis(50), cpu: Duration::from_secs(60), ..limits() };
    let failure = failure(&sandbox, "for (;;) {}", short).await;
    assert_eq!(failure, Failure::Limit(Limit::WallTime { limit_ms: 50 }));
}

#[tokio::test]
async fn single_steps_that_ask_nobody_are_stopped_by_the_watchdog() {
    let sandbox = sandbox().await;
    let short = Limits { cpu: Duration::from_millis(100), memory_bytes: 64 << 20, ..limits() };
    let steps = [
        "const big = 3n ** 300_000n; for (;;) big * big",
        "const a = new Uint32Array(4_000_000); for (let i = 0; i < 1e6; i++) a.fill(i)",
        "const s = 'a'.repeat(1 << 22); for (let i = 0; i < 1e6; i++) s.lastIndexOf('ab' + i)",
        "const a = new Float64Array(4_000_000).map((_, i) => -i); for (;;) { a.sort(); a.reverse(); }",
    ];
    for source in steps {
        let failure = failure(&sandbox, source, short.clone()).await;
        assert_eq!(failure, Failure::Limit(Limit::CpuTime { limit_ms: 100 }), "{source}");
    }
}
