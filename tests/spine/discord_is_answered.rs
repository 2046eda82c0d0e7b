//! Discord: who is called by a mention, a reply, a command or a button is answered where it was said; once, in few messages that
//! hold no mention that notifies and no link that is fetched, whatever is delivered again, refused or too fast.

use std::time::Duration;

use reveille_simulator::{Discord, DiscordMessage, DiscordOptions, DiscordPosted, Fault, Interactions};
use serde_json::{Value, json};

use crate::support::{PATIENCE, Stage};

const SCRIPT: &str = r#"
rules:
  - when: { role: user, matches: "wait for me" }
    stream: ["One. ", "Two. ", "Three. ", "Four."]
    pause_ms: 1500
  - when: { role: user, matches: "the new words" }
    stream: ["I read the new words."]
  - when: { role: user, matches: "the old words" }
    stream: ["I read the old words."]
  - when: { role: user, matches: "what time" }
    stream: ["Looking."]
    calls: [{ tool: clock.now }]
  - when: { role: tool, tool: clock.now }
    stream: ["It is late."]
  - when: { role: user, matches: "further" }
    stream: ["And further."]
  - when: { role: user, matches: "notify" }
    stream: ["@everyone <@539082325061830001> <@&290926798626357999> see https://evil.example/?q=1 and ", "![x](https://evil.example/i)."]
  - when: { role: user }
    stream: ["I can ", "answer ", "in threads."]
    pause_ms: 700
"#;

const ANSWER: &str = "I can answer in threads.";

async fn stage(interactions: Interactions) -> Stage {
    Stage::with_discord(SCRIPT, DiscordOptions { interactions, ..DiscordOptions::default() }).await
}

/// The gateway of a stage, once it listens to Discord's.
async fn serve(stage: &Stage) -> crate::support::Gateway {
    let gateway = stage.serve("");
    let listens = stage.simulator.discord().wait_until(PATIENCE, Discord::is_listened_to).await;
    assert!(listens, "{}", stage.log());
    gateway
}

fn texts(answers: &[DiscordMessage]) -> Vec<&str> {
    answers.iter().map(|one| one.content.as_str()).collect()
}

async fn wait_for(stage: &Stage, posted: &DiscordPosted, expected: &[&str]) {
    let discord = stage.simulator.discord();
    let is_there = discord.wait_until(PATIENCE, |discord| texts(&discord.answers(posted)) == expected).await;
    assert!(is_there, "{:#?}\n{}", discord.answers(posted), stage.log());
}

/// Whatever the bot said: it notifies nobody, shows no preview, and is no longer than a message may be.
fn assert_harmless(discord: &Discord) {
    let [notified, previews, _] = discord.harm();
    assert_eq!([notified, previews], [0, 0]);
    let mut said = 0;
    for call in discord.calls() {
        let message = match call.method.as_str() {
            method if method.contains("/callback") => match call.arguments.pointer("/data/content") {
                Some(_) => call.arguments["data"].clone(),
                None => continue,
            },
            method if method.starts_with("POST") || method.starts_with("PATCH") => call.arguments,
            _ => continue,
        };
        let Some(content) = message["content"].as_str() else {
            continue;
        };
        said += 1;
        assert_eq!(message["allowed_mentions"]["parse"], json!([]), "{}", call.method);
        assert!(message["flags"].as_u64().is_some_and(|flags| flags & 4 != 0), "{}: {message}", call.method);
        assert!(content.encode_utf16().count() <= 2_000, "{}", call.method);
    }
    assert!(said > 0, "nothing was said");
}

#[tokio::test]
async fn a_mention_is_answered_in_a_thread_of_its_own_by_one_message_that_grows() {
    let stage = stage(Interactions::Gateway).await;
    let _gateway = serve(&stage).await;
    let discord = stage.simulator.discord();
    let posted = discord.say("alice", "general", "@assistant what can you do?").unwrap();
    wait_for(&stage, &posted, &[ANSWER]).await;
    let answer = discord.answers(&posted).remove(0);
    assert_eq!(answer.channel, posted.id, "the thread that is started from a message has its id");
    assert!(!answer.history.is_empty(), "it grew");
    // What is said in the thread needs no mention, and the bot's own words call nobody.
    let further = discord.say("bob", &posted.id, "and further?").unwrap();
    wait_for(&stage, &further, &["And further."]).await;
    // A reply to one of the bot's messages goes on with its conversation.
    discord.reply("alice", &answer.id, "and still further?").unwrap();
    let third = |discord: &Discord| discord.messages(&posted.id).iter().filter(|one| one.is_bot).count() == 3;
    assert!(discord.wait_until(PATIENCE, third).await, "{}", stage.log());
    let started = stage.records("turn_started");
    assert_eq!(started.len(), 3, "{}", stage.log());
    assert!(started.iter().all(|one| one["instance"] == started[0]["instance"]), "{started:#?}");
    // Talk that calls nobody costs nothing.
    discord.say("alice", "general", "what can you do?").unwrap();
    let last = discord.say("alice", "dm", "what time is it?").unwrap();
    wait_for(&stage, &last, &["Looking.\n\nIt is late."]).await;
    assert_eq!(stage.records("turn_started").len(), 4);
    assert!(
        discord
            .typed_in()
            .iter()
            .all(|place| *place == posted.id || *place == last.channel || place == "645027906669510001")
    );
    assert_harmless(discord);
}

#[tokio::test]
async fn a_command_is_acknowledged_at_once_and_its_own_answer_is_edited() {
    for interactions in [Interactions::Gateway, Interactions::Http] {
        let stage = stage(interactions).await;
        let _gateway = serve(&stage).await;
        let discord = stage.simulator.discord();
        let posted = discord.command("alice", "general", "ask", "what can you do?").unwrap();
        wait_for(&stage, &posted, &[ANSWER]).await;
        assert_eq!(discord.answer_of(&posted.id), Some(5), "{interactions:?}");
        let answer = discord.answers(&posted).remove(0);
        assert!(!answer.history.is_empty() && answer.flags & (1 << 7) == 0, "{answer:?}");
        let edited =
            |call: &&reveille_simulator::Call| call.method.starts_with("PATCH") && call.method.ends_with("@original");
        assert!(discord.calls().iter().any(|call| edited(&call)), "{:#?}", discord.calls());
        // It has a thread of its own, and whoever speaks there, or replies to the answer, goes on with the command's conversation.
        let further = discord.say("bob", &answer.id, "and further?").unwrap();
        wait_for(&stage, &further, &["And further."]).await;
        let replied = discord.reply("bob", &answer.id, "what time is it?").unwrap();
        wait_for(&stage, &replied, &["Looking.\n\nIt is late."]).await;
        let started = stage.records("turn_started");
        assert_eq!(started.len(), 3);
        assert!(started.iter().all(|one| one["instance"] == started[0]["instance"]), "{started:#?}");
        // A command that no agent has is not left "thinking".
        let unknown = discord.command("alice", "general", "deploy", "now").unwrap();
        let told = |discord: &Discord| discord.answer_of(&unknown.id).is_some();
        assert!(discord.wait_until(PATIENCE, told).await, "{}", stage.log());
        assert_eq!(discord.answer_of(&unknown.id), Some(4), "{interactions:?}");
        assert!(discord.answers(&unknown)[0].flags & (1 << 6) != 0, "for that person alone");
        assert_harmless(discord);
    }
}

#[tokio::test]
async fn a_button_reaches_the_gateway_once_and_nobody_is_left_waiting() {
    for interactions in [Interactions::Gateway, Interactions::Http] {
        let stage = stage(interactions).await;
        let _gateway = serve(&stage).await;
        let discord = stage.simulator.discord();
        let posted = discord.say("alice", "general", "@assistant what can you do?").unwrap();
        wait_for(&stage, &posted, &[ANSWER]).await;
        let answer = discord.answers(&posted).remove(0);
        let pressed = discord.press_id("alice", &answer.id, "rv:01hx.reference:approve").unwrap();
        let noted = |discord: &Discord| discord.answer_of(&pressed.id).is_some();
        assert!(discord.wait_until(PATIENCE, noted).await, "{}", stage.log());
        assert_eq!(discord.answer_of(&pressed.id), Some(6), "{interactions:?}");
        discord.redeliver_all();
        discord.repeat_events("INTERACTION_CREATE");
        // Somebody else's button: it is said that nothing comes of it.
        let stray = discord.press_id("alice", &answer.id, "another-bots-button").unwrap();
        let told = |discord: &Discord| discord.answer_of(&stray.id).is_some();
        assert!(discord.wait_until(PATIENCE, told).await, "{}", stage.log());
        assert_eq!(discord.answer_of(&stray.id), Some(4), "{interactions:?}");
        let events = stage.records("event");
        let actions: Vec<&Value> = events.iter().filter(|one| one.to_string().contains("01hx.reference")).collect();
        assert_eq!(actions.len(), 1, "{actions:#?}");
        assert!(actions[0].to_string().contains("approve"), "{actions:#?}");
        assert_eq!(stage.records("turn_started").len(), 1);
    }
}

#[tokio::test]
async fn an_edit_before_the_turn_counts_and_a_deletion_cancels() {
    let stage = stage(Interactions::Gateway).await;
    let agent = "---\ndescription: Waits.\nwake:\n  - discord: { direct: true }\nconcurrency: queue\n---\nYou wait.\n";
    stage.write("agents/assistant/AGENT.md", agent);
    let _gateway = serve(&stage).await;
    let discord = stage.simulator.discord();
    let first = discord.say("alice", "dm", "wait for me").unwrap();
    let begins = |discord: &Discord| !discord.answers(&first).is_empty();
    assert!(discord.wait_until(PATIENCE, begins).await, "{}", stage.log());
    let changed = discord.say("alice", "dm", "the old words").unwrap();
    let deleted = discord.say("alice", "dm", "and further?").unwrap();
    discord.edit("alice", &changed.id, "the new words").unwrap();
    discord.delete(&deleted.id).unwrap();
    wait_for(&stage, &first, &["One. Two. Three. Four.", "I read the new words."]).await;
    // A preview that was added to it is no change, and an edit that comes too late changes nothing.
    discord.edit("alice", &changed.id, "the old words").unwrap();
    let last = discord.say("alice", "dm", "and further?").unwrap();
    wait_for(&stage, &last, &["And further."]).await;
    assert_eq!(stage.records("turn_started").len(), 3, "{}", stage.log());
}

#[tokio::test]
async fn the_same_again_is_one_answer() {
    let stage = stage(Interactions::Http).await;
    let _gateway = serve(&stage).await;
    let discord = stage.simulator.discord();
    let said = discord.say("alice", "general", "@assistant what can you do?").unwrap();
    let command = discord.command("alice", "random", "ask", "what can you do?").unwrap();
    wait_for(&stage, &said, &[ANSWER]).await;
    wait_for(&stage, &command, &[ANSWER]).await;
    for _ in 0..10 {
        discord.repeat_events("MESSAGE_CREATE");
        discord.redeliver_all();
    }
    let all = |discord: &Discord| {
        let again = discord.deliveries();
        again.len() > 10 && again.iter().all(|one| one.status == Some(200))
    };
    assert!(discord.wait_until(PATIENCE, all).await, "{:#?}", discord.deliveries());
    // What is said now is read after all that.
    let last = discord.say("alice", "dm", "and further?").unwrap();
    wait_for(&stage, &last, &["And further."]).await;
    assert_eq!(texts(&discord.answers(&said)), [ANSWER]);
    assert_eq!(texts(&discord.answers(&command)), [ANSWER]);
    assert_eq!(stage.records("turn_started").len(), 3, "{}", stage.log());
}

#[tokio::test]
async fn a_full_bucket_is_waited_for_and_not_run_into() {
    let bucket = (2, Duration::from_secs(3));
    let stage = Stage::with_discord(SCRIPT, DiscordOptions { bucket, ..DiscordOptions::default() }).await;
    let _gateway = serve(&stage).await;
    let discord = stage.simulator.discord();
    // Before anything is known of buckets the first answer tells; after it their headers do.
    let posted = discord.say("alice", "dm", "wait for me").unwrap();
    wait_for(&stage, &posted, &["One. Two. Three. Four."]).await;
    assert_eq!(discord.harm(), [0, 0, 0], "no call was too early");
    for name in ["POST messages", "PATCH messages"] {
        discord.faults.set(name, Fault::RateLimit(2), 1);
    }
    let posted = discord.say("alice", "general", "@assistant wait for me").unwrap();
    wait_for(&stage, &posted, &["One. Two. Three. Four."]).await;
    assert_eq!(discord.harm(), [0, 0, 2], "each limit was met once, and waited for");
    assert_harmless(discord);
}

#[tokio::test]
async fn calls_that_fail_or_lose_their_answer_leave_one_message() {
    for fault in [Fault::DropAnswer, Fault::Error500] {
        let stage = stage(Interactions::Gateway).await;
        let gateway = serve(&stage).await;
        let discord = stage.simulator.discord();
        for name in ["POST messages", "PATCH messages", "POST threads", "PATCH @original"] {
            discord.faults.set(name, fault.clone(), 1);
        }
        let said = discord.say("alice", "general", "@assistant what can you do?").unwrap();
        let command = discord.command("bob", "random", "ask", "what can you do?").unwrap();
        wait_for(&stage, &said, &[ANSWER]).await;
        wait_for(&stage, &command, &[ANSWER]).await;
        assert_eq!(gateway.terminate(), Some(0));
        assert_eq!(texts(&discord.answers(&said)), [ANSWER], "{fault:?}");
        assert_harmless(discord);
    }
}

#[tokio::test]
async fn a_token_that_is_lost_or_too_old_leaves_the_answer_to_the_channel() {
    // Lost before the first word: a message in the channel.
    let stage = stage(Interactions::Gateway).await;
    let _gateway = serve(&stage).await;
    let discord = stage.simulator.discord();
    for name in ["PATCH @original", "GET @original"] {
        discord.faults.set(name, Fault::UnknownMethod, 1_000);
    }
    discord.command("alice", "random", "ask", "what can you do?").unwrap();
    let said = |discord: &Discord| discord.messages("random").iter().any(|one| one.content == ANSWER);
    assert!(discord.wait_until(PATIENCE, said).await, "{:#?}\n{}", discord.messages("random"), stage.log());
    for name in ["PATCH @original", "GET @original"] {
        discord.faults.set(name, Fault::UnknownMethod, 0);
    }
    // Lost, or fifteen minutes old, in the middle of it: the same message goes on.
    for is_lost in [true, false] {
        let command = discord.command("alice", "general", "ask", "wait for me").unwrap();
        let begins = |discord: &Discord| discord.answers(&command).iter().any(|one| !one.content.is_empty());
        assert!(discord.wait_until(PATIENCE, begins).await, "{}", stage.log());
        if is_lost {
            discord.lose(&command.id);
        } else {
            discord.expire(&command.id);
        }
        wait_for(&stage, &command, &["One. Two. Three. Four."]).await;
    }
    assert_harmless(discord);
}

#[tokio::test]
async fn a_long_answer_goes_on_in_further_messages_with_its_code_whole() {
    let prose = "Some words of an answer that is long — and grüßt 🦀 in between. ".repeat(12);
    let code =
        |from: usize| (from..from + 60).map(|line| format!("let line_{line:04} = {line};\n")).collect::<String>();
    let long: String = (0..4).map(|part| format!("{prose}\n\n```rust\n{}```\n\n", code(part * 60))).collect();
    assert!(long.encode_utf16().count() >= 8_000, "{}", long.len());
    let script =
        format!("rules:\n  - stream: [{}]\n", serde_json::to_string(&format!("{long}{prose}THE END")).unwrap());
    let stage = Stage::with_discord(&script, DiscordOptions::default()).await;
    let _gateway = serve(&stage).await;
    let discord = stage.simulator.discord();
    let posted = discord.say("alice", "general", "@assistant tell me all").unwrap();
    let command = discord.command("bob", "random", "ask", "tell me all").unwrap();
    let below = |discord: &Discord| -> Vec<DiscordMessage> {
        let first = discord.answers(&command);
        let thread = first.first().map(|first| discord.messages(&first.id)).unwrap_or_default();
        first.into_iter().chain(thread).collect()
    };
    let beside = |discord: &Discord| -> Vec<DiscordMessage> { discord.answers(&posted) };
    for is_command in [false, true] {
        let answers = |discord: &Discord| if is_command { below(discord) } else { beside(discord) };
        let ended = |discord: &Discord| answers(discord).last().is_some_and(|one| one.content.ends_with("THE END"));
        assert!(discord.wait_until(PATIENCE, ended).await, "{:#?}\n{}", answers(discord), stage.log());
        let answers = answers(discord);
        assert!((5..=9).contains(&answers.len()), "{} messages", answers.len());
        for one in &answers {
            assert!(one.content.encode_utf16().count() <= 2_000);
            let fences = one.content.lines().filter(|line| line.starts_with("```")).count();
            assert!(fences.is_multiple_of(2), "a fence is open: {}", one.content);
        }
        let lines: Vec<&str> =
            answers.iter().flat_map(|one| one.content.lines()).filter(|line| line.starts_with("let line_")).collect();
        let expected = code(0)
            .lines()
            .chain(code(60).lines())
            .chain(code(120).lines())
            .chain(code(180).lines())
            .map(ToOwned::to_owned)
            .collect::<Vec<_>>();
        assert_eq!(lines, expected, "in order, whole, none twice");
    }
    assert_harmless(discord);
}

#[tokio::test]
async fn what_a_model_writes_notifies_nobody_and_is_not_fetched() {
    let stage = stage(Interactions::Http).await;
    let _gateway = serve(&stage).await;
    let discord = stage.simulator.discord();
    let said = discord.say("alice", "general", "@assistant notify them").unwrap();
    let command = discord.command("alice", "random", "ask", "notify them").unwrap();
    for posted in [&said, &command] {
        let whole = |discord: &Discord| discord.answers(posted).iter().any(|one| one.content.ends_with('.'));
        assert!(discord.wait_until(PATIENCE, whole).await, "{}", stage.log());
        let shown = discord.answers(posted).remove(0).content;
        assert!(shown.contains("`https://evil.example/?q=1`") && !shown.contains("evil.example/i"), "{shown}");
    }
    assert_harmless(discord);
}

#[tokio::test]
async fn somebody_who_has_not_passed_the_screening_is_told_so_once() {
    let stage = stage(Interactions::Gateway).await;
    let _gateway = serve(&stage).await;
    let discord = stage.simulator.discord();
    let posted = discord.say("gina", "general", "@assistant hello").unwrap();
    let told = |discord: &Discord| discord.answers(&posted).iter().any(|one| one.content.starts_with("Sorry"));
    assert!(discord.wait_until(PATIENCE, told).await, "{}", stage.log());
    assert_eq!(stage.records("refused").len(), 1);
    assert_eq!(stage.records("model_called").len(), 0);
}

#[tokio::test]
async fn commands_are_registered_from_the_agents_and_again_when_they_change() {
    let stage = stage(Interactions::Gateway).await;
    let gateway = serve(&stage).await;
    let discord = stage.simulator.discord();
    let names = |discord: &Discord| -> Vec<String> {
        let commands = discord.commands();
        commands.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    assert!(discord.wait_until(PATIENCE, |discord| names(discord) == ["ask"]).await, "{}", stage.log());
    let registered = discord.calls().into_iter().filter(|call| call.method.starts_with("PUT /applications/")).count();
    assert_eq!(registered, 1, "{:#?}", discord.calls());
    let agent = "---\ndescription: Deploys.\nwake:\n  - discord: { command: deploy }\n---\nYou deploy.\n";
    stage.write("agents/deployer/AGENT.md", agent);
    assert!(discord.wait_until(PATIENCE, |discord| names(discord) == ["ask", "deploy"]).await, "{}", stage.log());
    assert_eq!(gateway.terminate(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_at_a_laptop_speaks_into_the_simulated_discord() {
    let stage = stage(Interactions::Gateway).await;
    let _gateway = serve(&stage).await;
    let simulator = stage.simulator.address().to_string();
    let say = |arguments: &[&str]| {
        let mut all = vec!["say", "discord"];
        all.extend(arguments);
        all.extend(["--simulator", &simulator]);
        let output = stage.reveille(&all).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let printed = say(&["#general", "@assistant what can you do?"]);
    assert!(printed.contains(ANSWER), "{printed}");
    let printed = say(&["#general", "/ask what can you do?"]);
    assert!(printed.contains(ANSWER), "{printed}");
    let discord = stage.simulator.discord();
    let said = discord.messages("general").into_iter().find(|one| !one.is_bot).unwrap();
    let act = |arguments: &[&str]| {
        let output = stage
            .reveille(&[&["say"], arguments, &["--no-wait", "--simulator", &simulator]].concat())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    act(&["react", "discord", "#general", &said.id, "eyes"]);
    act(&["edit", "discord", "#general", &said.id, "@assistant never mind"]);
    let changed = discord.messages("general").into_iter().find(|one| one.id == said.id).unwrap();
    assert!(changed.content.ends_with("never mind") && changed.reactions[0].0 == "👀", "{changed:?}");
    act(&["delete", "discord", "#general", &said.id]);
    assert!(discord.messages("general").iter().all(|one| one.id != said.id));
    let output = stage.reveille(&["doctor", "--json"]).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("@assistant in 1 server"), "{told}\n{}", String::from_utf8_lossy(&output.stderr));
}
