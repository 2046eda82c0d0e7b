//! A gateway with a platform that costs nothing, so that what is measured is ours.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use async_trait::async_trait;
use bytes::Bytes;
use reveille::actor::ActorLimits;
use reveille::agent::{Catalogue, ModelRef};
use reveille::clock::SystemClock;
use reveille::codemode::CodeMode;
use reveille::connection::{Connection, Connections};
use reveille::dispatch::AccessDefault;
use reveille::gateway::{Gateway, Parts};
use reveille::journal::embedded::{Embedded, Options};
use reveille::journal::{Admission, Admitted, Target};
use reveille::model::{Models, Script};
use reveille::tool::Registry;
use reveille::vault::Keys;
use reveille_channel::{
    Actor, ActorKind, Capabilities, Channel, ContextMessage, Delivery, Event, EventId, Identity, Inbound, Kind,
    Malformed, Mode, Op, Receipt, Reject, ReplyContext, ReplyError, Role, Route, Streaming, ThreadRef, Verified,
};
use tokio::sync::mpsc;

/// A platform whose every answer is instant, and that says when a reply is complete.
#[derive(Debug)]
pub(crate) struct Quiet {
    done: mpsc::Sender<()>,
}

#[async_trait]
impl Channel for Quiet {
    fn platform(&self) -> &'static str {
        "slack"
    }
    fn routes(&self) -> &'static [Route] {
        &[]
    }
    fn body_limit(&self) -> usize {
        0
    }
    fn verify(&self, _: Delivery) -> Result<Verified, Reject> {
        Err(Reject::WrongSignature)
    }
    fn normalise(&self, _: &Verified) -> Result<Inbound, Malformed> {
        Ok(Inbound::Ignored { reason: "bench" })
    }
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            streaming: Streaming::Edit,
            message_bytes: 10_000,
            edit_interval_ms: 0,
            stream_lifetime_ms: u64::MAX,
            status: false,
            controls: false,
        }
    }
    async fn perform(&self, _: &ReplyContext, op: &Op) -> Result<Receipt, ReplyError> {
        if matches!(op, Op::Start { complete: true, .. } | Op::Edit { complete: true, .. }) {
            let _ = self.done.send(()).await;
        }
        Ok(Receipt { id: "1".into(), mode: Mode::Edit })
    }
    async fn find(&self, _: &ReplyContext) -> Result<Option<Receipt>, ReplyError> {
        Ok(None)
    }
    async fn context(&self, _: &ThreadRef, _: usize) -> Result<Vec<ContextMessage>, ReplyError> {
        Ok(Vec::new())
    }
    async fn permission(&self, _: &Actor, _: &ThreadRef) -> Result<Role, ReplyError> {
        Ok(Role::Member)
    }
    async fn react(&self, _: &ThreadRef, _: &str, _: &str) -> Result<(), ReplyError> {
        Ok(())
    }
    async fn identify(&self) -> Result<Identity, ReplyError> {
        Ok(Identity { id: "U".into(), handle: "bot".into(), installation: "T".into(), warnings: Vec::new() })
    }
}

/// The model: one tool call, then an answer, both at once.
const SCRIPT: &str = r#"
rules:
  - when: { role: user }
    calls: [{ tool: clock.now }]
  - when: { role: tool }
    stream: ["Done: {last}"]
"#;

const AGENT: &str =
    "---\nname: bench\ndescription: Answers.\nwake:\n  - slack: { mention: true }\ntools: [clock.now]\n---\nAnswer.\n";

/// A gateway over `folder`, and what says that a reply is complete.
pub(crate) async fn gateway(folder: &Path, limits: ActorLimits) -> Result<(Gateway, mpsc::Receiver<()>)> {
    std::fs::create_dir_all(folder.join("agents/bench"))?;
    std::fs::write(folder.join("agents/bench/AGENT.md"), AGENT)?;
    let (done, dones) = mpsc::channel(4096);
    let script = Script::parse("bench", SCRIPT)?;
    let tools = Registry::built_in(&Arc::default())?;
    let codemode = CodeMode::new(&tools, Keys::of_folder(folder).map_err(anyhow::Error::msg)?)?;
    let gateway = Gateway::start(Parts {
        connections: Connections::new([Connection::new("slack", Arc::new(Quiet { done }))]),
        engine: Arc::new(Embedded::open(&folder.join("data"), Options::default()).await?),
        catalogue: Arc::new(Catalogue::load(&folder.join("agents"))),
        models: Models::default().with("played", Arc::new(script)),
        default_model: Some(ModelRef { table: "played".into(), model: "script".into() }),
        tools,
        codemode,
        access: AccessDefault::Everyone,
        clock: Arc::new(SystemClock),
        limits,
        public_url: None,
        admin: None,
    });
    Ok((gateway, dones))
}

/// Limits as in production, but for how long somebody who rests stays awake.
pub(crate) fn limits(idle: Duration) -> ActorLimits {
    ActorLimits { idle, ..ActorLimits::default() }
}

/// An event of its own thread.
pub(crate) fn admission(number: usize) -> Admission {
    let key = format!("message:T:C:{number}");
    let event = Event {
        id: EventId::of("slack", &key),
        connection: "slack".into(),
        platform: "slack".into(),
        thread: ThreadRef {
            installation: "T".into(),
            key: format!("C:{number}"),
            location: BTreeMap::from([("channel".to_owned(), "C".to_owned())]),
            display: "#bench".into(),
        },
        actor: Actor { id: "U1".into(), name: "alice".into(), kind: ActorKind::Human },
        kind: Kind::Mention,
        name: "app_mention".into(),
        text: "what time is it, and what else is there to say about it?".into(),
        attachments: Vec::new(),
        mentions: Vec::new(),
        message: Some(number.to_string()),
        facts: BTreeMap::new(),
        occurred_at_ms: 1,
        received_at_ms: 1,
        dedupe_keys: vec![key],
    };
    let target = Target { address: format!("bench/slack/T/C:{number}"), only_if_known: false };
    Admission { event, raw: Bytes::from_static(&[b'x'; 1024]), targets: vec![target] }
}

/// Admits an event and wakes whom it is for.
pub(crate) async fn send(gateway: &Gateway, number: usize) -> Result<()> {
    if let Admitted::New(instances) = gateway.engine().admit(admission(number)).await?.into_inner() {
        instances.into_iter().for_each(|instance| gateway.directory().wake(instance));
    }
    Ok(())
}
