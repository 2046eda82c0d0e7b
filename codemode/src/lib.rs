//! Runs programs that a model wrote in a WebAssembly sandbox that can be put to sleep at a host call.
//!
//! A [`Program`] is TypeScript. A [`Sandbox`] starts it in a fresh instance of a JavaScript engine, which has nothing but
//! the functions of its [`Api`]. Calls to them come out as [`Request`]s; the host answers them in any order, now or in a
//! week. In between, a [`Run`] can be kept, dropped, or turned into bytes and back.
//!
//! ```
//! use std::num::NonZero;
//!
//! use reveille_codemode::{Answer, Api, CallOutcome, Event, Given, Limits, Sandbox};
//!
//! # let runtime = tokio::runtime::Builder::new_current_thread().build()?;
//! # runtime.block_on(async {
//! let api = Api::default().namespace("workspace", ["readFile"])?;
//! let sandbox = Sandbox::open(api, NonZero::new(2).unwrap()).await?;
//! let program = sandbox.read("const text: string = await workspace.readFile('a'); text.length".to_owned()).await?;
//!
//! let given = Given { now_ms: 1_767_225_600_000, seed: 7 };
//! let (events, mut run) = sandbox.start(program.clone(), Limits::default(), given).await?;
//! let [Event::Call(call)] = &events[..] else { panic!("{events:?}") };
//! assert_eq!((call.name.as_str(), call.args.get()), ("workspace.readFile", r#"["a"]"#));
//!
//! let asleep: Vec<u8> = run.snapshot().await?;
//! let mut run = sandbox.restore(program, asleep).await?;
//! let value = serde_json::value::to_raw_value("four")?;
//! let answer = Answer { id: call.id, outcome: CallOutcome::Value(value) };
//! let events = run.answer(vec![answer], 1_767_225_700_000).await?;
//! let finished = events.last().unwrap().finished().unwrap();
//! assert_eq!(finished.result.as_ref().unwrap().as_ref().unwrap().get(), "4");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! This crate knows no agent, no tool and no channel: what a call means, who may make it, and where a snapshot is kept and
//! sealed is the host's matter. It holds no credential and gives a program none.

mod api;
mod binary;
mod compression;
mod engine;
mod failure;
mod guest;
mod image;
mod imports;
mod limits;
mod machine;
mod places;
mod position;
mod program;
mod protocol;
mod sandbox;
mod snapshot;
mod spare;
mod surrogates;
mod typescript;
mod usage;
mod watchdog;
mod words;
mod worker;

pub use api::{Api, ApiError};
pub use engine::{Engine, EngineError};
pub use failure::{Failure, Frame, Thrown};
pub use image::Image;
pub use limits::{Limit, Limits, SOURCE_BYTES};
pub use machine::AnswerError;
pub use position::Position;
pub use program::{Program, ProgramError};
pub use protocol::{Answer, CallOutcome, Event, Finished, Given, Line, Request};
pub use sandbox::{Run, Sandbox, SandboxError};
pub use snapshot::SnapshotError;
pub use usage::Usage;
