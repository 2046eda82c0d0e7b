//! What a person who writes agent files sees.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use miette::{GraphicalReportHandler, GraphicalTheme};
use reveille_channel::Role;

use super::*;
use crate::journal::Concurrency;

fn skill(name: &str) -> Skill {
    Skill { name: name.into(), description: "Know-how.".into(), body: "Do it.".into() }
}

fn parse_here(source: &str) -> Result<Agent, Vec<AgentError>> {
    let skills = Skills { own: Vec::new(), shared: vec![skill("reproduce-bug")], broken: vec!["half-done".into()] };
    parse("triage", Path::new("agents/triage/AGENT.md"), source, &skills)
}

fn with(lines: &str) -> String {
    format!("---\ndescription: Triages.\n{lines}\n---\nYou triage.\n")
}

#[test]
fn everything_an_agent_can_say_is_understood() {
    let agent = parse_here(
        r##"---
name: triage
description: Reproduces and labels new bug reports.
model: anthropic/claude-sonnet-4-6        # a comment
fallbacks: [openrouter/meta/llama-4, "ollama/qwen3"]
instance: user
wake:
  - github: { event: issues.opened, repositories: ["acme/*"], label: bug }
  - slack: { mention: true, command: /triage, channels: ["#support"], follow_up: false }
  - slack-eu: { direct: true }
skills: reproduce-bug
tools: [github.*, thread.history]
codemode: true
approve: [github.update_issue, thread.*]
approvers: { github: { permission: admin }, slack: { users: [U012AB3CD] } }
approval: { minutes: 60, four_eyes: true }
allow: { slack: { users: [U012AB3CD, B0BOT1], role: guest }, github: { permission: write, users: [583231] } }
reach: { github: [acme/app, other/site.js], github-eu: acme/eu }
budget: { turn_minutes: 30, turn_tokens: 1000000, turn_tool_calls: 0, turn_model_calls: 7, attempts: 5 }
concurrency: interrupt
max_tokens: 4096
temperature: 1
window_tokens: 32000
---

You triage bug reports.

---
Still the text.
"##,
    )
    .unwrap();
    insta::assert_json_snapshot!(agent);
    assert!(agent.may_use("github.comment") && agent.may_use("thread.history"));
    assert!(!agent.may_use("thread.react") && !agent.may_use("github") && !agent.may_use("githubx.comment"));
}

#[test]
fn what_an_agent_does_not_say_has_a_documented_default() {
    let agent = parse_here(&with("wake: { slack: { mention: true } }")).unwrap();
    assert_eq!(agent.models, []);
    assert_eq!(agent.scope, Scope::Thread);
    assert_eq!(agent.limits, DEFAULT_LIMITS);
    assert_eq!(agent.limits.concurrency, Concurrency::Steer);
    assert_eq!(agent.tools, Vec::<String>::new());
    assert_eq!(agent.allow, []);
    assert_eq!(agent.temperature, None);
    assert!(!agent.codemode && agent.approve.is_empty() && agent.approvers.is_empty());
    assert_eq!(agent.approval, ApprovalRules { minutes: 15, four_eyes: false });
    let rule = WakeRule { on: "slack".into(), mention: true, direct: true, follow_up: true, ..WakeRule::default() };
    assert_eq!(agent.wake, [rule]);
    let github = parse_here(&with("wake: [{ github: { mention: true } }]")).unwrap();
    assert!(!github.wake[0].direct && github.wake[0].follow_up);
}

#[test]
fn each_mistake_is_shown_where_it_is_with_what_to_write_instead() {
    let mistakes = [
        ("an unknown key", with("tolos: [github.get_issue]")),
        ("a key in another case", with("Model: a/b")),
        ("an unknown tool", with("tools: [github.get_isue]")),
        ("an unknown family of tools", with("tools: [gihub.*]")),
        ("every tool at once", with("tools: [\"*\"]")),
        ("a tool of a later version", with("tools: [mcp.*]")),
        ("a model without its table", with("model: claude-sonnet-4-6")),
        ("fallbacks without a model", with("fallbacks: [openai/gpt-5]")),
        ("an unknown kind of instance", with("instance: treads")),
        ("an unknown concurrency", with("concurrency: stear")),
        ("channels on GitHub", with("wake:\n  - github: { mention: true, channels: [\"#a\"] }")),
        ("repositories on Slack", with("wake:\n  - slack: { mention: true, repositories: [acme/app] }")),
        ("repositories on Discord", with("wake:\n  - discord: { mention: true, repositories: [acme/app] }")),
        ("an unknown event of Discord", with("wake:\n  - discord: { event: MESSAGE_CREATED }")),
        ("a user by name on Discord", with("allow: { discord: { users: [ann] } }")),
        ("delegation on Slack", with("wake:\n  - slack: { delegate: true }")),
        ("channels on Linear", with("wake:\n  - linear: { delegate: true, channels: [\"#a\"] }")),
        ("an unknown event of Linear", with("wake:\n  - linear: { event: Issue.created }")),
        ("a user by name on Linear", with("allow: { linear: { users: [ann] } }")),
        ("a command with spaces", with("wake:\n  - slack: { command: /triage this }")),
        ("an unknown event", with("wake:\n  - github: { event: issues.open }")),
        ("a rule that wakes on nothing", with("wake:\n  - github: { label: bug }")),
        ("an unknown key of a rule", with("wake:\n  - slack: { mentions: true }")),
        ("two platforms in one rule", with("wake:\n  - slack: { mention: true }\n    github: { mention: true }")),
        ("every conversation", with("wake:\n  - slack: { mention: true, follow_up: true }\ninstance: user")),
        ("a repository without owner", with("wake:\n  - github: { mention: true, repositories: [app] }")),
        ("an unknown skill", with("skills: [reproduce-bugs]")),
        ("a skill with mistakes", with("skills: [half-done]")),
        ("a user by name on GitHub", with("allow: { github: { users: [octocat] } }")),
        ("a user by name on Slack", with("allow: { slack: { users: [\"@ann\"] } }")),
        ("an unknown permission", with("allow: { github: { permission: wirte } }")),
        ("a role on GitHub", with("allow: { github: { role: member } }")),
        ("a reach on Slack", with("reach: { slack: [acme/app] }")),
        ("a pattern for a reach", with("reach: { github: [\"acme/*\"] }")),
        ("no repository for a reach", with("reach: { github: [acme, acme/../x, acme/app, Acme/App] }")),
        ("groups", with("allow: { slack: { usergroups: [S0123] } }")),
        ("text for code mode", with("codemode: on")),
        ("an approval of no tool", with("tools: [github.*]\napprove: [github.update_isue]")),
        ("an approval of every tool", with("tools: [github.*]\napprove: [\"*\"]")),
        ("an approval of a tool it has not", with("approve: [github.comment]\ntools: [github.get_issue]")),
        (
            "an approval of a tool near one it has",
            with("approve: [github.list_pulls]\ntools: [github.list_labels, github.get_pull]"),
        ),
        ("an approver by name", with("approvers: { github: { users: [octocat] } }")),
        ("an unknown rule of approval", with("approval: { minute: 5 }")),
        ("an approval for ever", with("approval: { minutes: 43201 }")),
        ("money", with("budget: { day_usd: 20 }")),
        ("an unknown budget", with("budget: { turn_minute: 5 }")),
        ("a number out of range", with("budget: { turn_minutes: 0 }")),
        ("text for a number", with("max_tokens: many")),
        ("a hot temperature", with("temperature: 2.5")),
        ("an answer larger than the window", with("window_tokens: 8000")),
        ("something twice in a list", with("tools: [clock.now, clock.now]")),
        ("a list where text belongs", with("instance: [thread]")),
        ("text where a map belongs", with("budget: large")),
        ("text where a flag belongs", with("wake:\n  - slack: { mention: yes }")),
        ("a key twice", with("instance: user\ninstance: thread")),
        ("an open bracket", with("tools: [clock.now\ninstance: thread")),
        ("an unquoted at sign", with("name: @triage")),
        ("a key that is no text", with("1: 2")),
        ("another name than the folder's", with("name: tirage")),
        ("no description", "---\nname: triage\n---\nYou triage.\n".into()),
        ("no front matter", "You triage.\n".into()),
        ("no end of the front matter", "---\ndescription: Triages.\nYou triage.\n".into()),
        ("no text", "---\ndescription: Triages.\n---\n\n".into()),
        ("several mistakes at once", "---\r\nname: \"t\u{e9}\"\r\ntool: [x]\r\n---\r\n".into()),
    ];
    let printer = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(110);
    let mut page = String::new();
    for (title, source) in mistakes {
        let errors = parse_here(&source).expect_err(title);
        writeln!(page, "# {title}\n").unwrap();
        for error in errors {
            printer.render_report(&mut page, &error).unwrap();
            page.push('\n');
        }
    }
    insta::assert_snapshot!(page);
}

#[test]
fn a_folder_whose_name_cannot_be_an_address_is_refused() {
    for name in ["Triage", "a b", "a/b", "", "caf\u{e9}", &"a".repeat(65)] {
        let errors = parse(name, Path::new("AGENT.md"), &with(""), &Skills::default()).unwrap_err();
        assert_eq!(errors[0].message, format!("`{name}` cannot name an agent"));
    }
}

#[test]
fn a_turn_gets_back_the_definition_it_started_with() {
    let agent = parse_here(&with("skills: [reproduce-bug]\nallow: { github: { permission: read } }")).unwrap();
    let again = Agent::from_bundle(&agent.bundle()).unwrap();
    assert_eq!(again, agent);
    assert_eq!(again.allow[0].role, Some(Role::Guest));
    let other = parse_here(&with("")).unwrap();
    assert_ne!(other.hash, agent.hash);
    let newer = agent.bundle().replace("\"version\":1", "\"version\":2");
    assert!(Agent::from_bundle(&newer).unwrap_err().to_string().contains("version 2"));
    assert!(Agent::from_bundle("{").is_err());
}

#[test]
fn a_definition_that_an_older_build_kept_still_opens() {
    let agent = parse_here(&with("tools: [github.*]")).unwrap();
    let mut bundle: serde_json::Value = serde_json::from_str(&agent.bundle()).unwrap();
    let fields = bundle["agent"].as_object_mut().unwrap();
    for newer in ["codemode", "approve", "approvers", "approval"] {
        assert!(fields.remove(newer).is_some(), "{newer}");
    }
    let old = bundle.to_string();
    let opened = Agent::from_bundle(&old).unwrap();
    assert_eq!(opened.hash, hex::encode(Sha256::digest(old.as_bytes())));
    assert_eq!(Agent { hash: agent.hash.clone(), ..opened }, agent);
}

#[test]
fn a_rule_for_a_connection_that_is_not_configured_is_named_with_the_nearest_one() {
    let agent = parse_here(&with("wake: [{ slak-eu: { mention: true } }, { slack: { mention: true } }]")).unwrap();
    let unknown = agent.unknown_connections(&[("slack-eu", "slack")]);
    assert_eq!(unknown, [("slak-eu".to_owned(), Some("slack-eu".to_owned()))]);
    let agent = parse_here(&with("approvers: { gitub: { permission: admin } }")).unwrap();
    assert_eq!(agent.unknown_connections(&[]), [("gitub".to_owned(), Some("github".to_owned()))]);
}

#[test]
fn a_reach_belongs_to_connections_to_github_that_there_are() {
    let agent = parse_here(&with("reach: { github: [acme/app], github-eu: [acme/eu], slack-eu: [acme/app] }")).unwrap();
    let connections = [("github-eu", "github"), ("slack-eu", "slack")];
    assert_eq!(agent.unknown_connections(&connections), []);
    assert_eq!(agent.without_reach(&connections).collect::<Vec<_>>(), ["slack-eu"]);
    let unknown = agent.unknown_connections(&[("slack-eu", "slack")]);
    assert_eq!(unknown.into_iter().map(|(name, _)| name).collect::<Vec<_>>(), ["github-eu"]);
    // Definitions kept before there was such a thing read as before, and hash as before.
    assert!(!parse_here(&with("")).unwrap().bundle().contains("reach"));
    assert_eq!(Agent::from_bundle(&agent.bundle()).unwrap(), agent);
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn names(agents: &[Agent]) -> Vec<&str> {
    agents.iter().map(|agent| agent.name.as_str()).collect()
}

#[test]
fn one_broken_agent_takes_no_other_down_and_stays_as_it_was_until_it_is_mended() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("agents");
    write(&dir.join("one/AGENT.md"), &with("skills: [shared-one]"));
    write(&dir.join("two/AGENT.md"), &with(""));
    write(&dir.join("two/skills/own-one/SKILL.md"), "---\nname: own-one\ndescription: Own.\n---\nOwn.");
    write(&dir.join("three/AGENT.md"), &with("tols: []"));
    write(&dir.join("notes/README.md"), "no agent");
    write(
        &folder.path().join("skills/shared-one/SKILL.md"),
        "---\nname: shared-one\ndescription: Shared.\nmetadata: { version: \"1\" }\n---\nShared.",
    );
    let catalogue = Catalogue::load(&dir);
    assert_eq!(names(&catalogue.agents()), ["one", "two"]);
    assert_eq!(catalogue.errors().len(), 1);
    assert_eq!(catalogue.get("one").unwrap().skills[0].name, "shared-one");
    assert_eq!(catalogue.get("two").unwrap().skills[0].name, "own-one");
    assert!(!catalogue.changed());

    write(&dir.join("three/AGENT.md"), &with("tools: []"));
    write(&dir.join("two/AGENT.md"), &with("instance: nowhere"));
    fs::remove_dir_all(dir.join("one")).unwrap();
    assert!(catalogue.changed());
    let before = catalogue.get("two").unwrap();
    assert_eq!(catalogue.reload().len(), 1);
    assert!(!catalogue.changed());
    assert_eq!(names(&catalogue.agents()), ["three", "two"]);
    assert_eq!(catalogue.get("two").unwrap(), before);

    write(&dir.join("two/AGENT.md"), &with("instance: user"));
    assert!(catalogue.reload().is_empty());
    assert_eq!(catalogue.get("two").unwrap().scope, Scope::User);
}

#[test]
fn a_skill_with_a_mistake_breaks_the_agents_that_name_it_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("agents");
    write(&dir.join("one/AGENT.md"), &with("skills: [half]"));
    write(&dir.join("two/AGENT.md"), &with(""));
    write(&folder.path().join("skills/half/SKILL.md"), "---\nname: hal\nversion: 1\n---\nText.");
    let loaded = load_all(&dir);
    assert_eq!(names(&loaded.agents), ["two"]);
    let messages: Vec<_> = loaded.errors.iter().map(|error| error.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "the key `description` is missing",
            "the name `hal` is not that of the folder, `half`",
            "there is no key of a skill `version`",
            "the skill `half` has a mistake",
        ]
    );
}

#[test]
fn a_folder_that_is_not_there_and_a_file_that_is_not_text_are_errors_and_not_panics() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("agents");
    assert!(load_all(&dir).errors[0].message.starts_with("the folder cannot be read"));
    write(&dir.join("one/AGENT.md"), "");
    fs::write(dir.join("one/AGENT.md"), [0xff, 0xfe, 0x00]).unwrap();
    let loaded = load_all(&dir);
    assert_eq!(loaded.errors[0].advice.as_deref(), Some("save it as UTF-8"));
}

#[test]
fn the_agents_that_ship_with_the_gateway_have_no_mistakes_and_no_more_rights_than_they_need() {
    let loaded = load_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("agents"));
    assert!(loaded.errors.is_empty(), "{:?}", loaded.errors);
    assert_eq!(names(&loaded.agents), ["assistant", "ops", "ticket", "triage"]);
    for agent in &loaded.agents {
        // They run on whatever model there is.
        assert_eq!(agent.models, [], "{}", agent.name);
        // Each skill is one the agent can load.
        assert!(agent.skills.is_empty() || agent.may_use("skill.load"), "{}", agent.name);
        for skill in agent.skills.iter() {
            assert!(agent.instructions.contains(&skill.name), "{}", skill.name);
        }
    }
    // Whoever may be woken by strangers writes nothing but its answer and labels.
    let triage = &loaded.agents[3];
    assert_eq!(triage.skills.len(), 2);
    assert!(!triage.may_use("github.comment") && !triage.may_use("thread.react"));
    assert!(triage.may_use("github.list_issues") && triage.may_use("github.add_labels"));
}

#[test]
fn commands_are_offered_once_where_an_agent_has_them() {
    let agent = |name: &str, wake: &str| {
        let source = format!("---\ndescription: Does {name}.\nwake:\n{wake}---\nYou do.\n");
        parse(name, Path::new("AGENT.md"), &source, &Skills::default()).unwrap()
    };
    let agents = [
        agent(
            "one",
            "  - discord: { command: /triage }\n  - slack: { command: /ops }\n  - discord: { mention: true }\n",
        ),
        agent("two", "  - discord: { command: ask }\n  - discord-eu: { command: weigh }\n"),
        agent("three", "  - discord: { command: ask }\n"),
    ];
    let names = |connection: &str| {
        let offered = offers(&agents, connection, "discord");
        offered.into_iter().map(|one| format!("{} ({})", one.name, one.description)).collect::<Vec<_>>()
    };
    assert_eq!(names("discord"), ["ask (Does two.)", "triage (Does one.)"]);
    assert_eq!(names("discord-eu"), ["ask (Does two.)", "triage (Does one.)", "weigh (Does two.)"]);
    assert_eq!(offers(&agents, "slack", "slack")[0].name, "ops");
    assert!(offers(&agents, "github", "github").is_empty());
}
