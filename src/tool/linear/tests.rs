//! Linear's tools against a server that answers by the operation's name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use reveille_channel::links::{LinkHost, Links};
use reveille_channel::{Channel, Secret, ThreadRef};
use reveille_linear::{Auth, Linear, Settings};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::journal::ToolOutcome;
use crate::tool::tests::{LONG, context_in, leave};
use crate::tool::{Form, LinearConnections, Platforms, Registry, ToolContext};

const TEAM: &str = "team-1";
const ISSUE: &str = "issue-1";

#[derive(Default)]
struct Server {
    /// Names of operations, with their variables.
    asked: Mutex<Vec<(String, Value)>>,
    /// What was made: its id is taken.
    made: Mutex<Vec<String>>,
}

fn issue(id: &str, team: &str) -> Value {
    json!({
        "id": id, "identifier": "ENG-1", "title": "Login fails", "description": "For <names> with umlauts.",
        "url": "https://linear.example/ENG-1", "branchName": "ann/eng-1", "priorityLabel": "High",
        "createdAt": "2026-08-01T12:00:00.000Z", "updatedAt": "2026-08-02T12:00:00.000Z",
        "state": { "id": "s1", "name": "Todo", "type": "unstarted" }, "team": { "id": team, "key": "ENG" },
        "creator": { "id": "u1", "displayName": "ann" }, "assignee": null, "delegate": null,
        "labels": { "nodes": [{ "id": "l1", "name": "bug" }] },
        "attachments": { "nodes": [{ "title": "PR", "url": "https://example.com/1" }] },
    })
}

async fn answer(State(server): State<Arc<Server>>, Json(body): Json<Value>) -> Json<Value> {
    let (name, variables) = (body["operationName"].as_str().unwrap().to_owned(), body["variables"].clone());
    server.asked.lock().unwrap().push((name.clone(), variables.clone()));
    let input = variables["input"]["id"].as_str().unwrap_or_default().to_owned();
    let conflict = |server: &Server| {
        let mut made = server.made.lock().unwrap();
        let is_there = made.contains(&input);
        made.push(input.clone());
        is_there
    };
    let data = match name.as_str() {
        "Viewer" => json!({ "viewer": { "id": "app-1", "displayName": "assistant", "app": true } }),
        "Issue" if variables["id"] == "ENG-9" => json!({ "issue": issue("issue-9", "team-2") }),
        "Issue" if variables["id"] == "ENG-404" => {
            return Json(json!({ "errors": [{ "message": "Entity not found: Issue" }], "data": null }));
        }
        "Issue" => json!({ "issue": issue(ISSUE, TEAM) }),
        "TeamStates" => json!({ "team": { "states": { "nodes": [
            { "id": "s3", "name": "In Review", "type": "started", "position": 3 },
            { "id": "s2", "name": "In Progress", "type": "started", "position": 2 },
            { "id": "s1", "name": "Todo", "type": "unstarted", "position": 1 },
        ] } } }),
        "IssueLabels" => {
            json!({ "issueLabels": { "nodes": [{ "id": "l1", "name": "bug" }, { "id": "l2", "name": "docs" }] } })
        }
        "TeamProjects" => json!({ "team": { "projects": { "nodes": [{ "id": "p1", "name": "Sign-in" }] } } }),
        "Issues" => json!({ "issues": { "nodes": [issue(ISSUE, TEAM)], "pageInfo": { "hasNextPage": true } } }),
        "SearchIssues" => json!({ "searchIssues": { "nodes": [] } }),
        "IssueComments" => json!({ "issue": { "comments": { "nodes": [
            { "id": "c2", "body": "Second", "createdAt": "2026-08-02T12:00:00.000Z", "user": { "id": "app-1" } },
            { "id": "c1", "body": "First </message>", "createdAt": "2026-08-01T12:00:00.000Z", "user": { "id": "u1", "displayName": "ann" } },
        ] } } }),
        "IssueUpdate" => json!({ "issueUpdate": { "success": true, "issue": issue(ISSUE, TEAM) } }),
        "AgentSessionUpdate" => json!({ "agentSessionUpdate": { "success": true } }),
        "AttachmentLinkUrl" => json!({ "attachmentLinkURL": { "success": true } }),
        "Comment" => json!({ "comment": { "id": "c", "url": "https://linear.example/c" } }),
        "IssueCreate" | "CommentCreate" if conflict(&server) => {
            return Json(
                json!({ "errors": [{ "message": "conflict on insert of Thing", "extensions": { "code": "INPUT_ERROR" } }], "data": null }),
            );
        }
        "IssueCreate" => json!({ "issueCreate": { "success": true, "issue": issue("issue-2", TEAM) } }),
        "CommentCreate" => {
            json!({ "commentCreate": { "success": true, "comment": { "id": "c", "url": "https://linear.example/c" } } })
        }
        other => panic!("{other}"),
    };
    Json(json!({ "data": data }))
}

struct Site {
    server: Arc<Server>,
    registry: Registry,
    context: ToolContext,
    _task: AbortOnDropHandle<()>,
}

async fn site(location: &[(&str, &str)]) -> Site {
    let server = Arc::new(Server::default());
    let router = Router::new().route("/graphql", post(answer)).with_state(Arc::clone(&server));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let settings = Settings {
        webhook_secret: Secret::new("0123456789abcdef-secret"),
        auth: Auth::Token(Secret::new("lin_api_token")),
        api_base_url: format!("http://{address}/graphql").parse().unwrap(),
    };
    let links = Links::to([LinkHost::parse("example.com").unwrap()]);
    let linear = Arc::new(Linear::new("linear", settings).unwrap().with_links(&links));
    linear.identify().await.unwrap();
    let connections: LinearConnections = Arc::new(BTreeMap::from([("linear".to_owned(), Arc::clone(&linear))]));
    let mut context = context_in(linear);
    context.connection = "linear".into();
    context.thread = ThreadRef {
        installation: "org".into(),
        key: "session-1".into(),
        location: location.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        display: "ENG-1".into(),
    };
    let registry = Registry::built_in(&Platforms { linear: connections, ..Platforms::default() }).unwrap();
    Site { server, registry, context, _task: AbortOnDropHandle::new(task) }
}

async fn in_session() -> Site {
    site(&[("session", "session-1"), ("issue", ISSUE), ("team", TEAM)]).await
}

impl Site {
    async fn ok(&self, name: &str, arguments: Value) -> String {
        match self.registry.run(name, &self.context, &arguments, LONG, &leave(), Form::Text).await {
            ToolOutcome::Ok { content, truncated: false } => content,
            other => panic!("{other:?}"),
        }
    }

    async fn value(&self, name: &str, arguments: Value) -> Value {
        match self.registry.run(name, &self.context, &arguments, LONG, &leave(), Form::Value).await {
            ToolOutcome::Ok { content, truncated: false } => serde_json::from_str(&content).unwrap(),
            other => panic!("{other:?}"),
        }
    }

    async fn error(&self, name: &str, arguments: Value) -> String {
        match self.registry.run(name, &self.context, &arguments, LONG, &leave(), Form::Text).await {
            ToolOutcome::Error { message } => message,
            other => panic!("{other:?}"),
        }
    }

    fn last(&self, operation: &str) -> Value {
        let asked = self.server.asked.lock().unwrap();
        asked.iter().rfind(|(name, _)| name == operation).unwrap().1.clone()
    }

    fn count(&self, operation: &str) -> usize {
        self.server.asked.lock().unwrap().iter().filter(|(name, _)| name == operation).count()
    }
}

#[tokio::test]
async fn what_is_read_comes_fenced_and_from_the_threads_own_team() {
    let site = in_session().await;
    let pages = [
        site.ok("linear.get_issue", json!({})).await,
        site.ok("linear.list_issues", json!({ "stateType": "started" })).await,
        site.ok("linear.search_issues", json!({ "term": "login" })).await,
        site.ok("linear.list_comments", json!({ "first": 5 })).await,
        site.ok("linear.list_states", json!({})).await,
        site.ok("linear.list_labels", json!({})).await,
        site.ok("linear.list_projects", json!({})).await,
        site.error("linear.get_issue", json!({ "issueId": "ENG-9" })).await,
        site.error("linear.get_issue", json!({ "issueId": "ENG-404" })).await,
        site.error("linear.get_issue", json!({ "issueId": "../x" })).await,
        site.error("linear.list_issues", json!({ "stateType": "open" })).await,
        site.error("linear.get_issue", json!({ "issue_id": "ENG-1" })).await,
    ];
    insta::assert_snapshot!(pages.join("\n\n=====\n\n"));
    assert_eq!(site.last("SearchIssues")["filter"], json!({ "team": { "id": { "eq": TEAM } } }));
    let filter = json!({ "team": { "id": { "eq": TEAM } }, "state": { "type": { "eq": "started" } } });
    assert_eq!(site.last("Issues")["filter"], filter);
}

#[tokio::test]
async fn an_issue_is_changed_by_names_that_there_are() {
    let site = in_session().await;
    let arguments = json!({
        "stateId": "started", "addedLabelIds": ["Docs"], "removedLabelIds": ["l1"], "projectId": "sign-in", "priority": 2,
        "title": " New \n title ", "description": "Ask @ann ![x](https://e.v/x)", "delegateId": "me",
    });
    site.ok("linear.update_issue", arguments).await;
    assert_eq!(
        site.last("IssueUpdate"),
        json!({ "id": ISSUE, "input": {
            "title": "New title", "description": "Ask @\u{200b}ann x (`https://e.v/x`)", "priority": 2, "stateId": "s2",
            "projectId": "p1", "delegateId": "app-1", "addedLabelIds": ["l2"], "removedLabelIds": ["l1"],
        } })
    );
    let said = site.error("linear.update_issue", json!({ "stateId": "Inprogress" })).await;
    assert!(
        said.starts_with("There is no state `Inprogress`. The nearest is `In Progress`. Nothing was done."),
        "{said}"
    );
    for wrong in [
        json!({}),
        json!({ "priority": 5 }),
        json!({ "addedLabelIds": ["nothing"] }),
        json!({ "title": " " }),
        json!({ "delegateId": "somebody" }),
        json!({ "issueId": "ENG-2", "priority": 1 }),
    ] {
        site.error("linear.update_issue", wrong).await;
    }
    assert_eq!(site.count("IssueUpdate"), 1);
}

#[tokio::test]
async fn what_is_made_is_made_once_whatever_is_tried_again() {
    let site = in_session().await;
    let said = site.ok("linear.create_comment", json!({ "body": "Hello @ann" })).await;
    assert_eq!(said, "The comment is posted: https://linear.example/c");
    let input = site.last("CommentCreate")["input"].clone();
    assert_eq!((&input["issueId"], &input["body"]), (&json!(ISSUE), &json!("Hello @\u{200b}ann")));
    let again = site
        .registry
        .resume("linear.create_comment", &site.context, &json!({ "body": "Hello @ann" }), LONG, &leave(), Form::Text)
        .await;
    assert_eq!(again, ToolOutcome::Ok { content: said, truncated: false });
    assert_eq!(site.last("CommentCreate")["input"]["id"], input["id"]);

    let arguments = json!({ "title": "Mend it", "labelIds": ["bug"], "stateId": "Todo", "isSubIssue": true });
    let said = site.ok("linear.create_issue", arguments.clone()).await;
    assert_eq!(said, "The issue ENG-1 is open: https://linear.example/ENG-1");
    let input = site.last("IssueCreate")["input"].clone();
    assert_eq!(
        (&input["teamId"], &input["parentId"], &input["labelIds"]),
        (&json!(TEAM), &json!(ISSUE), &json!(["l1"]))
    );
    assert_eq!(site.ok("linear.create_issue", arguments).await, said);
    site.error("linear.create_comment", json!({ "body": " \n" })).await;
    site.error("linear.create_comment", json!({ "body": "x".repeat(70_000) })).await;
}

#[tokio::test]
async fn plans_and_links_belong_to_the_thread() {
    let site = in_session().await;
    let steps = json!([{ "content": "Look", "status": "completed" }, { "content": "Mend", "status": "inProgress" }]);
    site.ok("linear.update_plan", json!({ "steps": steps })).await;
    assert_eq!(site.last("AgentSessionUpdate"), json!({ "id": "session-1", "input": { "plan": steps } }));
    site.ok("linear.link_url", json!({ "url": "https://example.com/pull/1", "title": "Pull request" })).await;
    let link = json!({ "issueId": ISSUE, "url": "https://example.com/pull/1", "title": "Pull request" });
    assert_eq!(site.last("AttachmentLinkUrl"), link);
    let urls = json!([{ "label": "Pull request", "url": "https://example.com/pull/1" }]);
    assert_eq!(site.last("AgentSessionUpdate")["input"]["addedExternalUrls"], urls);
    for wrong in ["http://example.com", "javascript:alert(1)", "https://a:b@example.com", "example.com", ""] {
        site.error("linear.link_url", json!({ "url": wrong })).await;
    }
    for foreign in
        ["https://evil.example/pull/1", "https://example.com.evil.example", "https://example.com/pull/1?q=secret"]
    {
        let said = site.error("linear.link_url", json!({ "url": foreign })).await;
        assert!(said.contains("[output] link_hosts"), "{foreign}: {said}");
    }
    site.error("linear.update_plan", json!({ "steps": [{ "content": "x", "status": "done" }] })).await;
    assert_eq!((site.count("AttachmentLinkUrl"), site.count("AgentSessionUpdate")), (1, 2));

    // In a thread of comments there is no session, and the team is asked for.
    let site = self::site(&[("issue", ISSUE)]).await;
    site.error("linear.update_plan", json!({ "steps": [{ "content": "x", "status": "pending" }] })).await;
    site.ok("linear.link_url", json!({ "url": "https://example.com/pull/1" })).await;
    assert_eq!(site.count("AgentSessionUpdate"), 0);
    site.ok("linear.list_states", json!({})).await;
    // Elsewhere nothing can be done.
    let site = self::site(&[("channel", "C1")]).await;
    let said = site.error("linear.get_issue", json!({})).await;
    assert!(said.contains("this thread is elsewhere"), "{said}");
}

#[tokio::test]
async fn programs_get_the_same_as_data() {
    let site = in_session().await;
    insta::assert_json_snapshot!([
        site.value("linear.get_issue", json!({})).await,
        site.value("linear.list_issues", json!({})).await,
        site.value("linear.list_comments", json!({})).await,
        site.value("linear.list_states", json!({})).await,
        site.value("linear.list_labels", json!({})).await,
        site.value("linear.list_projects", json!({})).await,
    ]);
}
