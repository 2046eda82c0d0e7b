//! What a terminal is told of a reply, step by step.
#![expect(clippy::unwrap_used, reason = "what is not as expected fails the test")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use reveille_channel::{
    Actor, ActorKind, Ask, Channel, Choice, Event, Inbound, InstanceId, Intake, Kind, Marker, Mode, NotTaken, Op,
    Receipt, ReplyContext, ReplyError, Style, ThreadRef,
};
use reveille_local::{Local, Settings, Shown, is_name, question};
use tokio::sync::mpsc::Receiver;

fn conversation() -> (Arc<Local>, Receiver<Shown>) {
    let settings =
        Settings { agent: "assistant".into(), name: "default".into(), session: "s".into(), earlier: Vec::new() };
    let (local, screen) = Local::new(settings);
    (Arc::new(local), screen)
}

fn context(turn: u64) -> ReplyContext {
    ReplyContext {
        thread: ThreadRef {
            installation: "terminal".into(),
            key: "default".into(),
            location: Default::default(),
            display: "the terminal".into(),
        },
        recipient: Actor { id: "operator".into(), name: "operator".into(), kind: ActorKind::Human },
        message: None,
        marker: Marker::of(InstanceId::of("x"), turn, 0),
        since_ms: 5,
        has_failed: false,
    }
}

/// Performs, and what is told of it.
async fn shown(local: &Local, screen: &mut Receiver<Shown>, op: Op) -> (Receipt, Vec<Shown>) {
    let receipt = local.perform(&context(1), &op).await.unwrap();
    let mut told = Vec::new();
    while let Ok(one) = screen.try_recv() {
        told.push(one);
    }
    (receipt, told)
}

#[tokio::test]
async fn a_stream_is_told_piece_by_piece_and_a_correction_as_such() {
    let (local, mut screen) = conversation();
    let start = Op::Start { text: "One".into(), complete: false };
    let (receipt, told) = shown(&local, &mut screen, start).await;
    let id = receipt.id.clone();
    assert_eq!(receipt.mode, Mode::Native);
    assert_eq!(told, [Shown::Begun { id: id.clone(), text: "One".into() }]);
    assert_eq!(local.find(&context(1)).await.unwrap(), Some(receipt));

    let (_, told) = shown(&local, &mut screen, Op::Append { id: id.clone(), text: " two".into() }).await;
    assert_eq!(told, [Shown::Grew { id: id.clone(), text: " two".into() }]);
    let (receipt, told) =
        shown(&local, &mut screen, Op::Finish { id: id.clone(), text: String::new(), last: false }).await;
    assert_eq!((receipt.mode, told), (Mode::Edit, Vec::new()));

    let edit = |text: &str| Op::Edit { id: id.clone(), text: text.into(), complete: true };
    assert_eq!(shown(&local, &mut screen, edit("One two")).await.1, []);
    assert_eq!(
        shown(&local, &mut screen, edit("One two three")).await.1,
        [Shown::Grew { id: id.clone(), text: " three".into() }]
    );
    assert_eq!(
        shown(&local, &mut screen, edit("Four")).await.1,
        [Shown::Rewritten { id: id.clone(), text: "Four".into() }]
    );
    assert_eq!(local.context(&context(1).thread, 10).await.unwrap().pop().unwrap().text, "Four");
}

#[tokio::test]
async fn a_message_of_an_earlier_terminal_is_shown_again_whole() {
    let (local, mut screen) = conversation();
    assert_eq!(local.find(&context(1)).await.unwrap(), None);
    let append = Op::Append { id: "earlier".into(), text: " two".into() };
    let refused = local.perform(&context(1), &append).await.unwrap_err();
    assert!(matches!(refused, ReplyError::StreamClosed(_)), "{refused}");
    let edit = Op::Edit { id: "earlier".into(), text: "One two".into(), complete: true };
    assert_eq!(
        shown(&local, &mut screen, edit).await.1,
        [Shown::Begun { id: "earlier".into(), text: "One two".into() }]
    );
}

#[tokio::test]
async fn a_reaction_is_told_once() {
    let (local, mut screen) = conversation();
    let taken = listening(&local);
    local.say("thanks!", 7).await.unwrap();
    let message = taken.lock().unwrap()[0].message.clone().unwrap();
    for _ in 0..2 {
        local.react(&context(1).thread, &message, "tada").await.unwrap();
    }
    assert_eq!(screen.try_recv().unwrap(), Shown::Reacted { emoji: "tada".into() });
    assert!(screen.try_recv().is_err());
}

#[tokio::test]
async fn a_question_says_how_it_is_answered_and_is_told_once() {
    let (local, mut screen) = conversation();
    let choice = |id: &str| Choice { id: id.into(), label: String::new(), style: Style::Plain };
    let ask = Ask {
        reference: "approval.1f".into(),
        title: "May it?".into(),
        detail: "one\ntwo".into(),
        choices: vec![choice("approve"), choice("deny")],
    };
    let (receipt, told) = shown(&local, &mut screen, Op::Ask(ask.clone())).await;
    let [Shown::Asked { id, text }] = told.as_slice() else { unreachable!("{told:?}") };
    assert_eq!((id, text), (&receipt.id, &question(&ask)));
    assert_eq!(
        text,
        "May it?\n\n    one\n    two\n\nAnswer with /approve or /deny; where several questions are open, add approval.1f"
    );
    // After a restart of its instance it may be asked again, and stands there already.
    assert_eq!(shown(&local, &mut screen, Op::Ask(ask.clone())).await.1, []);
    let settle = Op::Settle { id: receipt.id.clone(), ask, outcome: "Denied".into() };
    let (_, told) = shown(&local, &mut screen, settle).await;
    assert_eq!(told, [Shown::Settled { id: receipt.id, outcome: "Denied".into() }]);

    let taken = listening(&local);
    let answer = local.answer("approval.1f", "deny", 7).await.unwrap();
    let events = taken.lock().unwrap().clone();
    assert_eq!((events.len(), events[0].id, &events[0].actor), (1, answer, &reveille_local::operator()));
    assert_eq!(events[0].kind, Kind::Action { reference: "approval.1f".into(), choice: "deny".into() });
}

/// Takes what is said, but for the word `full`.
#[derive(Clone, Default)]
struct Taken(Arc<Mutex<Vec<Event>>>);

#[async_trait]
impl Intake for Taken {
    async fn take(&self, inbound: Inbound, raw: Bytes) -> Result<(), NotTaken> {
        if raw == "full" {
            return Err(NotTaken);
        }
        let Inbound::Events(events) = inbound else { return Ok(()) };
        self.0.lock().unwrap().extend(events);
        Ok(())
    }
}

fn listening(local: &Arc<Local>) -> Arc<Mutex<Vec<Event>>> {
    let taken = Taken::default();
    let (local, intake) = (Arc::clone(local), taken.clone());
    tokio::spawn(async move { local.listen(&intake).await });
    taken.0
}

#[tokio::test]
async fn what_is_said_is_an_event_for_the_agent_once_it_is_taken() {
    let (local, _screen) = conversation();
    let taken = listening(&local);
    let id = local.say("hello", 7).await.unwrap();
    let stop = local.stop(8).await.unwrap();
    assert_eq!(local.say("full", 9).await, Err(NotTaken));
    let events = taken.lock().unwrap().clone();
    assert_eq!(events.iter().map(|event| event.id).collect::<Vec<_>>(), [id, stop]);
    assert_eq!(events[0].kind, Kind::Message { direct: true, in_thread: false });
    assert_eq!(events[0].facts["agent"], "assistant");
    assert_eq!(events[1].kind, Kind::Stop);
    assert_eq!((events[0].thread.key.as_str(), events[0].received_at_ms), ("default", 7));
}

#[test]
fn names_are_words_that_stay_themselves_in_an_address() {
    for good in ["default", "a", "Fix-7_b.2", &"x".repeat(64)] {
        assert!(is_name(good), "{good}");
    }
    for bad in ["", ".hidden", "a/b", "a b", "é", "-x", &"x".repeat(65)] {
        assert!(!is_name(bad), "{bad}");
    }
}
