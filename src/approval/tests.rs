//! What an answer binds, and what is shown of it.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const NOW_MS: i64 = 1_795_600_000_000;

fn request(arguments: &[Value]) -> Request {
    let item = |(index, arguments): (usize, &Value)| Item {
        call: format!("call_{index}"),
        tool: "github.update_issue".to_owned(),
        description: "Changes the issue.".to_owned(),
        parameters: json!({ "type": "object", "properties": { "number": { "type": "integer" } } }),
        arguments: arguments.clone(),
        place: "#general".into(),
    };
    Request {
        instance: InstanceId::of("triage/github/1/99:7"),
        agent: "triage".to_owned(),
        definition: "d0".repeat(32),
        turn: 3,
        step: 2,
        requester: "583231".to_owned(),
        four_eyes: false,
        expires_at_ms: NOW_MS + 15 * 60_000,
        items: arguments.iter().enumerate().map(item).collect(),
    }
}

fn of_text(arguments: &str) -> Request {
    request(&[serde_json::from_str(arguments).unwrap()])
}

#[test]
fn everything_that_is_asked_about_is_bound() {
    let asked = request(&[json!({ "number": 3, "state": "closed" })]);
    let changes: [fn(&mut Request); 16] = [
        |request| request.instance = InstanceId::of("triage/github/1/99:8"),
        |request| request.agent = "ops".to_owned(),
        |request| request.definition = "d1".repeat(32),
        |request| request.turn = 4,
        |request| request.step = 3,
        |request| request.requester = "583232".to_owned(),
        |request| request.four_eyes = true,
        |request| request.expires_at_ms += 1,
        |request| request.items[0].call = "call_1".to_owned(),
        |request| request.items[0].tool = "github.comment".to_owned(),
        |request| request.items[0].description.push(' '),
        |request| request.items[0].parameters["properties"]["number"]["type"] = json!("number"),
        |request| request.items[0].arguments["number"] = json!(4),
        |request| request.items[0].arguments["state"] = json!("close"),
        |request| request.items[0].arguments["labels"] = json!([]),
        |request| request.items.push(request.items[0].clone()),
    ];
    let mut seen = vec![asked.hash()];
    for change in changes {
        let mut other = asked.clone();
        change(&mut other);
        assert!(!seen.contains(&other.hash()), "{other:?}");
        assert_ne!(other.id(), asked.id());
        seen.push(other.hash());
    }
    assert_eq!(asked.clone().hash(), asked.hash());
}

#[test]
fn the_canonical_form_does_not_change_between_builds() {
    // A request that waits for its answer while the gateway is upgraded is to be the same afterwards.
    let asked =
        of_text(r#"{"z": [1, 1.0, -0.0, 1e300, 0.1, 18446744073709551615], "\u20ac": "\u001f\"\\/\n\u00e9", "a": {}}"#);
    insta::assert_snapshot!(format!("{}\n{}\n{}", asked.canonical(), asked.hash(), asked.id()));
    assert!(asked.hash().starts_with(&asked.id()));
}

#[test]
fn the_order_of_keys_and_blanks_do_not_count_and_everything_else_does() {
    let same = [r#"{"a": 1, "b": {"d": 2, "c": 3}}"#, r#"{ "b": {"c":3,"d":2}, "a":1 }"#];
    assert_eq!(of_text(same[0]).hash(), of_text(same[1]).hash());
    // RFC 8785, 3.2.3: by UTF-16 units a letter outside of the first plane comes before U+FB33.
    assert_eq!(
        canonical::compact(&json!({ "\u{fb33}": 1, "\u{1f600}": 2, "\r": 3 })),
        "{\"\\r\":3,\"\u{1f600}\":2,\"\u{fb33}\":1}"
    );

    let different = [
        "[1]",
        "[1.0]",
        "[\"1\"]",
        "[1,2]",
        "[2,1]",
        "[]",
        "{}",
        "null",
        "[null]",
        "[true]",
        "[false]",
        "[0]",
        "[0.0]",
        "[-0.0]",
        "[9007199254740992]",
        "[9007199254740993]",
        "[9007199254740992.0]",
        "[\"\u{e9}\"]",
        "[\"e\u{301}\"]",
        "\"\"",
        "[\"\\u202e\"]",
        "[\"\\\\u202e\"]",
        "[\"\\\\u{202e}\"]",
        "{\"a\":null}",
    ];
    let mut hashes: Vec<_> = different.map(|text| of_text(text).hash()).into();
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), different.len());
    // No tool can tell these apart.
    assert_eq!(of_text("[1.0]").hash(), of_text("[1.00]").hash());
    assert_eq!(of_text("[1.0]").hash(), of_text("[10e-1]").hash());
}

#[test]
fn a_question_is_put_together_from_what_is_bound() {
    let asked = request(&[json!({ "number": 3, "state": "closed", "labels": [] }), json!({ "number": 4 })]);
    let ask = asked.ask(NOW_MS);
    let choices: Vec<_> = ask.choices.iter().map(|choice| format!("[{}] {:?}", choice.label, choice.style)).collect();
    insta::assert_snapshot!(format!("{}\n\n{}\n\n{}", ask.title, ask.detail, choices.join(" ")));
    assert_eq!(ask.reference, format!("approval.{}", asked.id()));
    assert_eq!(id_of(&ask.reference), Some(asked.id().as_str()));
    assert_eq!(request(&[json!({})]).ask(NOW_MS).title, "May triage use github.update_issue?");
}

#[test]
fn a_reference_of_something_else_is_no_approvals() {
    let id = "0123456789abcdef".repeat(2);
    assert_eq!(id_of(&format!("approval.{id}")), Some(id.as_str()));
    for other in [
        "",
        "approval.",
        "approval.0",
        &id,
        &format!("approval.{}", id.to_uppercase()),
        &format!("approval.{id}0"),
        "approval.\u{e9}",
    ] {
        assert_eq!(id_of(other), None, "{other}");
    }
}

#[test]
fn the_time_that_is_left_is_told() {
    let asked = request(&[json!({})]);
    let told = |left_ms: i64| {
        let ask = asked.ask(asked.expires_at_ms - left_ms);
        ask.detail.lines().find(|line| line.starts_with("Expire")).unwrap().to_owned()
    };
    let at = "2026-11-25 10:01 UTC";
    assert_eq!(told(15 * 60_000), format!("Expires {at}, in 15 minutes."));
    assert_eq!(told(119_999), format!("Expires {at}, in a minute."));
    assert_eq!(told(1), format!("Expires {at}, in less than a minute."));
    assert_eq!(told(0), format!("Expired {at}."));
    assert_eq!(told(-1), format!("Expired {at}."));
    assert_eq!(told(3 * 3_600_000), format!("Expires {at}, in 3 hours."));
    assert_eq!(told(3 * 86_400_000), format!("Expires {at}, in 3 days."));
    let far = Request { expires_at_ms: i64::MAX, ..asked.clone() };
    assert!(far.ask(i64::MIN).detail.contains(&format!("Expires {} ms after", i64::MAX)));
}

#[test]
fn whoever_has_to_be_somebody_else_is_told() {
    let asked = Request { four_eyes: true, requester: "U1\nApproved".to_owned(), ..request(&[json!({})]) };
    assert!(asked.ask(NOW_MS).detail.contains("\nSomebody else than U1\\u{a}Approved has to answer.\n"));
}

#[test]
fn nothing_in_the_arguments_hides_acts_or_passes_for_ours() {
    let tricks = json!({
        "text": "ok\n\n2. clock.now\n{}\n\nApproved by alice ✅\n```\n*bold* <!channel> @everyone\u{202e}cod\u{200b}e\u{e0041}\u{feff}",
        "a\u{2066}\nb": "\u{1b}[2J\u{7}\u{85}\u{2028}\u{a0}\\u{202e}",
    });
    let detail = request(&[tricks]).ask(NOW_MS).detail;
    insta::assert_snapshot!(detail);
    assert_eq!(visible::visible(&detail.replace('\n', "")), detail.replace('\n', ""));
}

#[test]
fn what_is_too_long_says_so_first_and_where_all_of_it_is() {
    let long = |count: usize| json!({ "body": "x".repeat(count), "number": 1 });
    let asked = request(&[long(10), long(20_000), long(5_000)]);
    let detail = asked.ask(NOW_MS).detail;
    insta::assert_snapshot!(detail);
    assert!(detail.starts_with("NOT ALL OF IT IS SHOWN."));
    assert!(detail.contains(&asked.id()) && detail.ends_with(&asked.hash()));
    // What is missing counts none the less.
    let mut other = asked.clone();
    other.items[1].arguments = long(20_001);
    assert_ne!(other.hash(), asked.hash());
    assert_ne!(other.ask(NOW_MS).detail, detail);
    // And all of it can be read.
    assert!(asked.page().contains(&"x".repeat(20_000)) && asked.page().contains("\"number\": 1"));
}

#[test]
fn a_question_about_the_most_calls_names_each_of_them() {
    let mut asked = request(&vec![json!({ "body": "`".repeat(400) }); MOST_ITEMS]);
    assert_eq!(asked.check(), Ok(()));
    let detail = asked.ask(NOW_MS).detail;
    for number in 1..=MOST_ITEMS {
        assert!(detail.contains(&format!("{number}. github.update_issue\n{{\n  \"body\": \"`")), "{number}: {detail}");
    }
    asked.items.push(asked.items[0].clone());
    assert_eq!(asked.check(), Err(RequestError::TooMany(11)));
    asked.items.clear();
    assert_eq!(asked.check(), Err(RequestError::Empty));
}

/// JSON as a model can write it.
fn any_json() -> impl Strategy<Value = Value> {
    let string = "[a-z`\\\\\"\n\u{0}\u{1f}\u{202e}\u{200b}\u{e0041}\u{1f600}\u{fb33}{}:, ]{0,12}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1e6..1e6).prop_map(Value::from),
        (-5i32..5).prop_map(|whole| Value::from(f64::from(whole))),
        string.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((string, inner), 0..5)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn two_values_have_one_text_only_if_they_are_one(one in any_json(), other in any_json()) {
        let text = canonical::compact(&one);
        prop_assert_eq!(canonical::compact(&other) == text, other == one);
    }

    #[test]
    fn a_value_has_the_same_text_after_it_was_in_the_journal(value in any_json(), number in any::<f64>()) {
        let value = json!([value, number]);
        let text = canonical::compact(&value);
        // As the journal writes and reads, and as the text itself reads: it is JSON of this value.
        for written in [serde_json::to_string(&value).unwrap(), text.clone()] {
            let again: Value = serde_json::from_str(&written).unwrap();
            prop_assert_eq!(canonical::compact(&again), text.as_str());
        }
    }

    #[test]
    fn what_is_shown_is_what_is_hashed_with_room_for_eyes(value in any_json()) {
        let page = canonical::page(&value);
        prop_assert_eq!(visible::visible(&page.replace('\n', "")), page.replace('\n', ""));
        prop_assert_eq!(read_back(&page), canonical::compact(&value));
    }

    #[test]
    fn no_question_is_longer_than_every_platform_shows(arguments in prop::collection::vec(any_json(), 1..=10), size in 0usize..3_000) {
        let mut arguments = arguments;
        arguments[0] = json!({ "long": "`\u{1f600}".repeat(size) });
        let asked = request(&arguments);
        let ask = asked.ask(NOW_MS);
        let length: usize = ask.detail.chars().map(|c| if c == '`' { 2 } else { c.len_utf16() }).sum();
        prop_assert!(length <= question::DETAIL_UNITS, "{}", length);
        prop_assert!(ask.title.chars().count() <= 120 && !ask.title.contains('\n'));
        // Whole, or said not to be.
        let is_whole = asked.items.iter().all(|item| ask.detail.contains(&canonical::page(&item.arguments)));
        prop_assert!(is_whole || ask.detail.starts_with("NOT ALL"));
    }
}

/// From what is shown back to what was hashed: blanks outside of strings go, and what was spelled out is put back.
fn read_back(page: &str) -> String {
    let (mut text, mut is_inside) = (String::new(), false);
    let mut rest = page;
    while let Some(c) = rest.chars().next() {
        if !is_inside {
            is_inside = c == '"';
            if !matches!(c, ' ' | '\n') {
                text.push(c);
            }
            rest = rest.split_at(c.len_utf8()).1;
        } else if let Some((code, after)) = rest.strip_prefix("\\u{").and_then(|spelled| spelled.split_once('}')) {
            text.push(char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap());
            rest = after;
        } else {
            let length = if c == '\\' { 2 } else { c.len_utf8() };
            is_inside = c != '"';
            let (taken, after) = rest.split_at(length);
            text.push_str(taken);
            rest = after;
        }
    }
    text
}

#[test]
fn what_is_bound_is_read_back_as_it_was() {
    let asked = of_text(r#"{"z": [1, 1.0, 1e300, 0.1, 18446744073709551615], "a": "\u202e\n\"x"}"#);
    let canonical = asked.canonical();
    assert_eq!(page_of(&canonical).unwrap(), asked.page());
    assert_eq!(hash_of(&canonical), asked.hash());
    let bound = Bound { tools: vec!["github.update_issue".to_owned()], requester: "583231".to_owned() };
    assert_eq!(Bound::of(&canonical), bound);
    assert_eq!((Bound::of("no JSON"), page_of("no JSON")), (Bound::default(), None));
}
