//! Answering GraphQL over the workspace: what is asked is validated against the schema and nothing else is answered.

use std::sync::{Arc, OnceLock};

use apollo_compiler::resolvers::{FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::validation::Valid;
use apollo_compiler::{Schema, response::JsonMap};
use serde_json::{Value, json};

use super::objects::{Activity, LinearComment, LinearIssue};
use super::state::{Person, Role, State};

/// The workspace's id.
pub(crate) const ORGANIZATION: &str = "0000000e-0000-4000-8000-000000000001";
/// The one team's id and key.
pub(crate) const TEAM: &str = "0000000d-0000-4000-8000-000000000001";
pub(crate) const TEAM_KEY: &str = "ENG";

/// How many records a page has where nobody says ("Pagination").
const PAGE: usize = 50;

/// The part of Linear's schema that is simulated.
pub(crate) fn schema() -> Option<&'static Valid<Schema>> {
    static SCHEMA: OnceLock<Option<Valid<Schema>>> = OnceLock::new();
    let read = || Schema::parse_and_validate(include_str!("schema.graphql"), "schema.graphql").ok();
    SCHEMA.get_or_init(read).as_ref()
}

/// A time as the API writes it.
pub(crate) fn time(at_ms: u64) -> String {
    let at_ms = i64::try_from(at_ms).unwrap_or_default();
    let time = jiff::Timestamp::from_millisecond(at_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{time:.3}")
}

/// Something that can be asked for its fields, as it was when the answer began.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) state: Arc<State>,
    pub(crate) what: What,
}

/// What it is.
#[derive(Debug, Clone)]
pub(crate) enum What {
    User(String),
    Organization,
    Team,
    WorkflowState(String),
    Label(String),
    Project(String),
    Issue(String),
    Found(String),
    Comment(String),
    Attachment(String, usize),
    Session(String),
    Activity(String),
    Content(String),
    Reaction(String),
    Page { kind: &'static str, nodes: Vec<What>, has_more: bool },
    PageInfo { has_more: bool },
    Payload { kind: &'static str, field: &'static str, what: Box<What> },
}

/// A field's value.
enum Field {
    Leaf(Value),
    One(Option<What>),
    Many(Vec<What>),
    /// A connection, the newest first, whose page the arguments say.
    Pages(&'static str, Vec<What>),
}

pub(crate) fn url(issue: &LinearIssue) -> String {
    format!("https://linear.app/acme/issue/{}", issue.identifier)
}

pub(crate) fn profile(name: &str) -> String {
    format!("https://linear.app/acme/profiles/{name}")
}

impl Node {
    fn user(&self, person: &Person, name: &str) -> Option<Field> {
        let is = |role: Role| Field::Leaf(json!(person.role == role));
        Some(match name {
            "id" => Field::Leaf(json!(person.id)),
            "name" | "displayName" => Field::Leaf(json!(person.name)),
            "email" => Field::Leaf(json!(format!("{}@example.com", person.name))),
            "url" => Field::Leaf(json!(profile(&person.name))),
            "app" | "isAssignable" | "isMentionable" => is(Role::App),
            "supportsAgentSessions" => Field::Leaf(json!(person.role == Role::App && self.state.has_sessions)),
            "active" => Field::Leaf(json!(person.role != Role::Suspended)),
            "admin" => is(Role::Admin),
            "owner" => Field::Leaf(json!(false)),
            "guest" => is(Role::Guest),
            "organization" => Field::One(Some(What::Organization)),
            _ => return None,
        })
    }

    fn issue(&self, issue: &LinearIssue, name: &str) -> Option<Field> {
        let by_name = |person: &Option<String>| {
            person.as_deref().and_then(|name| self.state.person(name)).map(|person| What::User(person.id.clone()))
        };
        Some(match name {
            "id" => Field::Leaf(json!(issue.id)),
            "identifier" => Field::Leaf(json!(issue.identifier)),
            "number" => Field::Leaf(json!(issue.number)),
            "title" => Field::Leaf(json!(issue.title)),
            "description" => Field::Leaf(json!(issue.description)),
            "url" => Field::Leaf(json!(url(issue))),
            "branchName" => Field::Leaf(json!(format!("alice/{}", issue.identifier.to_lowercase()))),
            "priority" => Field::Leaf(json!(f64::from(issue.priority))),
            "priorityLabel" => {
                let names = ["No priority", "Urgent", "High", "Medium", "Low"];
                Field::Leaf(json!(names.get(usize::from(issue.priority)).copied().unwrap_or("No priority")))
            }
            "createdAt" => Field::Leaf(json!(time(issue.at_ms))),
            "updatedAt" => Field::Leaf(json!(time(issue.changed_ms))),
            "state" => {
                let state = self.state.states.iter().find(|state| state.name == issue.state);
                Field::One(state.map(|state| What::WorkflowState(state.id.clone())))
            }
            "team" => Field::One(Some(What::Team)),
            "creator" => Field::One(self.state.user(&issue.creator_id).map(|person| What::User(person.id.clone()))),
            "assignee" => Field::One(by_name(&issue.assignee)),
            "delegate" => Field::One(by_name(&issue.delegate)),
            "project" => {
                let named = |project: &&super::state::Fixed| issue.project.as_deref() == Some(project.name);
                let project = self.state.projects.iter().find(named);
                Field::One(project.map(|project| What::Project(project.id.clone())))
            }
            "parent" => {
                let parent = issue.parent.as_deref().and_then(|parent| self.state.issue(parent));
                Field::One(parent.map(|parent| What::Issue(parent.id.clone())))
            }
            "labels" => {
                let on = self.state.labels.iter().filter(|label| issue.labels.iter().any(|name| name == label.name));
                Field::Pages("IssueLabelConnection", on.map(|label| What::Label(label.id.clone())).collect())
            }
            "attachments" => {
                let all = (0..issue.links.len()).map(|index| What::Attachment(issue.id.clone(), index));
                Field::Pages("AttachmentConnection", all.collect())
            }
            "comments" => {
                let newest = issue.comments.iter().rev().map(|comment| What::Comment(comment.id.clone()));
                Field::Pages("CommentConnection", newest.collect())
            }
            _ => return None,
        })
    }

    fn comment(&self, issue: &LinearIssue, comment: &LinearComment, name: &str) -> Option<Field> {
        Some(match name {
            "id" => Field::Leaf(json!(comment.id)),
            "body" => Field::Leaf(json!(comment.body)),
            "url" => Field::Leaf(json!(format!("{}#comment-{}", url(issue), comment.id))),
            "createdAt" | "updatedAt" => Field::Leaf(json!(time(comment.at_ms))),
            "editedAt" => {
                Field::Leaf(if comment.history.is_empty() { Value::Null } else { json!(time(comment.at_ms)) })
            }
            "user" => Field::One(self.state.user(&comment.author_id).map(|person| What::User(person.id.clone()))),
            "parent" => Field::One(comment.parent.clone().map(What::Comment)),
            "issue" => Field::One(Some(What::Issue(issue.id.clone()))),
            "children" => {
                let below = issue.comments.iter().rev().filter(|one| one.parent.as_ref() == Some(&comment.id));
                Field::Pages("CommentConnection", below.map(|one| What::Comment(one.id.clone())).collect())
            }
            _ => return None,
        })
    }

    fn session(&self, session: &super::Session, name: &str) -> Option<Field> {
        Some(match name {
            "id" => Field::Leaf(json!(session.id)),
            "status" => Field::Leaf(json!(session.status)),
            "createdAt" => Field::Leaf(json!(time(session.at_ms))),
            "issue" => Field::One(self.state.issue(&session.issue).map(|issue| What::Issue(issue.id.clone()))),
            "comment" => Field::One(Some(What::Comment(session.comment.clone()))),
            "creator" => Field::One(Some(What::User(session.creator_id.clone()))),
            "appUser" => Field::One(Some(What::User(self.state.app().id))),
            "plan" => Field::Leaf(session.plan.clone().unwrap_or_default()),
            "externalUrls" => {
                let all = session.urls.iter().map(|(label, url)| json!({ "label": label, "url": url }));
                Field::Leaf(all.collect())
            }
            "activities" => {
                let shown = session.activities.iter().rev().filter(|activity| !activity.is_replaced);
                let shown = shown.map(|activity| What::Activity(activity.id.clone())).collect();
                Field::Pages("AgentActivityConnection", shown)
            }
            _ => return None,
        })
    }

    fn activity(session: &super::Session, activity: &Activity, name: &str) -> Option<Field> {
        Some(match name {
            "id" => Field::Leaf(json!(activity.id)),
            "createdAt" => Field::Leaf(json!(time(activity.at_ms))),
            "ephemeral" => Field::Leaf(json!(activity.ephemeral)),
            "signal" => Field::Leaf(json!(activity.signal)),
            "signalMetadata" => Field::Leaf(activity.signal_metadata.clone().unwrap_or_default()),
            "user" => Field::One(Some(What::User(activity.author_id.clone()))),
            "content" => Field::One(Some(What::Content(activity.id.clone()))),
            "agentSession" => Field::One(Some(What::Session(session.id.clone()))),
            _ => return None,
        })
    }

    fn fixed(&self, id: &str, name: &str) -> Option<Field> {
        let state = &self.state;
        let all = || state.states.iter().chain(&state.labels).chain(&state.projects);
        let at = state.states.iter().position(|one| one.id == id).unwrap_or(0);
        let one = all().find(|one| one.id == id)?;
        Some(match name {
            "id" => Field::Leaf(json!(one.id)),
            "name" => Field::Leaf(json!(one.name)),
            "type" => Field::Leaf(json!(one.kind)),
            "position" => Field::Leaf(json!(f64::from(u32::try_from(at).unwrap_or(u32::MAX)))),
            "description" => Field::Leaf(json!("")),
            "url" => Field::Leaf(json!(format!("https://linear.app/acme/project/{}", one.name.to_lowercase()))),
            "team" => Field::One(None),
            _ => return None,
        })
    }

    fn field(&self, name: &str) -> Option<Field> {
        let state = &self.state;
        match &self.what {
            What::User(id) => self.user(state.user(id)?, name),
            What::Organization => Some(Field::Leaf(json!(match name {
                "id" => ORGANIZATION,
                "name" => "Acme",
                "urlKey" => "acme",
                _ => return None,
            }))),
            What::Team => Some(match name {
                "id" => Field::Leaf(json!(TEAM)),
                "key" => Field::Leaf(json!(TEAM_KEY)),
                "name" => Field::Leaf(json!("Engineering")),
                "states" => {
                    let all = state.states.iter().map(|one| What::WorkflowState(one.id.clone()));
                    Field::Pages("WorkflowStateConnection", all.collect())
                }
                "labels" => {
                    let all = state.labels.iter().map(|one| What::Label(one.id.clone()));
                    Field::Pages("IssueLabelConnection", all.collect())
                }
                "projects" => {
                    let all = state.projects.iter().map(|one| What::Project(one.id.clone()));
                    Field::Pages("ProjectConnection", all.collect())
                }
                "issues" => {
                    let all = state.issues.iter().rev().map(|issue| What::Issue(issue.id.clone()));
                    Field::Pages("IssueConnection", all.collect())
                }
                _ => return None,
            }),
            What::WorkflowState(id) | What::Label(id) | What::Project(id) => self.fixed(id, name),
            What::Issue(id) | What::Found(id) => self.issue(state.issue(id)?, name),
            What::Comment(id) => {
                let (issue, comment) = state.comment(id)?;
                self.comment(issue, comment, name)
            }
            What::Attachment(issue, index) => {
                let (title, url) = state.issue(issue)?.links.get(*index)?;
                Some(Field::Leaf(match name {
                    "id" => json!(format!("{issue}-{index}")),
                    "title" => json!(title),
                    "url" => json!(url),
                    _ => return None,
                }))
            }
            What::Session(id) => self.session(state.session(id)?, name),
            What::Activity(id) => {
                let (session, activity) = state.activity(id)?;
                Self::activity(session, activity, name)
            }
            What::Content(id) => {
                let (_, activity) = state.activity(id)?;
                Some(Field::Leaf(activity.content.get(name).cloned().unwrap_or_default()))
            }
            What::Reaction(emoji) => Some(Field::Leaf(json!(if name == "id" { "reaction" } else { emoji }))),
            What::Page { nodes, has_more, .. } => Some(match name {
                "nodes" => Field::Many(nodes.clone()),
                "pageInfo" => Field::One(Some(What::PageInfo { has_more: *has_more })),
                _ => return None,
            }),
            What::PageInfo { has_more } => Some(Field::Leaf(match name {
                "hasNextPage" => json!(has_more),
                "hasPreviousPage" => json!(false),
                "startCursor" | "endCursor" => Value::Null,
                _ => return None,
            })),
            What::Payload { field, what, .. } => Some(match name {
                "success" => Field::Leaf(json!(true)),
                "lastSyncId" => Field::Leaf(json!(1.0)),
                name if name == *field => Field::One(Some((**what).clone())),
                _ => return None,
            }),
        }
    }

    fn at(&self, what: What) -> Self {
        Self { state: Arc::clone(&self.state), what }
    }

    /// One page of a connection, as its arguments say.
    pub(crate) fn page(kind: &'static str, mut nodes: Vec<What>, arguments: &JsonMap) -> What {
        let number = |name: &str| {
            arguments
                .get(name)
                .and_then(apollo_compiler::response::JsonValue::as_u64)
                .and_then(|n| usize::try_from(n).ok())
        };
        if let Some(last) = number("last") {
            let surplus = nodes.len().saturating_sub(last);
            nodes.drain(..surplus);
        }
        let first = number("first").unwrap_or(PAGE);
        let has_more = nodes.len() > first;
        nodes.truncate(first);
        What::Page { kind, nodes, has_more }
    }
}

impl ObjectValue for Node {
    fn type_name(&self) -> &str {
        match &self.what {
            What::User(_) => "User",
            What::Organization => "Organization",
            What::Team => "Team",
            What::WorkflowState(_) => "WorkflowState",
            What::Label(_) => "IssueLabel",
            What::Project(_) => "Project",
            What::Issue(_) => "Issue",
            What::Found(_) => "IssueSearchResult",
            What::Comment(_) => "Comment",
            What::Attachment(..) => "Attachment",
            What::Session(_) => "AgentSession",
            What::Activity(_) => "AgentActivity",
            What::Content(id) => match self.state.activity(id).map(|(_, activity)| activity.kind.as_str()) {
                Some("thought") => "AgentActivityThoughtContent",
                Some("action") => "AgentActivityActionContent",
                Some("elicitation") => "AgentActivityElicitationContent",
                Some("error") => "AgentActivityErrorContent",
                Some("prompt") => "AgentActivityPromptContent",
                _ => "AgentActivityResponseContent",
            },
            What::Reaction(_) => "Reaction",
            What::Page { kind, .. } | What::Payload { kind, .. } => kind,
            What::PageInfo { .. } => "PageInfo",
        }
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        match self.field(info.field_name()) {
            None => Err(self.unknown_field_error(info)),
            Some(Field::Leaf(value)) => Ok(ResolvedValue::leaf(value)),
            Some(Field::One(what)) => Ok(ResolvedValue::nullable_object(what.map(|what| self.at(what)))),
            Some(Field::Many(all)) => {
                let nodes = all.into_iter().map(|what| Ok(ResolvedValue::object(self.at(what))));
                Ok(ResolvedValue::List(Box::new(nodes)))
            }
            Some(Field::Pages(kind, nodes)) => {
                Ok(ResolvedValue::object(self.at(Self::page(kind, nodes, info.arguments()))))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::process::Command;

    use apollo_compiler::schema::ExtendedType;

    use super::*;

    /// Linear's public schema, as the crate `linear-schema` carries it.
    fn whole() -> Valid<Schema> {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--locked", "--offline"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .unwrap();
        let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
        let packages = metadata["packages"].as_array().unwrap();
        let package = packages.iter().find(|package| package["name"] == "linear-schema").unwrap();
        let file = PathBuf::from(package["manifest_path"].as_str().unwrap()).with_file_name("linear.graphql");
        Schema::parse_and_validate(std::fs::read_to_string(&file).unwrap(), file).unwrap()
    }

    #[test]
    fn the_simulated_schema_is_a_part_of_linears() {
        let (part, whole) = (schema().unwrap(), whole());
        let mut compared = 0;
        for (name, own) in part.types.iter().filter(|(_, own)| !own.is_built_in()) {
            let real = whole.types.get(name).unwrap_or_else(|| panic!("there is no {name}"));
            match (own, real) {
                (ExtendedType::Object(own), ExtendedType::Object(real)) => {
                    for (field, own) in &own.fields {
                        let real = real.fields.get(field).unwrap_or_else(|| panic!("there is no {name}.{field}"));
                        assert_eq!(own.ty, real.ty, "{name}.{field}");
                        for own in &own.arguments {
                            let real = real.argument_by_name(&own.name).unwrap_or_else(|| panic!("{name}.{field}"));
                            assert_eq!(own.ty, real.ty, "{name}.{field}({})", own.name);
                        }
                        let is_needed = |real: &&apollo_compiler::Node<_>| {
                            let real: &apollo_compiler::ast::InputValueDefinition = real;
                            real.is_required() && own.argument_by_name(&real.name).is_none()
                        };
                        assert!(!real.arguments.iter().any(|real| is_needed(&real)), "{name}.{field}");
                        compared += 1;
                    }
                }
                (ExtendedType::InputObject(own), ExtendedType::InputObject(real)) => {
                    for (field, own) in &own.fields {
                        assert_eq!(own.ty, real.fields[field].ty, "{name}.{field}");
                    }
                    for (field, real) in &real.fields {
                        assert!(!real.is_required() || own.fields.contains_key(field), "{name}.{field} is needed");
                    }
                }
                (ExtendedType::Enum(own), ExtendedType::Enum(real)) => {
                    assert!(own.values.keys().all(|value| real.values.contains_key(value)), "{name}");
                }
                (ExtendedType::Union(own), ExtendedType::Union(real)) => assert_eq!(own.members, real.members),
                (ExtendedType::Scalar(_), ExtendedType::Scalar(_)) => {}
                _ => panic!("{name} is of another kind"),
            }
        }
        assert!(compared > 100, "{compared}");
    }
}
