//! `reveille add channel PLATFORM`: writes the connection, prints what the platform wants to be given, takes what it gives back,
//! asks it who we are there, and leaves a page that says all of it (`docs/channels/NAME.md`).
//!
//! Without a terminal nothing is asked: what can be done is done, and what is missing is said. Done again it changes nothing, and
//! what is there already is changed only when somebody says so.

mod ask;
mod blueprint;
mod dotenv;
mod needs;
mod platforms;
mod report;
mod site;
mod table;
mod wish;

use clap::builder::NonEmptyStringValueParser;
use url::Url;

use super::project::{self, Project};
use crate::cli::context::Context;
use crate::cli::doctor;
use crate::cli::failure::{Code, Failure};
use crate::config::{self, Mode};

use ask::Terminal;
use platforms::{DiscordArgs, GithubArgs, LinearArgs, SlackArgs};
use report::{Missing, Report};
use wish::Wish;

/// Arguments of `add channel`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    platform: Platform,
}

/// The platforms.
#[derive(Debug, clap::Subcommand)]
enum Platform {
    /// An app in a Slack workspace
    Slack(SlackArgs),
    /// A GitHub App, or a token
    Github(GithubArgs),
    /// An application in a Linear workspace, to which issues are delegated
    Linear(LinearArgs),
    /// An application in Discord servers
    Discord(DiscordArgs),
}

/// Flags of every platform. Secrets are none of them: they are variables, lines of `.env`, or typed unseen.
#[derive(Debug, clap::Args)]
struct Common {
    /// The connection's name, part of its addresses; without it the platform's
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    name: Option<String>,

    /// How the platform reaches the gateway: https://bot.example.com
    #[arg(long, value_name = "URL")]
    public_url: Option<String>,

    /// Where the platform's API is, if not at its usual address
    #[arg(long, value_name = "URL")]
    api_base_url: Option<String>,

    /// What the app is called there; without it as the first agent that wakes there
    #[arg(long, value_name = "NAME")]
    app_name: Option<String>,

    /// Ask nothing, and agree to what would be asked
    #[arg(long)]
    yes: bool,

    /// Print JSON, and ask nothing
    #[arg(long)]
    json: bool,

    /// Fail unless the platform says who we are there
    #[arg(long, overrides_with = "no_check")]
    check: bool,

    /// Do not ask the platform who we are there
    #[arg(long)]
    no_check: bool,
}

pub(super) async fn run(context: &mut Context, args: &Args) -> Result<(), Failure> {
    let common = args.platform.common();
    let name = common.name.as_deref().unwrap_or_else(|| args.platform.as_str());
    check_flags(common, name)?;
    let project = Project::open(context)?;
    let mut terminal =
        if !common.json && !common.yes && ask::somebody_is_there() { Some(Terminal::new()?) } else { None };

    let before = table::keys_of(&project.text, name);
    let platform = args.platform.as_str();
    let is_other = match before.get("kind") {
        Some(kind) => kind != platform,
        None => !before.is_empty() && name != platform,
    };
    if is_other {
        let what = format!("there is a connection `{name}` already, to another platform than {platform}");
        return Err(Failure::new(Code::Addition, what, "choose another name with --name"));
    }
    let wish = args.platform.wish(name, &before);
    let said_url = said_url(&project, common, &wish, terminal.as_mut())?;
    let edited = table::edit(&project.text, &wish, said_url.as_deref())?;
    let config = project.load_text(&edited.text)?;
    agree(&edited.changed, common.yes, terminal.as_mut())?;

    let mut report = Report::new(name, platform);
    for pattern in project::ignore(&project.folder, &[".env", "*.pem"])? {
        report.wrote(".gitignore", pattern);
    }
    let site = site::site(&project, &config, &wish, &edited.keys, common);
    let guide = (wish.guide)(&site);
    let page = project.folder.join("docs/channels").join(format!("{name}.md"));
    write_page(&project, &page, &blueprint::page(&wish, &site, &guide), &mut report)?;
    // Last but for secrets: until here nothing that counts is changed.
    if edited.text == project.text {
        report.kept(&project.shown(&project.path), &format!("[channels.{name}] is there already"));
    } else {
        project::write(&project.path, &edited.text, false)?;
        for line in edited.added.iter().chain(&edited.changed) {
            report.wrote(&project.shown(&project.path), line);
        }
    }
    needs::make_secrets(&project, &wish, &edited.keys, &mut report)?;
    report.guide = guide;
    report.blueprint = project.shown(&page);
    if !common.json {
        report.print_work(&mut context.output)?;
    }

    if let Some(terminal) = &mut terminal {
        needs::take_secrets(&project, &wish, &edited.keys, terminal, &mut report)?;
    }
    report.missing = needs::missing(&project, &wish, &edited.keys);
    if site.public_url.is_none() && wish.is_reached {
        let found = "how the platform reaches the gateway: run this again with --public-url https://...";
        let what = "is not set".to_owned();
        report.missing.push(Missing { name: "server.public_url".to_owned(), what, found: found.to_owned() });
    }
    let config = context.load(Mode::Tool, Vec::new())?;
    // It is there once its secrets are.
    if !common.no_check
        && let Some(settings) = config.channels.get(name)
    {
        report.checks = doctor::connection(&config, name, settings).await;
    }
    if common.json {
        context.output.json(&report)?;
    } else {
        report.print_rest(&mut context.output)?;
    }
    report.outcome(common.check)
}

/// What can be told to be wrong before anything is looked at.
fn check_flags(common: &Common, name: &str) -> Result<(), Failure> {
    let wrong = |what: String, help: &str| Err(Failure::new(Code::Addition, what, help));
    if !config::is_channel_name(name) {
        let help = "it is part of the path that the platform calls, /channels/NAME: at most 40 of a-z, 0-9 and `-`, and not `local`";
        return wrong(format!("`{name}` cannot name a connection"), help);
    }
    for (flag, url) in [("--public-url", &common.public_url), ("--api-base-url", &common.api_base_url)] {
        let Some(url) = url else { continue };
        if let Err(why) = address(url) {
            return wrong(format!("{flag}: `{url}` {why}"), "write it as https://bot.example.com");
        }
    }
    if common.app_name.as_ref().is_some_and(|name| name.trim().is_empty() || name.chars().any(char::is_control)) {
        return wrong(
            "--app-name: it is empty or holds control characters".into(),
            "choose what people will read and call",
        );
    }
    Ok(())
}

/// Why something is no address that a platform could call.
fn address(text: &str) -> Result<(), String> {
    match Url::parse(text) {
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            Err("has a user name or password in it".into())
        }
        Ok(url) if url.query().is_some() || url.fragment().is_some() => Err("has a query or a fragment".into()),
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Ok(()),
        Ok(url) => Err(format!("begins with {}:", url.scheme())),
        Err(error) => Err(format!("is no address: {error}")),
    }
}

/// The public address, where somebody says it now.
fn said_url(
    project: &Project,
    common: &Common,
    wish: &Wish,
    terminal: Option<&mut Terminal>,
) -> Result<Option<String>, Failure> {
    if let Some(url) = &common.public_url {
        return Ok(Some(url.trim_end_matches('/').to_owned()));
    }
    let Some(terminal) = terminal.filter(|_| project.config.server.public_url.is_none() && wish.is_reached) else {
        return Ok(None);
    };
    loop {
        let question = format!("How does {} reach the gateway? https://... (Enter: later) ", wish.title);
        let url = terminal.line(&question)?;
        if url.is_empty() {
            return Ok(None);
        }
        if address(&url).is_ok() {
            return Ok(Some(url.trim_end_matches('/').to_owned()));
        }
    }
}

/// Whether what is there may become something else.
fn agree(changed: &[String], is_agreed: bool, terminal: Option<&mut Terminal>) -> Result<(), Failure> {
    if changed.is_empty() || is_agreed {
        return Ok(());
    }
    let list = changed.join("; ");
    if let Some(terminal) = terminal
        && terminal.agrees(&format!("This changes what is there: {list}. Change it?"))?
    {
        return Ok(());
    }
    let what = format!("this would change what is there: {list}");
    Err(Failure::new(Code::Addition, what, "nothing was written; say --yes, or add another connection with --name"))
}

fn write_page(project: &Project, path: &std::path::Path, page: &str, report: &mut Report) -> Result<(), Failure> {
    let shown = project.shown(path);
    match project::read_if_there(path)? {
        Some(before) if before == page => report.kept(&shown, "it says what is to be done already"),
        Some(before) if !before.starts_with(blueprint::MARK) => report.kept(&shown, "it is not ours"),
        _ => {
            project::write(path, page, false)?;
            report.wrote(&shown, "how the app is set up, step by step");
        }
    }
    Ok(())
}
