//! `cargo xtask bench codemode`: the figures of code mode, each beside a yardstick taken in the same run.
//!
//! Commands go through the sandbox as a host gives them, with the change of threads in the figure. Programs come one after
//! another without a pause, or each after a moment in which the sandbox has made an instance ahead. Nothing here fails for
//! being slow.

#![expect(clippy::print_stdout, reason = "it is a program that prints a table")]

use std::collections::BTreeSet;
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
const AT_ONCE: u32 = 64;
/// Longer than a thread of the sandbox waits before it makes an instance ahead, and than that takes.
const PAUSE: Duration = Duration::from_millis(5);
/// What a processor gives memory in.
const PAGE_BYTES: usize = 4096;

/// A page of what models write.
const PAGE: &str = include_str!("page.ts");

/// One line of the table. A figure without a yardstick has no ratio.
struct Figure {
    what: String,
    yardstick: String,
    ours: String,
    ratio: Option<f64>,
    goal: &'static str,
}

#[derive(Default)]
struct Figures(Vec<Figure>);

impl Figures {
    /// A figure beside what `yardstick` says took `of`.
    fn beside(&mut self, what: &str, yardstick: &str, of: Duration, ours: Duration, goal: &'static str) {
        let ratio = Some(ours.as_secs_f64() / of.as_secs_f64());
        let yardstick = format!("{yardstick} {}", millis(of));
        self.0.push(Figure { what: what.to_owned(), yardstick, ours: millis(ours), ratio, goal });
    }

    fn alone(&mut self, what: &str, ours: String, goal: &'static str) {
        self.0.push(Figure { what: what.to_owned(), yardstick: String::new(), ours, ratio: None, goal });
    }
}

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut figures = Figures::default();
    runtime.block_on(take(&mut figures))?;
    let mut table = Table::new();
    table.load_style(comfy_table::presets::UTF8_HORIZONTAL_ONLY);
    table.set_header(["figure", "yardstick", "ours", "ratio", "goal"]);
    for one in figures.0 {
        let ratio = one.ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
        table.add_row([one.what, one.yardstick, one.ours, ratio, one.goal.to_owned()]);
    }
    println!("{table}");
    Ok(())
}

async fn take(figures: &mut Figures) -> Result<()> {
    let api = Api::default().namespace("host", ["echo"])?;
    let threads = std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN);
    let sandbox = Sandbox::open(api, threads).await?;
    let engine = Engine::shared()?;
    figures.alone("compile the engine, once in a process", millis(engine.compiled_in()), "");

    let mut bare = Vec::new();
    for _ in 0..TIMES {
        let started = Instant::now();
        engine.bare_instance()?;
        bare.push(started.elapsed());
    }
    let bare = median(bare);
    let instance = "an instance of wasmer's alone";
    let one = sandbox.read("1 + 1".to_owned()).await?;
    let alone = runs(&sandbox, &one, PAUSE).await?;
    figures.beside("run `1 + 1`, fresh, after a pause", instance, bare, alone, "≤ 1.5 and ≤ 0.5 ms");
    let run = runs(&sandbox, &one, Duration::ZERO).await?;
    figures.beside("    without a pause", instance, bare, run, "≤ 1.5 and ≤ 0.5 ms");
    let ten = sandbox.read("for (let i = 0; i < 10; i++) await host.echo(i)".to_owned()).await?;
    let ten = runs(&sandbox, &ten, PAUSE).await?;
    figures.beside("run 10 host calls, one by one, after a pause", instance, bare, ten, "");
    let all = "await Promise.all(Array.from({ length: 10 }, (_, i) => host.echo(i)))";
    let all = sandbox.read(all.to_owned()).await?;
    let all = runs(&sandbox, &all, PAUSE).await?;
    figures.beside("run 10 host calls at once, after a pause", instance, bare, all, "");

    let mut reading = Vec::new();
    for _ in 0..TIMES {
        let started = Instant::now();
        black_box(sandbox.read(PAGE.to_owned()).await?);
        reading.push(started.elapsed());
    }
    figures.alone(&format!("read {} lines of TypeScript", PAGE.lines().count()), millis(median(reading)), "");

    sleeping(figures, &sandbox, PAUSE).await?;
    sleeping(figures, &sandbox, Duration::ZERO).await?;
    suspended(figures, &sandbox).await?;
    at_once(figures, &sandbox, threads).await
}

/// A program from its start to its end, with answers at once.
async fn runs(sandbox: &Sandbox, program: &Arc<Program>, pause: Duration) -> Result<Duration> {
    let mut took = Vec::new();
    for _ in 0..TIMES {
        rest(pause).await;
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

async fn sleeping(figures: &mut Figures, sandbox: &Sandbox, pause: Duration) -> Result<()> {
    let program = sandbox.read(PAGE.to_owned()).await?;
    let (mut down, mut up, mut both, mut copied) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let (mut packed, mut changed) = (0, 0);
    for _ in 0..TIMES {
        let (events, mut run) = waits(sandbox, &program).await?;
        rest(pause).await;
        let started = Instant::now();
        let snapshot = run.snapshot().await?;
        let slept = started.elapsed();
        drop(run);
        (packed, changed) = (snapshot.len(), changed_bytes(&snapshot)?);
        rest(pause).await;
        let started = Instant::now();
        let mut run = sandbox.restore(Arc::clone(&program), snapshot).await?;
        let woke = started.elapsed();
        down.push(slept);
        up.push(woke);
        both.push(slept + woke);
        black_box(run.answer(answers(&events)?, 0).await?);
        // The least that has to be moved, there and back.
        let (blocks, mut there) = (vec![1_u8; changed], vec![2_u8; changed]);
        let mut back = blocks.clone();
        let started = Instant::now();
        there.copy_from_slice(black_box(&blocks));
        back.copy_from_slice(black_box(&there));
        copied.push(started.elapsed());
        black_box(&back);
    }
    let copy = format!("copy {} kB of changed pages, there and back", changed / 1000);
    let when = if pause.is_zero() { "without a pause" } else { "after a pause" };
    figures.beside(&format!("snapshot and restore, {when}"), &copy, median(copied), median(both), "≤ 20");
    figures.alone("    of it the snapshot", millis(median(down)), "");
    figures.alone("    of it the restore", millis(median(up)), "");
    if pause.is_zero() {
        figures.alone("a program asleep", format!("{} kB", packed / 1000), "");
    }
    Ok(())
}

/// The pages that a snapshot has something of (`snapshot.rs` says how it is laid out).
fn changed_bytes(snapshot: &[u8]) -> Result<usize> {
    let packed = snapshot.get(41..).context("no head")?;
    let raw = zstd::stream::decode_all(packed)?;
    let (json_bytes, mut rest) = number(&raw)?;
    rest = rest.get(json_bytes..).context("cut")?;
    let mut pages = BTreeSet::new();
    while !rest.is_empty() {
        let (at, after) = number(rest)?;
        let (len, after) = number(after)?;
        pages.extend(at / PAGE_BYTES..(at + len).div_ceil(PAGE_BYTES));
        rest = after.get(len..).context("cut")?;
    }
    Ok(pages.len() * PAGE_BYTES)
}

fn number(bytes: &[u8]) -> Result<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk::<4>().context("cut")?;
    Ok((usize::try_from(u32::from_le_bytes(*number))?, rest))
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
    let all = resident()?.saturating_sub(before);
    let each = all / u64::try_from(SUSPENDED)?;
    let what = format!("{SUSPENDED} programs that wait, kept in one process");
    figures.alone(&what, format!("{} MB, {} kB each", all / 1_000_000, each / 1000), "");
    figures.alone("    starting them", millis(took), "");
    Ok(())
}

async fn at_once(figures: &mut Figures, sandbox: &Sandbox, threads: NonZero<usize>) -> Result<()> {
    let fib = "const f = (n) => (n < 2 ? n : f(n - 1) + f(n - 2)); f(20)";
    let fib = sandbox.read(fib.to_owned()).await?;
    let processor = processor_time();
    let alone = runs(sandbox, &fib, Duration::ZERO).await?;
    let processor_alone = (processor_time() - processor) / u32::try_from(TIMES)?;
    let mut took = Vec::new();
    let batches = TIMES.div_ceil(20);
    let processor = processor_time();
    for _ in 0..batches {
        let started = Instant::now();
        let all: Vec<_> = (0..AT_ONCE)
            .map(|_| {
                let (sandbox, fib) = (sandbox.clone(), Arc::clone(&fib));
                tokio::spawn(async move { through(&sandbox, &fib).await })
            })
            .collect();
        for one in all {
            one.await??;
        }
        took.push(started.elapsed());
    }
    let processor = (processor_time() - processor) / (AT_ONCE * u32::try_from(batches)?);
    let share = alone * AT_ONCE / u32::try_from(threads.get())?;
    let yardstick = format!("{AT_ONCE} times one alone, by {threads} cores:");
    figures.beside(&format!("{AT_ONCE} programs at once, `fib(20)` each"), &yardstick, share, median(took), "≤ 1.2");
    figures.beside("    processor time for each", "one alone", processor_alone, processor, "≤ 1.2");
    Ok(())
}

/// Of this process, all its threads: what other processes take does not count.
fn processor_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Lets the sandbox come to rest.
async fn rest(pause: Duration) {
    if !pause.is_zero() {
        tokio::time::sleep(pause).await;
    }
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
