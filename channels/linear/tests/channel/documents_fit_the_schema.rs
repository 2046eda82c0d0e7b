//! Every document that is sent validates against Linear's public schema, and so do the variables it is sent with.
//!
//! The schema is the one that the crate `linear-schema` carries.

use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, OnceLock};

use apollo_compiler::request::coerce_variable_values;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use reveille_channel::{Ask, Channel, Choice, Op, Style};
use reveille_linear::{DOCUMENTS, IssueChanges, NewIssue};
use serde_json::{Value, json};

use crate::stand_in::StandIn;
use crate::support::{APP, ISSUE, ROOT, context, in_session, in_thread, on_issue, person, start, token, viewer};

/// Where cargo keeps the crate.
fn schema_file() -> PathBuf {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "linear-schema").unwrap();
    PathBuf::from(package["manifest_path"].as_str().unwrap()).with_file_name("linear.graphql")
}

fn schema() -> Arc<Valid<Schema>> {
    static SCHEMA: OnceLock<Arc<Valid<Schema>>> = OnceLock::new();
    let read = || {
        let file = schema_file();
        let text = std::fs::read_to_string(&file).unwrap();
        Arc::new(Schema::parse_and_validate(text, file).unwrap_or_else(|error| panic!("{}", error.errors)))
    };
    Arc::clone(SCHEMA.get_or_init(read))
}

fn parsed(text: &str) -> Valid<ExecutableDocument> {
    ExecutableDocument::parse_and_validate(&schema(), text, "document.graphql")
        .unwrap_or_else(|error| panic!("{}", error.errors))
}

#[test]
fn every_document_validates_against_the_public_schema() {
    for document in DOCUMENTS {
        let executable = parsed(document.text);
        let operation = executable.operations.iter().next().unwrap();
        assert_eq!(operation.name.as_ref().map(ToString::to_string).as_deref(), Some(document.name));
        assert_eq!(executable.operations.iter().count(), 1, "{}", document.name);
        assert!(document.is_repeatable || operation.is_mutation(), "{}: a query is repeatable", document.name);
    }
    let wrong = "query Wrong { viewer { id nickname } }";
    assert!(ExecutableDocument::parse_and_validate(&schema(), wrong, "wrong.graphql").is_err(), "it can fail");
}

#[tokio::test]
async fn what_is_sent_fits_the_documents_inputs() {
    let server = StandIn::start().await;
    let done = json!({ "success": true });
    server.on("Viewer", viewer());
    for (operation, field) in [
        ("AgentActivityCreate", "agentActivityCreate"),
        ("AgentSessionUpdate", "agentSessionUpdate"),
        ("CommentCreate", "commentCreate"),
        ("CommentUpdate", "commentUpdate"),
        ("ReactionCreate", "reactionCreate"),
        ("IssueUpdate", "issueUpdate"),
        ("AttachmentLinkUrl", "attachmentLinkURL"),
    ] {
        server.on(operation, json!({ field: done }));
    }
    server.on("IssueCreate", json!({ "issueCreate": { "success": true, "issue": { "id": ISSUE } } }));
    let linear = token(&server.base);
    let choice = Choice { id: "yes".into(), label: "Yes".into(), style: Style::Primary };
    let ask = Ask { reference: "r".into(), title: "Go?".into(), detail: "x".into(), choices: vec![choice] };
    linear.identify().await.unwrap();
    for thread in [in_session(), in_thread(), on_issue()] {
        for op in [
            start("text"),
            Op::Edit { id: ROOT.into(), text: "more".into(), complete: true },
            Op::Status { text: Some("Using clock.now".into()) },
            Op::Status { text: Some("Thinking".into()) },
            Op::Ask(ask.clone()),
            Op::Settle { id: ROOT.into(), ask: ask.clone(), outcome: "Yes, by Ann".into() },
        ] {
            linear.perform(&context(thread.clone()), &op).await.unwrap();
        }
        let _ = linear.find(&context(thread.clone())).await;
        let _ = linear.context(&thread, 10).await;
        linear.react(&thread, ROOT, "eyes").await.unwrap();
    }
    linear.react(&on_issue(), ISSUE, "eyes").await.unwrap();
    let _ = linear.permission(&person(APP), &on_issue()).await;
    let at = linear.at(&in_session()).unwrap();
    let api = at.api();
    api.set_plan("s", &[("Look".into(), "completed"), ("Mend".into(), "inProgress")]).await.unwrap();
    api.add_session_url("s", "Pull request", "https://example.com/1").await.unwrap();
    let some = || Some("x".to_owned());
    let new = NewIssue {
        id: "i".into(),
        team_id: "t".into(),
        title: "T".into(),
        description: some(),
        parent_id: some(),
        priority: Some(2),
        state_id: some(),
        project_id: some(),
        label_ids: vec!["l".into()],
    };
    api.create_issue(&new).await.unwrap();
    let changes = IssueChanges {
        title: some(),
        description: some(),
        priority: Some(0),
        state_id: some(),
        project_id: some(),
        assignee_id: some(),
        delegate_id: some(),
        added_label_ids: vec!["l".into()],
        removed_label_ids: vec!["m".into()],
    };
    api.update_issue("i", &changes).await.unwrap();
    api.link_url("i", "https://example.com", Some("Pull request")).await.unwrap();
    let _ = api.get_issue("i").await;
    let _ = api.list_issues("t", Some("started"), 10, None).await;
    let _ = api.search_issues("words", "t", 10).await;
    let _ = api.list_states("t").await;
    let _ = api.list_labels("t").await;
    let _ = api.list_projects("t").await;
    let _ = api.list_comments("i", 10).await;

    let schema = schema();
    let mut sent: Vec<&str> = Vec::new();
    for seen in server.seen() {
        let document = DOCUMENTS.iter().find(|document| document.name == seen.operation).unwrap();
        sent.push(document.name);
        let executable = parsed(document.text);
        let operation = executable.operations.iter().next().unwrap();
        let variables = serde_json_bytes(&seen.variables);
        if let Err(error) = coerce_variable_values(&schema, operation, &variables) {
            panic!("{}: {} with {}", document.name, error.message(), seen.variables);
        }
    }
    for document in DOCUMENTS {
        assert!(sent.contains(&document.name), "{} was not sent", document.name);
    }
}

/// The same object in the words of the validating library.
fn serde_json_bytes(value: &Value) -> apollo_compiler::response::JsonMap {
    serde_json::from_value(value.clone()).unwrap()
}
