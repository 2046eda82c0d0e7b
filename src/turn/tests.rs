//! The fold's invariants (records.md: I4, I5, I6), on histories made by a small owner that does what the fold says.

use std::collections::BTreeMap;

use proptest::prelude::*;
use reveille_channel::{Actor, ActorKind, Ask, Event, EventId, Kind, Marker, Mode, Receipt, ThreadRef};
use serde_json::json;

use super::*;
use crate::journal::{Body, Concurrency, Effect, Limits, Outcome, StopReason, ToolCall, ToolOutcome, Usage, Verdict};

fn limits(concurrency: Concurrency) -> Limits {
    Limits {
        wall_ms: 60_000,
        tokens: 1_000,
        tool_calls: 8,
        model_calls: 6,
        attempts: 2,
        window_tokens: 10_000,
        concurrency,
    }
}

fn event(number: u8) -> Body {
    let key = format!("e{number}");
    Body::Event {
        event: Box::new(Event {
            id: EventId::of("slack", &key),
            connection: "slack".into(),
            platform: "slack".into(),
            thread: ThreadRef {
                installation: "T".into(),
                key: "C:1".into(),
                location: BTreeMap::new(),
                display: "#c".into(),
            },
            actor: Actor { id: "U".into(), name: "alice".into(), kind: ActorKind::Human },
            kind: Kind::Mention,
            name: "app_mention".into(),
            text: format!("message {number}"),
            attachments: Vec::new(),
            mentions: Vec::new(),
            message: None,
            facts: BTreeMap::new(),
            occurred_at_ms: 0,
            received_at_ms: 0,
            dedupe_keys: vec![key],
        }),
    }
}

/// What the world does when the owner asks it: one choice a step.
#[derive(Debug, Clone, Copy)]
enum Luck {
    Answer,
    CallTools(u8),
    Fail,
    Refuse,
    AnEventComes,
    Overdue,
    /// The call is a program: it asks for so many things, and is kept or not.
    Program {
        asks: u8,
        kept: bool,
    },
    /// The program ended with its process, and begins again.
    Again,
    /// The call waits for a time.
    Sleep,
    /// People are asked about the call.
    Ask,
}

fn luck() -> impl Strategy<Value = Luck> {
    prop_oneof![
        4 => Just(Luck::Answer),
        3 => (1u8..4).prop_map(Luck::CallTools),
        1 => Just(Luck::Fail),
        1 => Just(Luck::Refuse),
        2 => Just(Luck::AnEventComes),
        1 => Just(Luck::Overdue),
        3 => (1u8..4, any::<bool>()).prop_map(|(asks, kept)| Luck::Program { asks, kept }),
        1 => Just(Luck::Again),
        1 => Just(Luck::Sleep),
        2 => Just(Luck::Ask),
    ]
}

/// The records of an owner that performs what the fold says, with this luck; it rests at the end.
fn history(concurrency: Concurrency, luck: &[Luck]) -> Vec<Body> {
    let mut state = InstanceState::default();
    let mut records = Vec::new();
    let mut events = 0;
    let mut write = |state: &mut InstanceState, body: Body| {
        state.apply(&body, 0).unwrap();
        records.push(body);
    };
    write(&mut state, event(0));
    let mut luck = luck.iter().copied();
    for _ in 0..200 {
        let now = luck.next();
        if matches!(now, Some(Luck::AnEventComes)) {
            events += 1;
            write(&mut state, event(events));
        }
        if matches!(now, Some(Luck::Overdue))
            && let Some((name, _)) = state.next_alarm()
        {
            let name = name.to_owned();
            write(&mut state, Body::AlarmFired { name });
        }
        let Next::Do(todo) = state.next() else {
            // It waits for people, or for a time: both come.
            let Some(running) = &state.running else { break };
            let turn = running.turn;
            if let Some(open) = running.approvals.iter().find(|approval| approval.verdict.is_none()) {
                let verdict = match now {
                    Some(Luck::Refuse) => Verdict::Denied,
                    Some(Luck::Fail) => Verdict::Unasked,
                    _ => Verdict::Approved,
                };
                let approval = open.id.clone();
                write(&mut state, Body::ApprovalDecided { turn, approval, verdict, by: None, event: None });
            } else {
                let (name, _) = state.next_alarm().expect("something is waited for");
                let name = name.to_owned();
                write(&mut state, Body::AlarmFired { name });
            }
            continue;
        };
        match todo {
            Todo::Consider { events } => match (&state.running, now) {
                (None, Some(Luck::Refuse))
                | (Some(Running { limits: Limits { concurrency: Concurrency::Drop, .. }, .. }), _) => {
                    let turn = state.turns + 1;
                    write(
                        &mut state,
                        Body::Refused { event: events[0], turn, rule: "r".into(), notice: Some("no".into()) },
                    );
                }
                (None, _) => {
                    let turn = state.turns + 1;
                    write(
                        &mut state,
                        Body::TurnStarted { turn, events, definition: "d".into(), limits: limits(concurrency) },
                    );
                }
                (Some(running), _) if running.limits.concurrency == Concurrency::Interrupt => {
                    let turn = running.turn;
                    let ended = Body::TurnEnded {
                        turn,
                        outcome: Outcome::Aborted,
                        reason: Some("newer".into()),
                        usage: Usage::default(),
                    };
                    write(&mut state, ended);
                }
                (Some(running), _) => {
                    let turn = running.turn;
                    write(&mut state, Body::Steered { turn, events });
                }
            },
            Todo::Shorten { turn, calls, dropped_messages } => {
                write(&mut state, Body::ContextShortened { turn, calls, dropped_messages });
            }
            Todo::CallModel { turn, step, attempt } => {
                write(&mut state, Body::ModelCalled { turn, step, attempt, model: "m".into(), request: "h".into() });
                if matches!(now, Some(Luck::Fail)) {
                    let fatal = attempt > 2;
                    write(&mut state, Body::ModelFailed { turn, step, attempt, error: "down".into(), fatal });
                    continue;
                }
                write(&mut state, Body::ModelText { turn, step, attempt, chunk: 0, text: "some".into() });
                let count = if let Some(Luck::CallTools(count)) = now { count } else { 0 };
                let tool_calls: Vec<ToolCall> = (0..count)
                    .map(|index| ToolCall {
                        id: format!("c{step}_{index}"),
                        name: "clock.now".into(),
                        arguments: json!({}),
                    })
                    .collect();
                let stop = if count > 0 { StopReason::ToolCalls } else { StopReason::End };
                let usage = Usage { input_tokens: 10, output_tokens: 5, cached_tokens: 0 };
                write(
                    &mut state,
                    Body::ModelAnswered { turn, step, attempt, text: "some text".into(), tool_calls, stop, usage },
                );
            }
            Todo::CallTools { turn, step, calls } => {
                let running = state.running.as_ref().unwrap();
                let one = running.calls.iter().find(|one| one.call.id == calls[0]).unwrap().clone();
                for body in call_step(running, &one, now, turn, step) {
                    write(&mut state, body);
                }
            }
            Todo::End { turn, outcome, reason } => {
                write(&mut state, Body::TurnEnded { turn, outcome, reason, usage: Usage::default() });
            }
        }
    }
    assert!(matches!(state.next(), Next::Rest { .. }), "it comes to rest");
    // The reply is shown at the end, whole.
    while let Some(reply) = state.replies.front() {
        let (turn, end) = (reply.turn, reply.document().len());
        let hash = crate::outbox::text_hash(&reply.document());
        if reply.document().is_empty() {
            break;
        }
        let marker = Marker::of(reveille_channel::InstanceId::of("i"), turn, 0);
        write(&mut state, Body::ReplyOpened { turn, segment: 0, start: 0, marker });
        let receipt = Receipt { id: "1".into(), mode: Mode::Edit };
        write(&mut state, Body::ReplyShown { turn, segment: 0, sequence: 0, receipt, end, hash, complete: true });
    }
    records
}

/// What an owner writes about one call.
fn call_step(running: &Running, one: &Call, now: Option<Luck>, turn: u64, step: u32) -> Vec<Body> {
    let (call, id) = (one.call.clone(), one.call.id.clone());
    let ok = || ToolOutcome::Ok { content: "noon".into(), truncated: false };
    let returned = |outcome: ToolOutcome| vec![Body::ToolReturned { turn, step, call: id.clone(), outcome }];
    let suspended = |program: &Program, asks: u8, kept: bool, still: Vec<u32>| {
        let new = (1..=u32::from(asks)).map(|number| program.requests + number);
        let request =
            |number| ToolCall { id: host_call_id(&id, number), name: "clock.now".into(), arguments: json!({}) };
        Body::CodeSuspended {
            turn,
            step,
            call: id.clone(),
            requests: new.clone().map(request).collect(),
            waiting: still.into_iter().chain(new).collect(),
            console: Vec::new(),
            snapshot: kept.then(|| "image".into()),
        }
    };
    match (&one.program, now) {
        (None, Some(Luck::Program { .. })) if one.parent.is_none() && one.attempts == 0 => {
            vec![Body::CodeStarted { turn, step, call: id.clone(), attempt: 1, seed: 7 }]
        }
        (Some(program), Some(Luck::Again)) => {
            vec![Body::CodeStarted { turn, step, call: id.clone(), attempt: program.attempts + 1, seed: 7 }]
        }
        (Some(program), Some(Luck::Program { asks, kept })) => {
            let is_open = |(_, host_call): &(u32, &Call)| host_call.outcome.is_none();
            let still = running.host_calls(&id).filter(is_open).map(|(number, _)| number);
            let still = still.filter(|number| program.waiting.contains(number)).collect();
            vec![suspended(program, asks, kept, still)]
        }
        (Some(_), _) => returned(ok()),
        (None, Some(Luck::Ask)) if running.approval_for(&id).is_none() && one.attempts == 0 => {
            let ask =
                Ask { reference: "r".into(), title: "May it?".into(), detail: String::new(), choices: Vec::new() };
            let approval = format!("a {id} {}", running.approvals.len());
            let (request, ask, calls) = ("{}".into(), Box::new(ask), vec![id.clone()]);
            vec![Body::ApprovalAsked { turn, approval, calls, request, ask, expires_at_ms: 900_000, four_eyes: false }]
        }
        (None, Some(Luck::Sleep)) if one.attempts == 0 => {
            vec![Body::AlarmSet { name: alarm_of(&id), due_at_ms: 5 }]
        }
        (None, _) => match running.approval_for(&id).and_then(Approval::refusal) {
            Some(refusal) => returned(refusal),
            None => {
                let (effect, key, attempt) = (Effect::Once, "k".into(), one.attempts + 1);
                let mut bodies = vec![Body::ToolCalled { turn, step, call, effect, key, attempt }];
                bodies.extend(returned(ok()));
                bodies
            }
        },
    }
}

fn concurrency() -> impl Strategy<Value = Concurrency> {
    prop_oneof![
        Just(Concurrency::Steer),
        Just(Concurrency::Queue),
        Just(Concurrency::Interrupt),
        Just(Concurrency::Drop)
    ]
}

proptest! {
    #[test]
    fn every_event_has_one_outcome_and_every_turn_one_end(concurrency in concurrency(), luck in proptest::collection::vec(luck(), 0..40)) {
        let records = history(concurrency, &luck);
        let count = |kind: &str| records.iter().filter(|body| body.kind() == kind).count();
        prop_assert_eq!(count("turn_started"), count("turn_ended"));
        let mut taken = Vec::new();
        for body in &records {
            match body {
                Body::Refused { event, .. } => taken.push(*event),
                Body::TurnStarted { events, .. } | Body::Steered { events, .. } => taken.extend(events),
                _ => {}
            }
        }
        prop_assert_eq!(taken.len(), count("event"));
        taken.sort_unstable();
        taken.dedup();
        prop_assert_eq!(taken.len(), count("event"), "none is taken twice");
    }

    #[test]
    fn resuming_at_any_cut_does_what_the_full_run_did_next(concurrency in concurrency(), luck in proptest::collection::vec(luck(), 0..40), cut in 0usize..200) {
        let records = history(concurrency, &luck);
        let cut = cut.min(records.len());
        let mut running = InstanceState::default();
        for body in &records[..cut] {
            running.apply(body, 0).unwrap();
        }
        // What a restart folds is what went through the journal as JSON, from a checkpoint in the middle.
        let half = cut / 2;
        let mut resumed = InstanceState::default();
        for body in &records[..half] {
            resumed.apply(body, 0).unwrap();
        }
        let mut resumed: InstanceState = serde_json::from_str(&serde_json::to_string(&resumed).unwrap()).unwrap();
        for body in &records[half..cut] {
            let body: Body = serde_json::from_str(&serde_json::to_string(body).unwrap()).unwrap();
            resumed.apply(&body, 0).unwrap();
        }
        prop_assert_eq!(&resumed, &running);
        prop_assert_eq!(resumed.next(), running.next());
    }

    #[test]
    fn a_record_twice_is_corrupt(concurrency in concurrency(), luck in proptest::collection::vec(luck(), 0..40)) {
        let mut state = InstanceState::default();
        for body in history(concurrency, &luck) {
            state.apply(&body, 0).unwrap();
            // Setting an alarm or shortening again changes nothing that was not so.
            if !matches!(body, Body::ContextShortened { .. } | Body::AlarmSet { .. }) {
                prop_assert!(state.clone().apply(&body, 0).is_err(), "{} twice", body.kind());
            }
        }
    }

    #[test]
    fn any_sequence_at_all_is_folded_or_refused_without_a_panic(concurrency in concurrency(), luck in proptest::collection::vec(luck(), 0..30), order in proptest::collection::vec(any::<prop::sample::Index>(), 0..60)) {
        let records = history(concurrency, &luck);
        let mut state = InstanceState::default();
        for index in order {
            let _ = state.apply(index.get(&records), 0);
            let _ = state.next();
        }
    }
}

#[test]
fn only_what_may_end_the_turn_is_looked_at_while_the_model_is_called() {
    for concurrency in [Concurrency::Steer, Concurrency::Queue] {
        let mut state = InstanceState::default();
        let mut write = |body: Body| state.apply(&body, 0).unwrap();
        write(event(0));
        let first = EventId::of("slack", "e0");
        write(Body::TurnStarted { turn: 1, events: vec![first], definition: "d".into(), limits: limits(concurrency) });
        write(Body::ModelCalled { turn: 1, step: 1, attempt: 1, model: "m".into(), request: "h".into() });
        write(event(1));
        let mut deletion = event(2);
        if let Body::Event { event } = &mut deletion {
            event.kind = Kind::Deleted;
        }
        write(deletion);
        let deleted = EventId::of("slack", "e2");
        assert_eq!(state.next(), Next::Do(Todo::Consider { events: vec![deleted] }), "{concurrency:?}");
        let refused = Body::Refused { event: deleted, turn: 2, rule: "message.deleted".into(), notice: None };
        state.apply(&refused, 0).unwrap();
        assert!(!matches!(state.next(), Next::Do(Todo::Consider { .. })), "{concurrency:?}: the other one waits");
    }
}

#[test]
fn what_the_model_sees_is_shortened_oldest_first_and_whole_turns_go_last() {
    let mut state = InstanceState::default();
    let small = Limits { window_tokens: 1_000, ..limits(Concurrency::Queue) };
    let big = "x".repeat(3_000);
    state.apply(&event(0), 0).unwrap();
    let events = vec![EventId::of("slack", "e0")];
    state.apply(&Body::TurnStarted { turn: 1, events, definition: "d".into(), limits: small }, 0).unwrap();
    state
        .apply(&Body::ModelCalled { turn: 1, step: 1, attempt: 1, model: "m".into(), request: "h".into() }, 0)
        .unwrap();
    let tool_calls: Vec<ToolCall> =
        (0..2).map(|index| ToolCall { id: format!("c{index}"), name: "t".into(), arguments: json!({}) }).collect();
    let answered = Body::ModelAnswered {
        turn: 1,
        step: 1,
        attempt: 1,
        text: String::new(),
        tool_calls,
        stop: StopReason::ToolCalls,
        usage: Usage::default(),
    };
    state.apply(&answered, 0).unwrap();
    for call in ["c1", "c0"] {
        let outcome = ToolOutcome::Ok { content: big.clone(), truncated: false };
        state.apply(&Body::ToolReturned { turn: 1, step: 1, call: call.into(), outcome }, 0).unwrap();
    }
    let Next::Do(Todo::Shorten { calls, dropped_messages: 0, .. }) = state.next() else { panic!("{:?}", state.next()) };
    assert_eq!(calls, ["c0", "c1"], "in the order they were asked for, until it fits");
    state.apply(&Body::ContextShortened { turn: 1, calls, dropped_messages: 0 }, 0).unwrap();
    assert!(matches!(state.next(), Next::Do(Todo::CallModel { step: 2, attempt: 1, .. })), "{:?}", state.next());
}

/// Whether a question is in doubt is in no record. So what the records come to may not depend on it, or an instance could not be
/// read again after an answer to a question that a crash had left in doubt.
#[test]
fn a_question_in_doubt_comes_to_what_its_records_come_to() {
    let ask = Ask { reference: "r".into(), title: "May it?".into(), detail: String::new(), choices: Vec::new() };
    let approval = || "a".to_owned();
    let call = ToolCall { id: "c".into(), name: "t.t".into(), arguments: json!({}) };
    let answered = Body::ModelAnswered {
        turn: 1,
        step: 1,
        attempt: 1,
        text: String::new(),
        tool_calls: vec![call],
        stop: StopReason::ToolCalls,
        usage: Usage::default(),
    };
    let before = [
        event(0),
        Body::TurnStarted {
            turn: 1,
            events: vec![EventId::of("slack", "e0")],
            definition: "d".into(),
            limits: limits(Concurrency::Steer),
        },
        Body::ModelCalled { turn: 1, step: 1, attempt: 1, model: "m/m".into(), request: "00".into() },
        answered,
        Body::ApprovalAsked {
            turn: 1,
            approval: approval(),
            calls: vec!["c".into()],
            request: "{}".into(),
            ask: Box::new(ask),
            expires_at_ms: 900_000,
            four_eyes: false,
        },
    ];
    let decided = |verdict| Body::ApprovalDecided { turn: 1, approval: approval(), verdict, by: None, event: None };
    let opened = || Body::QuestionOpened { turn: 1, approval: approval() };
    let closed = || Body::QuestionClosed { turn: 1, approval: approval(), failure: None };
    let receipt = Receipt { id: "1".into(), mode: Mode::Edit };
    let shown = Body::QuestionShown { turn: 1, approval: approval(), receipt };
    for after in [
        // It was there, and is found.
        vec![decided(Verdict::Denied), shown, closed()],
        // It was not, or nobody can say.
        vec![decided(Verdict::Unasked), closed()],
    ] {
        let mut doubtful = InstanceState::default();
        let mut sure = InstanceState::default();
        for body in before.iter().chain([&opened()]) {
            doubtful.apply(body, 1).unwrap();
            sure.apply(body, 1).unwrap();
        }
        doubtful.doubt();
        for body in &after {
            doubtful.apply(body, 2).unwrap();
            sure.apply(body, 2).unwrap();
        }
        assert!(sure.questions.is_empty());
        assert_eq!(doubtful.questions, sure.questions);
        assert_eq!(doubtful.running, sure.running);
    }
}
