//! `cargo xtask test`: every check, from any state of the machine, and one summary.
//!
//! All checks run, also after one failed. The last line is for machines: `tests: N passed, N failed, N skipped`, from what
//! the runners themselves counted. The exit code is 0 only when every check passed and at least one test ran.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::assets;
use crate::step::{cargo, duration, perform, program, say, shown};
use crate::tools::{DENY, NEXTEST, TAPLO, TYPOS, Tool};

/// How much of the first failure's output is shown again at the end.
const EXCERPT_LINES: usize = 60;

/// What to do when a check could not even be made.
const NOT_MADE: &str = "crates.io, the npm registry and the Python package index have to be reachable the first time";

/// Arguments of `test`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Only format, lints and tests: the inner loop
    #[arg(long)]
    quick: bool,
}

/// One check.
struct Check {
    name: &'static str,
    /// Part of `--quick`.
    is_quick: bool,
    /// A tool that is not cargo's own.
    tool: Option<&'static Tool>,
    arguments: &'static [&'static str],
    variables: &'static [(&'static str, &'static str)],
    /// How its output is read for totals, if it runs tests.
    totals: Option<fn(&str) -> Result<Totals>>,
    /// What to do when it fails.
    cure: &'static str,
}

/// In the order they run: what is quick and often wrong first.
const CHECKS: &[Check] = &[
    Check {
        name: "format",
        is_quick: true,
        tool: None,
        arguments: &["fmt", "--all", "--check"],
        variables: &[],
        totals: None,
        cure: "run `cargo fmt --all`",
    },
    Check {
        name: "toml format",
        is_quick: false,
        tool: Some(&TAPLO),
        arguments: &["fmt", "--check"],
        variables: &[("RUST_LOG", "error")],
        totals: None,
        cure: "the files are named above; taplo.toml has the rules",
    },
    Check {
        name: "typos",
        is_quick: false,
        tool: Some(&TYPOS),
        arguments: &[],
        variables: &[],
        totals: None,
        cure: "correct the words; one that is right goes into typos.toml with its reason",
    },
    Check {
        name: "clippy",
        is_quick: true,
        tool: None,
        arguments: &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
        variables: &[],
        totals: None,
        cure: "correct what is named above; a proven exception is `#[expect(..., reason = \"...\")]`",
    },
    Check {
        name: "tests",
        is_quick: true,
        tool: Some(&NEXTEST),
        arguments: &["nextest", "run", "--workspace", "--locked", "--no-fail-fast"],
        variables: &[],
        totals: Some(nextest_totals),
        cure: "run one alone with `cargo nextest run NAME`; a snapshot that changed on purpose: `INSTA_UPDATE=always`",
    },
    Check {
        name: "doctests",
        is_quick: false,
        tool: None,
        arguments: &["test", "--doc", "--workspace", "--locked", "--no-fail-fast"],
        variables: &[],
        totals: Some(libtest_totals),
        cure: "correct the example in the documentation comment",
    },
    Check {
        name: "documentation",
        is_quick: false,
        tool: None,
        arguments: &["doc", "--workspace", "--no-deps", "--locked"],
        // Module docs are read by those who work here, and may name what is private.
        variables: &[("RUSTDOCFLAGS", "-D warnings -A rustdoc::private_intra_doc_links")],
        totals: None,
        cure: "correct the links named above",
    },
    Check {
        name: "dependencies",
        is_quick: false,
        tool: Some(&DENY),
        // Two versions of a crate are no failure, and would drown one: `cargo deny check bans` shows them.
        arguments: &["--locked", "--workspace", "check", "--allow", "duplicate", "bans", "licenses", "sources"],
        variables: &[],
        totals: None,
        cure: "take another version or another crate; deny.toml has the rules and says why",
    },
];

/// What became of a check.
struct Outcome {
    check: &'static Check,
    command: String,
    took: Duration,
    failure: Option<Failure>,
}

/// Why it failed.
struct Failure {
    reason: String,
    output: String,
    cure: &'static str,
}

/// What runners counted.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Totals {
    passed: u64,
    failed: u64,
    skipped: u64,
}

impl std::ops::AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// Runs the checks.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let started = Instant::now();
    assets::fetch()?;
    let mut totals = Totals::default();
    let mut outcomes = Vec::new();
    for check in CHECKS.iter().filter(|check| check.is_quick || !arguments.quick) {
        outcomes.push(perform_check(check, &mut totals));
    }
    let is_success = outcomes.iter().all(|outcome| outcome.failure.is_none());
    summarise(&outcomes, started.elapsed());
    if totals.passed == 0 {
        say("No test passed.");
    }
    say(format!("tests: {} passed, {} failed, {} skipped", totals.passed, totals.failed, totals.skipped));
    let is_success = is_success && totals.passed > 0 && totals.failed == 0;
    Ok(if is_success { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn perform_check(check: &'static Check, totals: &mut Totals) -> Outcome {
    let started = Instant::now();
    let mut outcome = Outcome { check, command: check.name.to_owned(), took: Duration::ZERO, failure: None };
    let ended = (|| {
        say(format!("\n==> {}", check.name));
        let command = command(check)?;
        outcome.command = shown(&command);
        say(format!("    {}", outcome.command));
        let done = perform(command)?;
        if let Some(read) = check.totals {
            match read(&done.output) {
                Ok(counted) => *totals += counted,
                // A build that failed counted nothing; the failure below says so.
                Err(error) if done.is_success => return Err(error),
                Err(_) => {}
            }
        }
        Ok(done)
    })();
    outcome.took = started.elapsed();
    outcome.failure = match ended {
        Ok(done) if done.is_success => None,
        Ok(done) => Some(Failure { reason: "it found something".to_owned(), output: done.output, cure: check.cure }),
        Err(error) => Some(Failure { reason: format!("{error:#}"), output: String::new(), cure: NOT_MADE }),
    };
    let verdict = if outcome.failure.is_some() { "FAILED" } else { "ok" };
    say(format!("    {verdict}, {}", duration(outcome.took)));
    outcome
}

fn command(check: &Check) -> Result<Command> {
    let mut command = match check.tool {
        Some(tool) => program(tool.find()?),
        None => cargo(),
    };
    command.args(check.arguments).envs(check.variables.iter().copied());
    Ok(command)
}

fn summarise(outcomes: &[Outcome], took: Duration) {
    say("\n==> summary");
    for outcome in outcomes {
        let verdict = if outcome.failure.is_some() { "FAILED" } else { "ok" };
        say(format!("    {:<14} {:<7} {:>12}", outcome.check.name, verdict, duration(outcome.took)));
    }
    say(format!("    {:<14} {:<7} {:>12}", "all", "", duration(took)));
    let failed = outcomes.iter().filter_map(|outcome| Some((outcome, outcome.failure.as_ref()?)));
    let Some((first, failure)) = failed.clone().next() else {
        return;
    };
    say(format!("\n==> first failure: {}", first.check.name));
    say(format!("    command: {}", first.command));
    say(format!("    why: {}", failure.reason));
    let lines: Vec<_> = failure.output.lines().collect();
    for line in lines.iter().skip(lines.len().saturating_sub(EXCERPT_LINES)) {
        say(format!("    | {line}"));
    }
    say(format!("    what next: {}", failure.cure));
    let others: Vec<_> = failed.skip(1).map(|(outcome, _)| outcome.check.name).collect();
    if !others.is_empty() {
        say(format!("    failed too: {}", others.join(", ")));
    }
    say("");
}

/// Reads `Summary [   1.2s] 9 tests run: 6 passed (1 slow), 1 failed, 2 timed out, 3 skipped`, the last line of its kind.
fn nextest_totals(output: &str) -> Result<Totals> {
    let summary = output.lines().rfind(|line| line.trim_start().starts_with("Summary ["));
    let summary = summary.context("the runner printed no summary")?;
    let (_, counts) = summary.split_once("run:").context("the runner's summary has no counts")?;
    let mut totals = Totals::default();
    for part in without_parentheses(counts).split(',') {
        let part = part.trim();
        let (count, what) = part.split_once(' ').with_context(|| format!("`{part}` is no count of tests"))?;
        let count: u64 = count.parse().with_context(|| format!("`{part}` is no count of tests"))?;
        match what.trim() {
            "passed" => totals.passed += count,
            "skipped" => totals.skipped += count,
            // failed, timed out, exec failed, and whatever else is not a pass.
            _ => totals.failed += count,
        }
    }
    Ok(totals)
}

fn without_parentheses(text: &str) -> String {
    let mut depth = 0_usize;
    let keep = |one: &char| match one {
        '(' => {
            depth += 1;
            false
        }
        ')' => {
            depth = depth.saturating_sub(1);
            false
        }
        _ => depth == 0,
    };
    text.chars().filter(keep).collect()
}

/// Adds up every `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out`.
fn libtest_totals(output: &str) -> Result<Totals> {
    let mut totals = Totals::default();
    let mut is_any = false;
    for line in output.lines().filter_map(|line| line.trim().strip_prefix("test result:")) {
        is_any = true;
        for part in line.split(['.', ';']) {
            let mut words = part.split_whitespace();
            let (Some(count), Some(what)) = (words.next().and_then(|word| word.parse::<u64>().ok()), words.next())
            else {
                continue;
            };
            match what {
                "passed" => totals.passed += count,
                "failed" => totals.failed += count,
                "ignored" => totals.skipped += count,
                _ => {}
            }
        }
    }
    if !is_any {
        bail!("the runner printed no result");
    }
    Ok(totals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_timed_out_or_did_not_start_counts_as_failed() {
        let output = "    Starting 12 tests\n     Summary [   1.204s] 12 tests run: 8 passed (1 slow, 1 flaky), 1 failed, \
                      2 timed out, 1 exec failed, 3 skipped\n        FAIL reveille a::b\n";
        assert_eq!(nextest_totals(output).unwrap(), Totals { passed: 8, failed: 4, skipped: 3 });
    }

    #[test]
    fn a_run_of_one_test_and_a_run_that_was_cut_short_are_read() {
        let one = "     Summary [   0.004s] 1 test run: 1 passed, 0 skipped";
        assert_eq!(nextest_totals(one).unwrap(), Totals { passed: 1, failed: 0, skipped: 0 });
        let cut = "     Summary [   0.004s] 2/9 tests run: 1 passed, 1 failed, 0 skipped";
        assert_eq!(nextest_totals(cut).unwrap(), Totals { passed: 1, failed: 1, skipped: 0 });
    }

    #[test]
    fn a_runner_that_says_nothing_is_an_error_and_not_zero_tests() {
        assert!(nextest_totals("error: could not compile `reveille`\n").is_err());
        assert!(libtest_totals("error: could not compile `reveille`\n").is_err());
    }

    #[test]
    fn results_of_all_crates_are_added_up() {
        let output = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.10s\n\n\
                      test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s\n";
        assert_eq!(libtest_totals(output).unwrap(), Totals { passed: 4, failed: 2, skipped: 1 });
    }
}
