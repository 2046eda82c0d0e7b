//! Routing and access as tables: each row is a sentence of the specification.

use std::collections::BTreeMap;
use std::path::Path;

use reveille_channel::{Actor, ActorKind, Change, Event, EventId, Kind, Role, ThreadRef};

use super::*;
use crate::agent::{self, Agent, Skills};
use crate::config::AccessDefault;
use crate::journal::Effect;
use crate::tool::{Class, ToolSpec};

fn agent(name: &str, lines: &str) -> Agent {
    let source = format!("---\ndescription: Helps.\n{lines}\n---\nHelp.\n");
    agent::parse(name, Path::new("AGENT.md"), &source, &Skills::default()).unwrap()
}

fn agents() -> Vec<Agent> {
    vec![
        agent("assistant", "wake: [{ slack: { mention: true } }, { github: { mention: true } }]"),
        agent("archivist", "wake: [{ slack: { mention: true, channels: [\"#general\"] } }]\ninstance: user"),
        agent(
            "triage",
            "wake: [{ github: { event: issues.opened, repositories: [\"acme/*\"] } }, { slack: { command: triage } }]\n\
             allow: { github: { users: [777] } }",
        ),
        agent("zoe", "wake: [{ slack-eu: { mention: true, direct: false } }, { github: { command: zoe } }]"),
    ]
}

fn event(platform: &str, kind: Kind, text: &str) -> Event {
    let github = platform == "github";
    let mentions = text.split_whitespace().filter_map(|word| word.strip_prefix('@')).map(str::to_owned).collect();
    let name = match (&kind, github) {
        (Kind::Opened, _) => "issues.opened",
        (Kind::Mention, false) => "app_mention",
        (_, true) => "issue_comment.created",
        (_, false) => "message",
    };
    Event {
        id: EventId::of(platform, "1"),
        connection: platform.to_owned(),
        platform: platform.split('-').next().unwrap().to_owned(),
        thread: ThreadRef {
            installation: "T1".into(),
            key: if github { "99:7" } else { "C1:1.2" }.into(),
            location: BTreeMap::from([("channel".to_owned(), "C1".to_owned())]),
            display: if github { "acme/app#7" } else { "#general" }.into(),
        },
        actor: Actor { id: "U1".into(), name: "ann".into(), kind: ActorKind::Human },
        kind,
        name: name.into(),
        text: text.to_owned(),
        attachments: Vec::new(),
        mentions,
        message: None,
        facts: BTreeMap::from([("repository".to_owned(), "Acme/App".to_owned())]),
        occurred_at_ms: 0,
        received_at_ms: 0,
        dedupe_keys: vec!["1".into()],
    }
}

fn shown(event: &Event) -> String {
    match route(event, Some("reveille-bot[bot]"), &agents()) {
        Ok(routed) => {
            let one = |routed: &Routed| {
                let known = if routed.target.only_if_known { " if known" } else { "" };
                format!("{:?} {}{known}", routed.because, routed.target.address)
            };
            routed.iter().map(one).collect::<Vec<_>>().join(" + ")
        }
        Err(unrouted) => format!("{unrouted:?}"),
    }
}

const DIRECT: Kind = Kind::Message { direct: true, in_thread: true };
const IN_THREAD: Kind = Kind::Message { direct: false, in_thread: true };
const IN_CHANNEL: Kind = Kind::Message { direct: false, in_thread: false };

#[test]
fn what_is_delegated_wakes_whoever_takes_it_and_a_prompt_goes_on_with_the_conversation() {
    let agents = [
        agent("assistant", "wake: [{ linear: { mention: true } }]"),
        agent("ticket", "wake: [{ linear: { delegate: true, teams: [eng] } }]"),
        agent("watcher", "wake: [{ linear: { event: Issue.update, label: bug } }]"),
    ];
    let linear = |kind: Kind, name: &str, facts: &[(&str, &str)]| {
        let mut event = event("linear", kind, "look at this");
        event.name = name.into();
        event.facts = facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let routed = route(&event, Some("assistant"), &agents).unwrap_or_default();
        let called: Vec<_> = agents.iter().filter(|agent| is_called(&event, Some("assistant"), agent)).collect();
        let names: Vec<String> = routed
            .iter()
            .map(|one| format!("{:?} {}{}", one.because, one.agent, if one.target.only_if_known { "?" } else { "" }))
            .collect();
        (names.join(" "), called.len())
    };
    let created = "AgentSessionEvent.created";
    let of = |kind, facts: &[(&str, &str)]| linear(kind, created, facts);
    assert_eq!(of(Kind::Assigned, &[("delegated", "true"), ("team", "ENG")]), ("Delegated ticket".into(), 1));
    assert_eq!(of(Kind::Assigned, &[("delegated", "true"), ("team", "OPS")]), (String::new(), 1));
    assert_eq!(of(Kind::Assigned, &[("team", "ENG")]), (String::new(), 0));
    assert_eq!(of(Kind::Mention, &[("team", "ENG")]), ("Mentioned assistant".into(), 3));
    assert_eq!(of(Kind::Opened, &[("delegated", "true"), ("team_id", "ENG")]), ("Delegated ticket".into(), 1));
    let prompted = |kind| linear(kind, "AgentSessionEvent.prompted", &[("team", "ENG")]).0;
    assert_eq!(prompted(IN_THREAD), "FollowUp assistant? FollowUp ticket?");
    assert_eq!(prompted(command("etc")), "FollowUp assistant? FollowUp ticket?");
    let stop = linear(Kind::Stop, "AgentSessionEvent.stop", &[("team", "ENG")]).0;
    assert_eq!(stop, "FollowUp assistant? FollowUp ticket?");
    let labelled = |label: &str| {
        linear(Kind::Labelled { label: label.into() }, "Issue.update", &[("team", "ENG"), ("label", label)]).0
    };
    assert_eq!((labelled("bug"), labelled("docs")), ("Event watcher".to_owned(), String::new()));
}

fn command(name: &str) -> Kind {
    Kind::Command { name: name.into(), args: String::new() }
}

#[test]
fn each_event_goes_to_the_agents_its_words_and_their_rules_say() {
    let rows = [
        // Slack: a mention is one of the bot, and the words in it choose among its agents.
        ("slack", Kind::Mention, "hello", "Mentioned assistant/slack/T1/C1:1.2"),
        ("slack", Kind::Mention, "Archivist, find it", "Named archivist/slack/T1/user:U1"),
        ("slack", Kind::Mention, "please @archivist find it", "Named archivist/slack/T1/user:U1"),
        ("slack", Kind::Mention, "triage this", "Mentioned assistant/slack/T1/C1:1.2"),
        ("slack", Kind::Mention, "@zoe hello", "Mentioned assistant/slack/T1/C1:1.2"),
        ("slack-eu", Kind::Mention, "@zoe hello", "Named zoe/slack-eu/T1/C1:1.2"),
        ("slack", DIRECT, "hello", "Direct assistant/slack/T1/C1:1.2"),
        ("slack-eu", DIRECT, "@zoe hello", "Direct assistant/slack-eu/T1/C1:1.2"),
        ("slack", IN_THREAD, "and this?", "FollowUp assistant/slack/T1/C1:1.2 if known"),
        (
            "slack-eu",
            IN_THREAD,
            "and this?",
            "FollowUp assistant/slack-eu/T1/C1:1.2 if known + FollowUp zoe/slack-eu/T1/C1:1.2 if known",
        ),
        ("slack", IN_CHANNEL, "lunch?", "NotCalled"),
        ("slack", command("triage"), "", "Command triage/slack/T1/C1:1.2"),
        ("slack", command("deploy"), "", "Event"),
        // What is about something said before is for whoever heard that.
        (
            "slack",
            Kind::Edited,
            "@assistant hello",
            "FollowUp assistant/slack/T1/C1:1.2 if known + FollowUp archivist/slack/T1/user:U1 if known + FollowUp triage/slack/T1/C1:1.2 if known",
        ),
        (
            "slack",
            Kind::Stop,
            "",
            "FollowUp assistant/slack/T1/C1:1.2 if known + FollowUp archivist/slack/T1/user:U1 if known + FollowUp triage/slack/T1/C1:1.2 if known",
        ),
        ("slack", Kind::Reaction { emoji: "eyes".into() }, "", "Event"),
        ("slack", Kind::Lifecycle { change: Change::Installed }, "", "Event"),
        // GitHub: a mention may be anybody's.
        ("github", Kind::Mention, "@reveille-bot summarise", "Mentioned assistant/github/T1/99:7"),
        ("github", Kind::Mention, "@Assistant summarise", "Named assistant/github/T1/99:7"),
        ("github", Kind::Mention, "@bob what do you think?", "FollowUp assistant/github/T1/99:7 if known"),
        ("github", Kind::Mention, "@triage look", "FollowUp assistant/github/T1/99:7 if known"),
        ("github", IN_THREAD, "fixed now", "FollowUp assistant/github/T1/99:7 if known"),
        ("github", Kind::Opened, "It crashes", "Event triage/github/T1/99:7"),
        (
            "github",
            Kind::Opened,
            "It crashes @assistant",
            "Event triage/github/T1/99:7 + Named assistant/github/T1/99:7",
        ),
        ("github", command("zoe"), "/zoe go", "Command zoe/github/T1/99:7"),
        ("github", command("usr"), "/usr/bin is empty", "FollowUp assistant/github/T1/99:7 if known"),
        ("github", command("usr"), "@assistant /usr is empty", "Named assistant/github/T1/99:7"),
        ("github", Kind::Assigned, "", "Event"),
        // Elsewhere.
        ("discord", Kind::Mention, "hello", "Place"),
    ];
    for (platform, kind, text, expected) in rows {
        let event = event(platform, kind.clone(), text);
        assert_eq!(shown(&event), expected, "{platform} {kind:?} {text:?}");
    }
}

#[test]
fn a_rule_holds_only_in_its_channels_and_repositories() {
    let mut elsewhere = event("slack", Kind::Mention, "archivist find it");
    elsewhere.thread.display = "#random".into();
    assert_eq!(shown(&elsewhere), "Mentioned assistant/slack/T1/C1:1.2");
    let mut other = event("github", Kind::Opened, "It crashes");
    for (repository, expected) in
        [("acme/app", "Event triage/github/T1/99:7"), ("evil/acme", "Event"), ("acme/app/x", "Event")]
    {
        other.facts.insert("repository".into(), repository.into());
        assert_eq!(shown(&other), expected, "{repository}");
    }
    let labels = [agent("bugs", "wake: { github: { event: issues.labeled, label: bug } }")];
    for (label, is_routed) in [("Bug", true), ("bugs", false)] {
        let mut labelled = event("github", Kind::Labelled { label: label.into() }, "");
        labelled.name = "issues.labeled".into();
        assert_eq!(route(&labelled, None, &labels).is_ok(), is_routed, "{label}");
    }
}

#[test]
fn a_program_wakes_nobody_who_does_not_name_it() {
    let mut event = event("github", Kind::Opened, "It crashes");
    event.actor.kind = ActorKind::Bot;
    assert_eq!(shown(&event), "Bot");
    event.actor.id = "777".into();
    assert_eq!(shown(&event), "Event triage/github/T1/99:7");
}

#[test]
fn no_word_of_a_platform_can_pass_for_a_part_of_an_address() {
    let mut event = event("slack", Kind::Mention, "hello");
    event.thread.installation = "T1/C9:9".into();
    event.thread.key = "../x%2F\u{e9}".into();
    assert_eq!(shown(&event), "Mentioned assistant/slack/T1%2FC9:9/..%2Fx%252F%C3%A9");
}

#[test]
fn an_instance_for_more_than_a_thread_takes_no_follow_ups_whatever_its_rule_says() {
    let mut everywhere = agent("archivist", "wake: { slack: { mention: true } }\ninstance: user");
    everywhere.wake[0].follow_up = true;
    assert_eq!(route(&event("slack", IN_THREAD, "and this?"), None, &[everywhere]), Err(Unrouted::NotCalled));
}

/// What `allow:` may say, what it demands of those who are not named, and whether it names `U1`.
fn lists() -> Vec<(&'static str, Option<Demand>, bool)> {
    vec![
        ("", None, false),
        ("allow: { github: { everyone: true } }", None, false),
        ("allow: { slack: {} }", Some(Demand::Named), false),
        ("allow: { slack: { users: [U2] } }", Some(Demand::Named), false),
        ("allow: { slack: { users: [U1] } }", Some(Demand::Named), true),
        ("allow: { slack: { users: [U1], role: admin } }", Some(Demand::Role(Role::Admin)), true),
        ("allow: { slack: { role: guest } }", Some(Demand::Role(Role::Guest)), false),
        ("allow: { slack: { role: member } }", Some(Demand::Role(Role::Member)), false),
        ("allow: { slack: { role: admin } }", Some(Demand::Role(Role::Admin)), false),
        ("allow: { slack: { everyone: true } }", Some(Demand::Nothing), false),
        ("allow: { slack: { everyone: true, role: admin } }", Some(Demand::Nothing), false),
        ("allow: { slack: { everyone: true }, slack-eu: {} }", Some(Demand::Nothing), false),
    ]
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Demand {
    Nothing,
    Role(Role),
    Named,
}

#[test]
fn every_kind_of_event_is_judged_alike_and_nothing_is_allowed_that_no_rule_allows() {
    let kinds = [
        Kind::Mention,
        DIRECT,
        IN_THREAD,
        IN_CHANNEL,
        command("triage"),
        Kind::Opened,
        Kind::Edited,
        Kind::Deleted,
        Kind::Reaction { emoji: "eyes".into() },
        Kind::Labelled { label: "bug".into() },
        Kind::Assigned,
        Kind::Lifecycle { change: Change::Removed },
        Kind::Action { reference: "r".into(), choice: "yes".into() },
        Kind::Form { name: "f".into(), fields: BTreeMap::new() },
        Kind::Review { state: "approved".into() },
        Kind::Stop,
        Kind::Other,
    ];
    let answers = [Role::None, Role::External, Role::Guest, Role::Member, Role::Admin].map(RoleAnswer::Known);
    let answers = answers.into_iter().chain([RoleAnswer::NotAsked, RoleAnswer::Failed]).collect::<Vec<_>>();
    let mut judged = 0;
    for (lines, demand, is_named) in lists() {
        let agent = agent("triage", &format!("wake: {{ slack: {{ command: triage, mention: true }} }}\n{lines}"));
        for default in [AccessDefault::Nobody, AccessDefault::Members, AccessDefault::Everyone] {
            let demand = demand.unwrap_or(match default {
                AccessDefault::Nobody => Demand::Named,
                AccessDefault::Members => Demand::Role(Role::Member),
                AccessDefault::Everyone => Demand::Nothing,
            });
            for actor in [ActorKind::Human, ActorKind::External, ActorKind::Bot] {
                for role in &answers {
                    for kind in &kinds {
                        let mut event = event("slack", kind.clone(), "hello");
                        event.actor.kind = actor;
                        let question =
                            Question { agent: &agent, event: &event, own_handle: None, role: *role, default };
                        let decision = decide(&question);
                        let row = format!("{lines:?} {default:?} {actor:?} {role:?} {kind:?}: {decision:?}");
                        judged += 1;

                        let is_enough = |least| matches!(role, RoleAnswer::Known(role) if *role >= least);
                        let may = is_named
                            || match (actor, demand) {
                                (ActorKind::Bot, _) | (_, Demand::Named) => false,
                                (_, Demand::Nothing) => true,
                                (ActorKind::External, Demand::Role(_)) => false,
                                (ActorKind::Human, Demand::Role(least)) => is_enough(least),
                            };
                        match decision {
                            Decision::Allow { .. } => assert!(may, "{row}"),
                            Decision::Deny { notice, .. } => {
                                assert!(!may, "{row}");
                                // Whoever answers a question wants to know whether it counted.
                                let is_called =
                                    matches!(kind, Kind::Mention | Kind::Command { .. } | Kind::Action { .. })
                                        || *kind == DIRECT;
                                assert_eq!(notice.is_some(), is_called && actor != ActorKind::Bot, "{row}");
                            }
                            Decision::AskRole => {
                                let could = matches!(demand, Demand::Role(_)) && actor == ActorKind::Human;
                                assert!(*role == RoleAnswer::NotAsked && could && !is_named, "{row}");
                            }
                        }
                    }
                }
            }
        }
    }
    assert_eq!(judged, 12 * 3 * 3 * 7 * 17);
}

#[test]
fn a_name_that_looks_like_an_allowed_id_opens_nothing() {
    let agent = agent("triage", "wake: { slack: { mention: true } }\nallow: { slack: { users: [U9] } }");
    let mut event = event("slack", Kind::Mention, "hello");
    event.actor.name = "U9".into();
    let role = RoleAnswer::Known(Role::Admin);
    let question = Question { agent: &agent, event: &event, own_handle: None, role, default: AccessDefault::Everyone };
    assert!(matches!(decide(&question), Decision::Deny { rule: "allow.users", .. }));
}

#[test]
fn a_connections_own_list_comes_before_the_platforms() {
    let lines = "wake: { slack: { mention: true } }\nallow: { slack: { everyone: true }, slack-eu: {} }";
    let agent = agent("triage", lines);
    let allowed = |platform| {
        let event = event(platform, Kind::Mention, "hello");
        let role = RoleAnswer::NotAsked;
        let default = AccessDefault::Everyone;
        matches!(
            decide(&Question { agent: &agent, event: &event, own_handle: None, role, default }),
            Decision::Allow { .. }
        )
    };
    assert!(allowed("slack"));
    assert!(!allowed("slack-eu"));
}

#[test]
fn a_stranger_who_mentions_somebody_else_on_github_is_not_told_off() {
    let agent = agent("assistant", "wake: { github: { mention: true } }\nallow: { github: {} }");
    for (text, is_told) in [("@bob hi", false), ("@assistant hi", true), ("@reveille-bot hi", true)] {
        let event = event("github", Kind::Mention, text);
        let question = Question {
            agent: &agent,
            event: &event,
            own_handle: Some("reveille-bot"),
            role: RoleAnswer::NotAsked,
            default: AccessDefault::Everyone,
        };
        let Decision::Deny { notice, .. } = decide(&question) else { panic!("{text}") };
        assert_eq!(notice.is_some(), is_told, "{text}");
    }
}

#[test]
fn a_tool_is_allowed_by_the_turns_definition_and_by_the_one_that_holds_now() {
    let kept = agent("triage", "tools: [github.*, clock.now]");
    let narrower = agent("triage", "tools: [github.get_issue]");
    let wider = agent("triage", "tools: [github.*, clock.now, thread.react]");
    let allows = |current: Option<&Agent>, tool| matches!(decide_tool(&kept, current, tool), Decision::Allow { .. });
    assert!(allows(Some(&kept), "github.comment") && allows(Some(&kept), "clock.now"));
    assert!(!allows(Some(&kept), "thread.react") && !allows(Some(&kept), "github") && !allows(Some(&kept), ""));
    assert!(!allows(Some(&narrower), "github.comment") && allows(Some(&narrower), "github.get_issue"));
    assert!(!allows(Some(&wider), "thread.react"));
    assert!(!allows(None, "clock.now"));
}

fn tool(name: &'static str, class: Class) -> ToolSpec {
    ToolSpec {
        name,
        description: "Does it.",
        parameters: serde_json::Value::Null,
        returns: None,
        effect: Effect::Once,
        class,
        platform: None,
        deadline: std::time::Duration::from_secs(1),
        output_bytes: 100,
    }
}

#[test]
fn a_call_waits_for_a_person_where_either_definition_or_the_tools_own_class_says_so() {
    let plain = agent("triage", "tools: [github.*, slack.*]");
    let asks = agent("triage", "tools: [github.*, slack.*]\napprove: [github.update_issue, slack.*]");
    let update = tool("github.update_issue", Class::WriteInternal);
    assert!(!needs_approval(&plain, Some(&plain), &update) && !needs_approval(&plain, None, &update));
    assert!(needs_approval(&asks, Some(&asks), &update));
    // What is made stricter holds at once, and what is made laxer from the next turn.
    assert!(needs_approval(&plain, Some(&asks), &update));
    assert!(needs_approval(&asks, Some(&plain), &update) && needs_approval(&asks, None, &update));
    assert!(needs_approval(&asks, Some(&asks), &tool("slack.post_message", Class::Egress)));
    assert!(!needs_approval(&asks, Some(&asks), &tool("github.update_issues", Class::Egress)));
    assert!(!needs_approval(&asks, Some(&asks), &tool("slackx.post_message", Class::ReadTrusted)));
    // Whatever nobody classed is of the worst class.
    assert!(needs_approval(&plain, Some(&plain), &tool("mcp.x", Class::default())));
}

/// An answer by `U1` to a question that `U2`'s message led to.
fn answer(actor: ActorKind) -> Event {
    let mut event = event("slack", Kind::Action { reference: "approval.1".into(), choice: "approve".into() }, "");
    event.actor.kind = actor;
    event
}

fn decided(agent: &Agent, event: &Event, four_eyes: bool, role: RoleAnswer, default: AccessDefault) -> Decision {
    decide_approval(&ApprovalQuestion { agent, event, requesters: &["U2".to_owned()], four_eyes, role, default })
}

#[test]
fn an_approval_counts_from_whom_the_approvers_name_and_else_from_whom_the_agent_listens_to_but_strangers() {
    let approvers =
        |list: &str| format!("approvers: {{ {list} }}\nallow: {{ slack: {{ everyone: true, users: [U1] }} }}");
    let rows = [
        (approvers("slack: {}"), Demand::Named, false),
        (approvers("slack: { users: [U1] }"), Demand::Named, true),
        (approvers("slack: { users: [U2, U3] }"), Demand::Named, false),
        (approvers("slack: { role: admin }"), Demand::Role(Role::Admin), false),
        (approvers("slack: { role: admin, users: [U1] }"), Demand::Role(Role::Admin), true),
        (approvers("slack: { role: admin }, slack-eu: { everyone: true }"), Demand::Role(Role::Admin), false),
        (approvers("slack: { everyone: true }"), Demand::Nothing, false),
        // Not for this place: whoever may wake it.
        (approvers("github: { permission: admin }"), Demand::Role(Role::Member), true),
        ("allow: { slack: { role: guest } }".into(), Demand::Role(Role::Guest), false),
        ("allow: { slack: { users: [U9] } }".into(), Demand::Named, false),
        ("allow: { slack: { users: [U1] } }".into(), Demand::Named, true),
        // Where anybody may ask, members may agree.
        ("allow: { slack: { everyone: true } }".into(), Demand::Role(Role::Member), false),
    ];
    let answers = [Role::None, Role::External, Role::Guest, Role::Member, Role::Admin].map(RoleAnswer::Known);
    let answers = answers.into_iter().chain([RoleAnswer::NotAsked, RoleAnswer::Failed]).collect::<Vec<_>>();
    let mut judged = 0;
    let mut judge = |lines: &str, demand: Demand, is_named: bool, default: AccessDefault| {
        let agent = agent("triage", lines);
        for actor in [ActorKind::Human, ActorKind::External, ActorKind::Bot] {
            for role in &answers {
                let decision = decided(&agent, &answer(actor), false, *role, default);
                let row = format!("{lines:?} {default:?} {actor:?} {role:?}: {decision:?}");
                judged += 1;
                let may = actor != ActorKind::Bot
                    && (is_named
                        || match (actor, demand) {
                            (_, Demand::Nothing) => true,
                            (ActorKind::Human, Demand::Role(least)) => {
                                matches!(role, RoleAnswer::Known(role) if *role >= least)
                            }
                            _ => false,
                        });
                match decision {
                    Decision::Allow { .. } => assert!(may, "{row}"),
                    Decision::AskRole => assert!(
                        *role == RoleAnswer::NotAsked
                            && matches!(demand, Demand::Role(_))
                            && actor == ActorKind::Human
                            && !is_named,
                        "{row}"
                    ),
                    Decision::Deny { notice, .. } => {
                        assert!(!may, "{row}");
                        assert_eq!(notice.is_some(), actor != ActorKind::Bot, "{row}");
                    }
                }
            }
        }
    };
    for (lines, demand, is_named) in &rows {
        judge(lines, *demand, *is_named, AccessDefault::Everyone);
    }
    judge("", Demand::Role(Role::Member), false, AccessDefault::Everyone);
    judge("", Demand::Role(Role::Member), false, AccessDefault::Members);
    judge("", Demand::Named, false, AccessDefault::Nobody);
    assert_eq!(judged, 15 * 3 * 7);
}

#[test]
fn nothing_but_an_answer_to_the_question_approves() {
    let agent = agent("triage", "approvers: { slack: { everyone: true, users: [U1] } }");
    let kinds = [
        Kind::Mention,
        DIRECT,
        IN_THREAD,
        IN_CHANNEL,
        command("approve"),
        Kind::Opened,
        Kind::Edited,
        Kind::Reaction { emoji: "+1".into() },
        Kind::Form { name: "approve".into(), fields: BTreeMap::new() },
        Kind::Review { state: "approved".into() },
        Kind::Feedback { positive: true },
        Kind::Other,
    ];
    for kind in kinds {
        let said = Event { kind: kind.clone(), text: "approve".into(), ..answer(ActorKind::Human) };
        let at_the_terminal = Event { text: "approve".into(), ..at_the_terminal("triage", kind) };
        for event in [said, at_the_terminal] {
            let decision = decided(&agent, &event, false, RoleAnswer::Known(Role::Admin), AccessDefault::Everyone);
            assert_eq!(decision, Decision::Deny { rule: "approval.no_answer", notice: None }, "{event:?}");
        }
    }
}

#[test]
fn with_four_eyes_the_requester_agrees_to_nothing_wherever_they_answer_from() {
    let agent = agent("triage", "approvers: { slack: { users: [U1, U2] } }");
    let role = RoleAnswer::Known(Role::Admin);
    let by = |actor: &str, mut event: Event, four_eyes| {
        event.actor.id = actor.into();
        match decided(&agent, &event, four_eyes, role, AccessDefault::Everyone) {
            Decision::Allow { rule } | Decision::Deny { rule, .. } => rule,
            Decision::AskRole => "asks",
        }
    };
    let press = || answer(ActorKind::Human);
    let typed = || at_the_terminal("triage", press().kind);
    assert_eq!(by("U1", press(), true), "approvers.users");
    assert_eq!(by("U2", press(), true), "approval.four_eyes");
    assert_eq!(by("U2", press(), false), "approvers.users");
    assert_eq!(by("operator", typed(), true), "local.operator");
    assert_eq!(by("U2", typed(), true), "approval.four_eyes");
    // A name is no id.
    let mut renamed = press();
    renamed.actor.name = "U2".into();
    assert_eq!(by("U1", renamed, true), "approvers.users");
}

#[test]
fn whoever_may_not_approve_is_told_that_the_question_is_still_open() {
    let agent = agent("triage", "approvers: { slack: { role: admin } }");
    let notice = |role| match decided(&agent, &answer(ActorKind::Human), false, role, AccessDefault::Everyone) {
        Decision::Deny { notice, .. } => notice.unwrap(),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        notice(RoleAnswer::Known(Role::Member)),
        "Sorry, this question is not yours to answer. It is still open."
    );
    assert!(notice(RoleAnswer::Failed).contains("try again"));
}

#[test]
fn what_is_reached_is_what_the_turns_definition_and_the_one_that_holds_now_both_name() {
    let kept = agent("triage", "reach: { github: [acme/app, acme/site], github-eu: [acme/eu] }");
    let now = agent("triage", "reach: { github: [Acme/App, acme/more] }");
    let names = |current: Option<&Agent>| {
        let reach = decide_reach(&kept, current);
        reach.into_iter().map(|one| format!("{}: {}", one.on, one.places.join(" "))).collect::<Vec<_>>()
    };
    assert_eq!(names(Some(&kept)), ["github: acme/app acme/site", "github-eu: acme/eu"]);
    assert_eq!(names(Some(&now)), ["github: acme/app"]);
    assert_eq!(names(Some(&agent("triage", ""))), Vec::<String>::new());
    assert_eq!(names(None), Vec::<String>::new());
}

#[test]
fn what_is_about_an_earlier_message_is_work_only_for_an_agent_that_waits_for_it() {
    let plain = agent("triage", "wake: { slack: { mention: true } }");
    let waiting = agent("triage", "wake: { slack: { mention: true, events: [message_changed, message_deleted] } }");
    let of = |kind: Kind, name: &str| {
        let mut event = event("slack", kind, "hello");
        event.name = name.into();
        event.message = Some("1.2".into());
        event
    };
    let edited = of(Kind::Edited, "message_changed");
    assert_eq!(meaning(&edited, &plain), Meaning::Edited("1.2"));
    assert_eq!(meaning(&edited, &waiting), Meaning::Work);
    let deleted = of(Kind::Deleted, "message_deleted");
    assert_eq!(meaning(&deleted, &plain), Meaning::Deleted("1.2"));
    assert_eq!(meaning(&deleted, &waiting), Meaning::Work);
    assert_eq!(meaning(&of(Kind::Stop, "stop"), &plain), Meaning::Stop);
    let stray = of(Kind::Action { reference: "r".into(), choice: "yes".into() }, "block_actions");
    assert_eq!(meaning(&stray, &plain), Meaning::Stray);
    assert_eq!(meaning(&of(Kind::Mention, "app_mention"), &plain), Meaning::Work);
}

#[test]
fn the_shipped_agents_wake_where_they_should() {
    let loaded = agent::load_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("agents"));
    let rows = [
        ("slack", Kind::Mention, "what can you do?", vec!["assistant"]),
        ("slack", DIRECT, "what can you do?", vec!["assistant"]),
        // Whichever of them is in that thread.
        ("slack", IN_THREAD, "and then?", vec!["assistant", "ops"]),
        ("slack", IN_CHANNEL, "lunch?", vec![]),
        ("slack", command("ops"), "web is slow", vec!["ops"]),
        ("github", Kind::Mention, "@assistant summarise this", vec!["assistant"]),
        ("github", Kind::Opened, "It crashes", vec!["triage"]),
        ("github", IN_THREAD, "me too", vec!["assistant"]),
        // Only those that heard what it was before.
        ("github", Kind::Edited, "It crashes", vec![]),
    ];
    for (platform, kind, text, expected) in rows {
        let routed = route(&event(platform, kind.clone(), text), None, &loaded.agents).unwrap_or_default();
        let hears = |routed: &&Routed| kind != Kind::Edited || !routed.target.only_if_known;
        let names: Vec<_> = routed.iter().filter(hears).map(|routed| routed.agent.as_str()).collect();
        assert_eq!(names, expected, "{platform} {kind:?}");
    }
    // Strangers open issues; what else they may do is not triage's to say.
    let triage = loaded.agents.iter().find(|agent| agent.name == "triage").unwrap();
    let opened = event("github", Kind::Opened, "It crashes");
    let role = RoleAnswer::NotAsked;
    let question = Question { agent: triage, event: &opened, own_handle: None, role, default: AccessDefault::Nobody };
    assert_eq!(decide(&question), Decision::Allow { rule: "allow.everyone" });
}

/// An event as the terminal's adapter makes it.
fn at_the_terminal(chosen: &str, kind: Kind) -> Event {
    let mut event = event("local", kind, "hello");
    event.thread.installation = "terminal".into();
    event.thread.key = "default".into();
    event.facts = BTreeMap::from([("agent".to_owned(), chosen.to_owned())]);
    event
}

#[test]
fn the_person_at_the_terminal_reaches_the_agent_they_named_whatever_its_file_says() {
    // `archivist` is one per person elsewhere: here the conversation's name says which it is.
    for (chosen, expected) in [
        ("assistant", "Chosen assistant/local/terminal/default"),
        ("archivist", "Chosen archivist/local/terminal/default"),
        ("nobody", "Agent"),
    ] {
        assert_eq!(shown(&at_the_terminal(chosen, DIRECT)), expected);
        assert_eq!(shown(&at_the_terminal(chosen, Kind::Stop)), expected);
    }
    let closed = agent("assistant", "allow: { local: {} }");
    let event = at_the_terminal("assistant", DIRECT);
    let question = |event| Question {
        agent: &closed,
        event,
        own_handle: None,
        role: RoleAnswer::NotAsked,
        default: AccessDefault::Nobody,
    };
    assert_eq!(decide(&question(&event)), Decision::Allow { rule: "local.operator" });
}

#[test]
fn no_platform_can_pass_for_the_terminal() {
    let disguises: [fn(&mut Event); 3] = [
        |event| event.platform = "slack".into(),
        |event| event.connection = "slack".into(),
        |event| event.thread.installation = "T1".into(),
    ];
    let agent = agent("assistant", "wake: { slack: { mention: true } }");
    for (index, disguise) in disguises.iter().enumerate() {
        let mut event = at_the_terminal("archivist", DIRECT);
        disguise(&mut event);
        assert!(!shown(&event).starts_with("Chosen"), "{index}");
        let role = RoleAnswer::NotAsked;
        let question =
            Question { agent: &agent, event: &event, own_handle: None, role, default: AccessDefault::Nobody };
        assert!(matches!(decide(&question), Decision::Deny { rule: "access.default", .. }), "{index}");
    }
}
