//! `cargo bench --package reveille-codemode`: the figures of code mode, each beside a yardstick taken in the same run.
//!
//! Commands go through the sandbox as a host gives them, with the change of threads in the figure. Nothing here fails for
//! being slow.

#![expect(clippy::print_stdout, reason = "it is a program that prints a table")]

use std::hint::black_box;
use std::num::NonZero;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use comfy_table::Table;
use reveille_codemode::{Answer, Api, CallOutcome, Engine, Event, Given, Limits, Program, Run, Sandbox};
use serde_json::value::to_raw_value;

/// As many times is each taken; the middle one counts.
const TIMES: usize = 200;
const SUSPENDED: usize = 1000;

/// A page of what models write.
const PAGE: &str = include_str!("page.ts");

#[derive(Default)]
struct Figures {
    rows: Vec<[String; 4]>,
}

impl Figures {
    fn add(&mut self, what: &str, yardstick: &str, ours: Duration, of: Duration) {
        let ratio = if of.is_zero() { String::new() } else { format!("{:.2}", ours.as_secs_f64() / of.as_secs_f64()) };
        self.rows.push([what.to_owned(), yardstick.to_owned(), millis(ours), ratio]);
    }
}

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut figures = Figures::default();
    runtime.block_on(take(&mut figures))?;
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["figure", "yardstick", "ours", "ratio"]);
    for row in figures.rows {
        table.add_row(row);
    }
    println!("{table}");
    Ok(())
}

async fn take(figures: &mut Figures) -> Result<()> {
    let api = Api::default().namespace("host", ["echo"])?;
    let threads = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let sandbox = Sandbox::open(api, threads).await?;
    let engine = Engine::shared()?;
    figures.add("compile the engine, once in a process", "", engine.compiled_in(), Duration::ZERO);

    let mut bare = Vec::new();
    for _ in 0..TIMES {
        let started = Instant::now();
        engine.bare_instance()?;
        bare.push(started.elapsed());
    }
    let bare = median(bare);
    let beside = format!("an instance alone: {}", millis(bare));

    let sum = sandbox.read("1 + 1".to_owned()).await?;
    figures.add("fresh run of `1 + 1`", &beside, runs(&sandbox, &sum).await?, bare);
    let ten = sandbox.read("for (let i = 0; i < 10; i++) await host.echo(i)".to_owned()).await?;
    figures.add("fresh run with 10 host calls, one after the other", &beside, runs(&sandbox, &ten).await?, bare);
    let all = "await Promise.all(Array.from({ length: 10 }, (_, i) => host.echo(i)))";
    let all = sandbox.read(all.to_owned()).await?;
    figures.add("fresh run with 10 host calls at once", &beside, runs(&sandbox, &all).await?, bare);

    let mut reading = Vec::new();
    for _ in 0..TIMES {
        let started = Instant::now();
        black_box(sandbox.read(PAGE.to_owned()).await?);
        reading.push(started.elapsed());
    }
    let what = format!("read {} lines of TypeScript", PAGE.lines().count());
    figures.add(&what, "", median(reading), Duration::ZERO);

    sleeping(figures, &sandbox).await?;
    suspended(figures, &sandbox).await?;
    at_once(figures, &sandbox).await
}

/// A program from its start to its end, with answers at once.
async fn runs(sandbox: &Sandbox, program: &Arc<Program>) -> Result<Duration> {
    let mut took = Vec::new();
    for _ in 0..TIMES {
        let started = Instant::now();
        through(sandbox, program).await?;
        took.push(started.elapsed());
    }
    Ok(median(took))
}

async fn through(sandbox: &Sandbox, program: &Arc<Program>) -> Result<()> {
    let (mut events, mut run) = sandbox.start(Arc::clone(program), Limits::default(), given()).await?;
    while !run.is_over() {
        events = run.answer(answers(&events)?, 0).await?;
    }
    let finished = events.iter().find_map(Event::finished).context("no end")?;
    if let Err(failure) = &finished.result {
        bail!("{failure}");
    }
    Ok(())
}

async fn sleeping(figures: &mut Figures, sandbox: &Sandbox) -> Result<()> {
    let program = sandbox.read(PAGE.to_owned()).await?;
    let (mut down, mut up, mut bytes, mut copied) = (Vec::new(), Vec::new(), 0, Vec::new());
    for _ in 0..TIMES {
        let (events, mut run) = waits(sandbox, &program).await?;
        let started = Instant::now();
        let snapshot = run.snapshot().await?;
        down.push(started.elapsed());
        drop(run);
        bytes = snapshot.len();
        let started = Instant::now();
        let mut run = sandbox.restore(Arc::clone(&program), snapshot).await?;
        up.push(started.elapsed());
        black_box(run.answer(answers(&events)?, 0).await?);
        // What a snapshot of this size has to move at the least: the blocks that differ, there and back.
        let blocks = vec![1_u8; 144 << 10];
        let started = Instant::now();
        black_box(blocks.clone());
        copied.push(started.elapsed());
    }
    let copied = median(copied);
    let beside = format!("copy 144 kB: {}", millis(copied));
    figures.add("snapshot at a host call", &beside, median(down), copied);
    figures.add("restore", &beside, median(up), copied);
    figures.rows.push(["bytes of a snapshot".to_owned(), String::new(), bytes.to_string(), String::new()]);
    Ok(())
}

async fn suspended(figures: &mut Figures, sandbox: &Sandbox) -> Result<()> {
    let program = sandbox.read(PAGE.to_owned()).await?;
    let before = resident()?;
    let mut runs = Vec::new();
    let started = Instant::now();
    for _ in 0..SUSPENDED {
        runs.push(waits(sandbox, &program).await?);
    }
    let took = started.elapsed();
    let each = resident()?.saturating_sub(before) / u64::try_from(SUSPENDED)?;
    figures.add(&format!("start {SUSPENDED} programs and keep them"), "", took, Duration::ZERO);
    let what = "resident bytes of each while it waits";
    figures.rows.push([what.to_owned(), String::new(), each.to_string(), String::new()]);
    Ok(())
}

async fn at_once(figures: &mut Figures, sandbox: &Sandbox) -> Result<()> {
    let fib = "const f = (n) => (n < 2 ? n : f(n - 1) + f(n - 2)); f(20)";
    let fib = sandbox.read(fib.to_owned()).await?;
    let started = Instant::now();
    through(sandbox, &fib).await?;
    let alone = started.elapsed();
    let started = Instant::now();
    let all: Vec<_> = (0..64)
        .map(|_| {
            let (sandbox, fib) = (sandbox.clone(), Arc::clone(&fib));
            tokio::spawn(async move { through(&sandbox, &fib).await })
        })
        .collect();
    for one in all {
        one.await??;
    }
    let beside = format!("one alone: {}", millis(alone));
    figures.add("64 programs at once, fib(20) each", &beside, started.elapsed(), alone);
    Ok(())
}

/// A run at its first host call.
async fn waits(sandbox: &Sandbox, program: &Arc<Program>) -> Result<(Vec<Event>, Run)> {
    let (events, run) = sandbox.start(Arc::clone(program), Limits::default(), given()).await?;
    if run.is_over() {
        bail!("it does not wait: {events:?}");
    }
    Ok((events, run))
}

fn given() -> Given {
    Given { now_ms: 0, seed: 1 }
}

fn answers(events: &[Event]) -> Result<Vec<Answer>> {
    let calls = events.iter().filter_map(|event| match event {
        Event::Call(request) => Some(request.id),
        Event::Console(_) | Event::Finished(_) => None,
    });
    calls.map(|id| Ok(Answer { id, outcome: CallOutcome::Value(to_raw_value(&[1, 2, 3])?) })).collect()
}

/// The resident memory of this process, in bytes: Linux's `/proc/self/status`.
fn resident() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kib: u64 = line.split_whitespace().next().context("no number")?.parse()?;
    Ok(kib * 1024)
}

fn median(mut durations: Vec<Duration>) -> Duration {
    durations.sort_unstable();
    durations.get(durations.len() / 2).copied().unwrap_or_default()
}

fn millis(duration: Duration) -> String {
    format!("{:.3} ms", duration.as_secs_f64() * 1000.0)
}
