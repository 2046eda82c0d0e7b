//! The plan against a platform of a few lines: whatever the pace, what is visible at the end is the document.

use std::collections::BTreeMap;

use proptest::prelude::*;
use reveille_channel::{
    Actor, ActorKind, Capabilities, InstanceId, Marker, Mode, Op, Receipt, Streaming, Task, TaskState, ThreadRef,
};

use super::*;
use crate::journal::{Body, ToolCall};

fn reply() -> Reply {
    Reply {
        turn: 1,
        connection: "slack".into(),
        thread: ThreadRef {
            installation: "T".into(),
            key: "C".into(),
            location: BTreeMap::new(),
            display: "#c".into(),
        },
        recipient: Actor { id: "U".into(), name: "alice".into(), kind: ActorKind::Human },
        message: None,
        since_ms: 0,
        settled: String::new(),
        live: String::new(),
        status: None,
        tasks: Vec::new(),
        finished: false,
        has_failed: false,
        segments: Vec::new(),
        sequence: 0,
    }
}

fn capabilities(streaming: Streaming) -> Capabilities {
    Capabilities {
        streaming,
        message_bytes: 200,
        edit_interval_ms: 0,
        stream_lifetime_ms: 1_000,
        status: false,
        controls: false,
    }
}

#[test]
fn where_an_answer_is_posted_whole_the_status_comes_first_at_once_and_stays() {
    let whole = Capabilities { status: true, ..capabilities(Streaming::None) };
    let mut reply = Reply { status: Some("Thinking".into()), ..reply() };
    let thinking = Some(Action::Status { text: Some("Thinking".into()) });
    assert_eq!(plan(&reply, &whole, 0, None), thinking);
    // Elsewhere an answer may be quicker than that.
    let native = Capabilities { status: true, ..capabilities(Streaming::Native) };
    assert_eq!(plan(&reply, &native, 0, None), None);
    assert_eq!(plan(&reply, &native, 700, None), thinking);
    // Text that comes is not seen, so the line is not taken away.
    reply.status = None;
    reply.live = "Half an".into();
    assert_eq!(plan(&reply, &whole, 0, Some("Thinking")), None);
    reply.live.clear();
    reply.add("Half an answer.");
    reply.finished = true;
    assert_eq!(plan(&reply, &whole, 0, Some("Thinking")), Some(Action::Open { segment: 0, start: 0 }));
    assert_eq!(status_again_at(&whole, 1_000), Some(601_000));
    assert_eq!(status_again_at(&native, 1_000), None);
}

fn called(id: &str) -> ToolCall {
    ToolCall { id: id.into(), name: "clock.now".into(), arguments: serde_json::Value::Null }
}

#[test]
fn steps_of_the_work_are_shown_below_the_text_that_led_to_them_while_a_stream_is_open() {
    let native = capabilities(Streaming::Native);
    let mut reply = reply();
    reply.live = "Looking at the clock.".into();
    reply.begin_tasks(&[called("a"), ToolCall { name: "</b> x".into(), ..called("b") }]);
    assert_eq!(tasks_due(&reply, None, &[]), None, "there is no stream");
    let mut thread = Thread { native: true, ..Thread::default() };
    assert!(step(&mut reply, &mut thread, &native, 0, false) && step(&mut reply, &mut thread, &native, 0, false));
    let due = tasks_due(&reply, None, &[]).unwrap();
    let task = |id: &str, title: &str, state| Task { id: id.into(), title: title.into(), state };
    let shown = vec![task("a", "clock.now", TaskState::Running), task("b", "a tool", TaskState::Running)];
    assert_eq!((due.segment, due.message.as_str(), &due.tasks), (0, "0", &shown));
    assert_eq!(tasks_due(&reply, None, &shown), None, "nothing changed");
    reply.end_task("a", true);
    reply.begin_tasks(&[called("c")]);
    reply.live.push_str(" And more.");
    let planned = plan(&reply, &native, 0, None);
    assert!(matches!(planned, Some(Action::Perform { op: Op::Append { .. }, .. })));
    // What ended does not wait for text; what begins does.
    let ended = tasks_due(&reply, planned.as_ref(), &shown).unwrap().tasks;
    assert_eq!(ended, [task("a", "clock.now", TaskState::Done)]);
    assert!(step(&mut reply, &mut thread, &native, 0, false));
    reply.end_tasks();
    let rest = tasks_due(&reply, None, &[ended[0].clone(), shown[1].clone()]).unwrap().tasks;
    assert_eq!(rest, [task("b", "a tool", TaskState::Failed), task("c", "clock.now", TaskState::Failed)]);
    // A message that is edited shows none.
    reply.doubt();
    assert_eq!(tasks_due(&reply, None, &[]), None);
    reply.begin_tasks(&(0..100).map(|number| called(&number.to_string())).collect::<Vec<_>>());
    assert_eq!(reply.tasks.len(), 20);
}

#[test]
fn only_the_end_of_the_whole_answer_is_its_last() {
    let native = capabilities(Streaming::Native);
    let mut reply = reply();
    let mut thread = Thread { native: true, ..Thread::default() };
    let mut lasts = Vec::new();
    for word in 0..=60 {
        reply.finished = word == 60;
        reply.live.push_str("word ");
        loop {
            if let Some(Action::Perform { op: Op::Finish { last, .. }, .. }) = plan(&reply, &native, 0, None) {
                lasts.push(last);
            }
            if !step(&mut reply, &mut thread, &native, 0, false) {
                break;
            }
        }
    }
    assert_eq!(lasts, [false, true], "{thread:?}");
}

/// A thread as people see it: text, and whether it is an open stream.
#[derive(Debug, Default)]
struct Thread {
    messages: Vec<(String, bool)>,
    native: bool,
}

impl Thread {
    /// Does what a platform does, or panics where one would refuse. `None`: the stream is closed.
    fn perform(&mut self, op: &Op) -> Option<Receipt> {
        let at = |id: &str| id.parse::<usize>().unwrap();
        match op {
            Op::Start { text, complete } => {
                let streams = self.native && !complete;
                self.messages.push((text.clone(), streams));
                let mode = if streams { Mode::Native } else { Mode::Edit };
                return Some(Receipt { id: (self.messages.len() - 1).to_string(), mode });
            }
            Op::Append { id, text } => {
                let message = &mut self.messages[at(id)];
                if !message.1 {
                    return None;
                }
                message.0.push_str(text);
            }
            Op::Finish { id, text, .. } => {
                let message = &mut self.messages[at(id)];
                if !message.1 {
                    return None;
                }
                message.0.push_str(text);
                message.1 = false;
            }
            Op::Edit { id, text, .. } => {
                let message = &mut self.messages[at(id)];
                assert!(!message.1, "a stream cannot be edited");
                assert!(!text.is_empty(), "an empty message is refused");
                message.0.clone_from(text);
            }
            Op::Ask(_) | Op::Settle { .. } | Op::Status { .. } => {}
        }
        let (Op::Append { id, .. } | Op::Finish { id, .. } | Op::Edit { id, .. }) = op else { panic!("{op:?}") };
        Some(Receipt { id: id.clone(), mode: if self.messages[at(id)].1 { Mode::Native } else { Mode::Edit } })
    }
}

/// One step of the owner, without its waiting. Whether there was anything to do.
fn step(reply: &mut Reply, thread: &mut Thread, capabilities: &Capabilities, now_ms: i64, crash: bool) -> bool {
    let Some(action) = plan(reply, capabilities, now_ms, None) else {
        return false;
    };
    let marker = |segment: u32| Marker::of(InstanceId::of("i"), 1, segment);
    match action {
        Action::Open { segment, start } => {
            reply.apply(&Body::ReplyOpened { turn: 1, segment, start, marker: marker(segment) }, now_ms).unwrap();
        }
        Action::Find { segment } => {
            let index = usize::try_from(segment).unwrap();
            match thread.messages.get(index) {
                None => reply.segments[index].in_doubt = false,
                Some((_, streams)) => {
                    let receipt =
                        Receipt { id: segment.to_string(), mode: if *streams { Mode::Native } else { Mode::Edit } };
                    let end = reply.segments[index].start;
                    show(reply, segment, receipt, end, UNKNOWN_HASH.into(), false);
                }
            }
        }
        Action::Complete { segment } => {
            let index = usize::try_from(segment).unwrap();
            let at = reply.segments[index].clone();
            show(reply, segment, at.receipt.unwrap(), at.end, at.hash, true);
        }
        Action::Perform { segment, op, end, hash, complete } => {
            let Some(receipt) = thread.perform(&op) else {
                let at = reply.segments[usize::try_from(segment).unwrap()].clone();
                let receipt = Receipt { mode: Mode::Edit, ..at.receipt.unwrap() };
                show(reply, segment, receipt, at.end, UNKNOWN_HASH.into(), false);
                return true;
            };
            if crash {
                // Done at the platform, and not recorded: as after kill -9.
                reply.doubt();
                return true;
            }
            show(reply, segment, receipt, end, hash, complete);
        }
        Action::Status { .. } | Action::Tasks { .. } => {}
    }
    true
}

fn show(reply: &mut Reply, segment: u32, receipt: Receipt, end: usize, hash: String, complete: bool) {
    let sequence = reply.sequence;
    reply.apply(&Body::ReplyShown { turn: 1, segment, sequence, receipt, end, hash, complete }, 0).unwrap();
}

#[derive(Debug, Clone)]
enum Happens {
    Text(String),
    Retried,
    Publish,
    CrashWhilePublishing,
    TimePasses,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        3 => "([a-zäß漢🎉]{1,8} |\n\n|`{3}\n|[a-z]\\*{2} ){1,12}".prop_map(Happens::Text),
        1 => Just(Happens::Retried),
        4 => Just(Happens::Publish),
        1 => Just(Happens::CrashWhilePublishing),
        1 => Just(Happens::TimePasses),
    ]
}

proptest! {
    #[test]
    fn what_is_visible_at_the_end_is_the_document(native in any::<bool>(), story in proptest::collection::vec(happens(), 0..60)) {
        let capabilities = capabilities(if native { Streaming::Native } else { Streaming::Edit });
        let mut reply = reply();
        let mut thread = Thread { native, ..Thread::default() };
        let mut now_ms = 0;
        for one in story {
            match one {
                Happens::Text(text) => reply.live.push_str(&text),
                Happens::Retried => reply.live.clear(),
                Happens::Publish => { step(&mut reply, &mut thread, &capabilities, now_ms, false); }
                Happens::CrashWhilePublishing => { step(&mut reply, &mut thread, &capabilities, now_ms, true); }
                Happens::TimePasses => now_ms += 700,
            }
        }
        let live = std::mem::take(&mut reply.live);
        reply.settle(&live);
        if reply.settled.is_empty() && !reply.segments.is_empty() {
            reply.add("(no answer)");
        }
        reply.finished = true;
        let mut steps = 0;
        while step(&mut reply, &mut thread, &capabilities, now_ms, false) {
            steps += 1;
            prop_assert!(steps < 200, "it comes to an end: {reply:?}");
        }
        prop_assert!(reply.is_done(), "{:?}", reply);
        prop_assert!(thread.messages.iter().all(|(_, streams)| !streams), "no stream is left open");
        // Fences that are closed and opened again at a cut are no words.
        let words = |text: &str| text.replace('`', "").split_whitespace().map(ToOwned::to_owned).collect::<Vec<_>>().concat();
        let visible: String = thread.messages.iter().map(|(text, _)| text.replace("(withdrawn)", "")).collect();
        prop_assert_eq!(words(&visible), words(&reply.document()));
    }
}

#[test]
fn an_answer_that_is_there_at_once_is_posted_in_one_call() {
    let mut reply = reply();
    reply.settle("Yes.");
    reply.finished = true;
    let mut thread = Thread { native: true, ..Thread::default() };
    let capabilities = capabilities(Streaming::Native);
    assert!(step(&mut reply, &mut thread, &capabilities, 0, false), "opened");
    let Some(Action::Perform { op, complete: true, .. }) = plan(&reply, &capabilities, 0, None) else { panic!() };
    assert_eq!(op, Op::Start { text: "Yes.".into(), complete: true });
}

#[test]
fn a_message_that_may_be_there_is_looked_for_with_its_own_text_and_time() {
    let mut reply = reply();
    reply.add(&"Some words of an answer that is long. ".repeat(12));
    reply.finished = true;
    let edit = capabilities(Streaming::Edit);
    for at_ms in [7, 8] {
        let Some(Action::Open { segment, start }) = plan(&reply, &edit, at_ms, None) else { panic!("{reply:?}") };
        let marker = Marker::of(InstanceId::of("agent"), 1, segment);
        reply.apply(&Body::ReplyOpened { turn: 1, segment, start, marker }, at_ms).unwrap();
        let Some(Action::Perform { end, hash, complete, .. }) = plan(&reply, &edit, at_ms, None) else {
            panic!("{reply:?}")
        };
        show(&mut reply, segment, Receipt { id: format!("m{segment}"), mode: Mode::Edit }, end, hash, complete);
    }
    let (first, second) = (reply.sought(0).unwrap(), reply.sought(1).unwrap());
    assert_eq!((first.opened_at_ms, second.opened_at_ms), (7, 8));
    let text = |sought: &reveille_channel::Sought| sought.text.clone().unwrap();
    assert!(text(&first).starts_with("Some words") && text(&first).len() <= edit.message_bytes);
    assert!(!text(&second).is_empty() && text(&first) != text(&second));
    assert!(reply.document().starts_with(text(&first).trim_end()), "the first is the document's beginning");
    assert_eq!(reply.shown().collect::<Vec<_>>(), ["m0", "m1"]);
    assert_eq!(reply.sought(9), None);
}
