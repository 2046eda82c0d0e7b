//! An answer of 100 kB cut into messages and rendered, beside comrak's parse of it.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::Result;
use reveille_channel::markdown::Cuts;
use reveille_channel::{Channel, Secret, ThreadRef};
use reveille_github::GitHub;
use reveille_linear::Linear;

use crate::Figure;

const ROUNDS: u32 = 20;
const LENGTH: usize = 100_000;

/// What answers are made of: prose with code and links, a list, a table, a block of code.
const PARAGRAPHS: &str = "\
## What happened

The deploy of `api` failed at 10:42: the migration *waited* for a lock that [this query](https://docs.example.com/queries#lock)
held. @octocat saw it first, and https://status.example.com/incidents/42?utm=x has the rest. It is fixed by #42.

1. Stop the job.
2. Run the migration again, with **`lock_timeout`** set.
   - See the runbook, `docs/runbook.md`.

| service | errors | since |
|---|---:|---|
| api | 1200 | 10:42 |
| worker | 3 | 10:44 |

```rust
fn retry(times: u32) -> Result<(), Error> {
    (0..times).find_map(|_| attempt().ok()).ok_or(Error::GaveUp)
}
```

";

pub(crate) fn figures() -> Result<Vec<Figure>> {
    let text = PARAGRAPHS.repeat(LENGTH.div_ceil(PARAGRAPHS.len()));
    let parse = each(|| {
        let arena = comrak::Arena::new();
        let mut options = comrak::Options::default();
        options.extension.table = true;
        options.extension.strikethrough = true;
        comrak::parse_document(&arena, &text, &options).descendants().count()
    });
    let github = GitHub::new(
        "github",
        reveille_github::Settings {
            webhook_secret: Secret::new("8f742231b10e8888abcd99yyyzzz85a5"),
            auth: reveille_github::Auth::Token(Secret::new("ghp_bench")),
            api_base_url: "http://127.0.0.1:1".parse()?,
        },
    )?;
    let linear = Linear::new(
        "linear",
        reveille_linear::Settings {
            webhook_secret: Secret::new("8f742231b10e8888abcd99yyyzzz85a5"),
            auth: reveille_linear::Auth::Token(Secret::new("lin_bench")),
            api_base_url: "http://127.0.0.1:1/graphql".parse()?,
        },
    )?;
    let for_github = split(&text, github.capabilities().message_bytes, &|piece| github.render(piece));
    let anywhere = ThreadRef {
        installation: "bench".to_owned(),
        key: "bench".to_owned(),
        location: BTreeMap::new(),
        display: "bench".to_owned(),
    };
    let workspace = linear.at(&anywhere)?;
    let for_linear = split(&text, linear.capabilities().message_bytes, &|piece| workspace.render(piece));
    // As small as messages get: what is left grows with the text, and not with its square.
    let cut_small = split(&text, 1_800, &str::to_owned);
    Ok([
        ("split + render for GitHub", for_github),
        ("split + render for Linear", for_linear),
        ("split into 1.8 kB", cut_small),
    ]
    .map(|(what, ours)| Figure {
        what: format!("{what}, {} kB of Markdown", text.len() / 1000),
        yardstick: format!("comrak's parse {}", rate(&text, parse)),
        ours: rate(&text, ours),
        ratio: ours.as_secs_f64() / parse.as_secs_f64(),
        goal: "≤ 10",
    })
    .into())
}

/// How long it takes to cut the text into messages of this length and render each.
fn split(text: &str, limit: usize, render: &dyn Fn(&str) -> String) -> Duration {
    each(|| {
        let cuts = Cuts::of(text);
        let (mut start, mut length) = (0, 0);
        while let Some(end) = cuts.cut(start, limit, 0) {
            length += render(&cuts.piece(start, end)).len();
            start = end;
        }
        length + render(&cuts.piece(start, text.len())).len()
    })
}

/// How long one call takes, over some.
fn each(call: impl Fn() -> usize) -> Duration {
    let started = Instant::now();
    for _ in 0..ROUNDS {
        black_box(call());
    }
    started.elapsed() / ROUNDS
}

fn rate(text: &str, taken: Duration) -> String {
    #[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "a length far below 2^52")]
    let megabytes = text.len() as f64 / 1e6;
    format!("{:.0} MB/s", megabytes / taken.as_secs_f64())
}
