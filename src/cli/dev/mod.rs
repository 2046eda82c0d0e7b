//! `reveille dev`: the gateway on a laptop, with simulated platforms and, without a key, a rehearsal model.

mod memory;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use reveille_channel::Secret;
use reveille_simulator::{DiscordOptions, GithubOptions, LinearOptions, Options, Simulator, SlackOptions};

use self::memory::Keeper;
use super::context::Context;
use super::failure::{Code, Failure};
use super::serve::{Signals, listen_flag};
use crate::config::{ChannelSettings, Config, Mode, Storage};
use crate::gateway::{Gateway, Parts, StartError, bind};
use crate::models;
use crate::telemetry::Metrics;

/// Where the simulated platforms listen, and where `reveille say` looks for them.
pub(super) const SIMULATOR: &str = "127.0.0.1:7374";

/// The waits before Slack's further tries ("Events API: retries").
const RETRIES: [Duration; 3] = [Duration::from_millis(100), Duration::from_secs(60), Duration::from_secs(300)];

/// The waits before Linear's further tries, a hundred times shorter than its own: a minute, an hour, six hours.
const LINEAR_RETRIES: [Duration; 3] = [Duration::from_millis(600), Duration::from_secs(36), Duration::from_secs(216)];

/// Arguments of `dev`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Where to listen, in place of server.listen
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,

    /// Where the simulated platforms listen
    #[arg(long, value_name = "ADDRESS", default_value = SIMULATOR)]
    simulator: SocketAddr,

    /// Forget what the simulated platforms held when it was ended
    #[arg(long)]
    fresh: bool,
}

pub(super) async fn run(context: &mut Context, args: &Args) -> Result<(), Failure> {
    let mut config = context.load(Mode::Dev, listen_flag(args.listen.as_deref()))?;
    let mut signals = Signals::listen()?;
    let (simulator, simulated) = simulate(&mut config, args.simulator).await?;
    let (models, default_model, problems) =
        models::or_rehearsal(&config).map_err(|error| StartError::Model(error.to_string()))?;
    for problem in problems {
        tracing::warn!(problem, "a model cannot be used");
    }
    let model = default_model.as_ref().map(|model| model.table.clone()).unwrap_or_default();
    let is_rehearsal = model == models::REHEARSAL;
    let bound = bind(config.server.listen).await?;
    let parts = Parts::of(&config, models, default_model).await?;
    let agents: Vec<String> = parts.catalogue.agents().iter().map(|agent| agent.name.clone()).collect();
    for error in parts.catalogue.errors().iter() {
        context.report_one(error);
    }
    let metrics = Metrics::install().map_err(|error| StartError::Metrics(error.to_string()))?;
    // The storage folder is ours now, and nobody has asked the platforms for anything yet.
    let Storage::Folder(folder) = &config.storage;
    let file = memory::file_of(folder);
    let has_recalled = recall(context, &simulator, &file, args.fresh)?;
    let keeper = Keeper::start(simulator.memory(), file.clone());
    let gateway = Gateway::start(parts);
    let listening = gateway.serve(bound, Some(metrics));
    simulator.set_deliver_to(format!("http://{}", listening.address).parse().map_err(|error: url::ParseError| {
        Failure::new(Code::Simulator, error.to_string(), "set server.listen to an address such as 127.0.0.1:7373")
    })?);
    let output = &mut context.output;
    output.line(format!("reveille dev: the gateway listens on http://{}", listening.address))?;
    output.line(format!("  playground   http://{}", simulator.address()))?;
    output.line(format!("  simulated    {}", simulated.join(", ")))?;
    if has_recalled {
        output.line(format!("  remembered   what they held before, from {}; --fresh forgets it", file.display()))?;
    }
    output.line(&match agents.as_slice() {
        [] => format!("  agents       none in {}; `reveille init` writes a first one", config.agents.dir.display()),
        some => format!("  agents       {}", some.join(", ")),
    })?;
    output.line(&if is_rehearsal {
        "  model        rehearsal: answers from a file; set ANTHROPIC_API_KEY or add a table under [models]".to_owned()
    } else {
        format!("  model        {model}")
    })?;
    output.line("")?;
    output.line("In a second terminal:")?;
    output.line("  reveille say slack \"#general\" \"@assistant what can you do?\"")?;
    output.line("  reveille say discord \"#general\" \"@assistant what can you do?\"")?;
    output.line("  reveille say github acme/app#1 \"@assistant summarise this\"")?;
    output.line("  reveille say linear ENG-1 \"@assistant what is this about?\"")?;
    output.flush()?;
    signals.next().await;
    signals.or_now(gateway.stop(Some(listening))).await;
    simulator.shutdown().await;
    keeper.stop().await;
    Ok(())
}

/// Puts into the platforms what they held when `dev` was ended. Whether there was anything.
fn recall(context: &mut Context, simulator: &Simulator, file: &Path, is_fresh: bool) -> Result<bool, Failure> {
    if is_fresh {
        memory::forget(file).map_err(|error| {
            let what = format!("{} cannot be removed: {error}", file.display());
            Failure::new(Code::Simulator, what, "remove it yourself, or leave out --fresh")
        })?;
        return Ok(false);
    }
    memory::recall(&simulator.memory(), file).or_else(|unreadable| {
        context.note(&unreadable.to_string());
        Ok(false)
    })
}

/// Starts the platforms and puts connections to them into the configuration, for those that have no real one.
async fn simulate(config: &mut Config, listen: SocketAddr) -> Result<(Simulator, Vec<String>), Failure> {
    let names = Names::of(config);
    // Between this process and itself; never used with a real platform.
    let signing_secret = format!("simulated-{:032x}", rand::random::<u128>());
    let token = format!("simulated-{:032x}", rand::random::<u128>());
    let simulator = Simulator::start(Options {
        listen,
        deliver_to: "http://127.0.0.1:9".parse().map_err(|error: url::ParseError| {
            Failure::new(Code::Simulator, error.to_string(), "this is a mistake of the build; please report it")
        })?,
        slack: SlackOptions {
            connection: names.slack.clone().unwrap_or_else(|| "slack".into()),
            signing_secret: signing_secret.clone(),
            bot_token: token.clone(),
            bot_name: "assistant".into(),
            streaming: true,
            retries: RETRIES.to_vec(),
        },
        github: GithubOptions {
            connection: names.github.clone().unwrap_or_else(|| "github".into()),
            webhook_secret: signing_secret.clone(),
            token: token.clone(),
            bot_login: "assistant[bot]".into(),
            app: None,
        },
        linear: LinearOptions {
            connection: names.linear.clone().unwrap_or_else(|| "linear".into()),
            webhook_secret: signing_secret.clone(),
            access_token: token.clone(),
            client: (String::new(), String::new()),
            app_name: "assistant".into(),
            sessions: true,
            data_changes: true,
            retries: LINEAR_RETRIES.to_vec(),
        },
        discord: DiscordOptions {
            connection: names.discord.clone().unwrap_or_else(|| "discord".into()),
            bot_token: token.clone(),
            seed: rand::random(),
            ..DiscordOptions::default()
        },
    })
    .await
    .map_err(|error| {
        Failure::new(
            Code::Simulator,
            error.to_string(),
            "stop what uses the port, or name another one with --simulator",
        )
    })?;
    let address = |base: String| {
        base.parse().map_err(|error: url::ParseError| {
            Failure::new(Code::Simulator, error.to_string(), "name another address with --simulator")
        })
    };
    let mut simulated = Vec::new();
    if let Some(name) = names.slack {
        let settings = reveille_slack::Settings {
            signing_secret: Some(Secret::new(signing_secret.clone())),
            app_token: None,
            bot_token: Some(Secret::new(token.clone())),
            client: None,
            api_base_url: address(simulator.slack_api_base_url())?,
            feedback: true,
        };
        config.channels.insert(name.clone(), ChannelSettings::Slack(settings));
        simulated.push(shown(&name, "slack", "#general, #random, #support, dm"));
    }
    if let Some(name) = names.github {
        let settings = reveille_github::Settings {
            webhook_secret: Secret::new(signing_secret.clone()),
            auth: reveille_github::Auth::Token(Secret::new(token.clone())),
            api_base_url: address(simulator.github_api_base_url())?,
        };
        config.channels.insert(name.clone(), ChannelSettings::Github(settings));
        simulated.push(shown(&name, "github", "acme/app"));
    }
    if let Some(name) = names.linear {
        let settings = reveille_linear::Settings {
            webhook_secret: Secret::new(signing_secret),
            auth: reveille_linear::Auth::Token(Secret::new(token.clone())),
            api_base_url: address(simulator.linear_api_base_url())?,
        };
        config.channels.insert(name.clone(), ChannelSettings::Linear(settings));
        simulated.push(shown(&name, "linear", "ENG-1 to ENG-3"));
    }
    if let Some(name) = names.discord {
        let settings = reveille_discord::Settings {
            application_id: simulator.discord().application_id(),
            public_key: simulator.discord().public_key(),
            bot_token: Secret::new(token),
            api_base_url: address(simulator.discord_api_base_url())?,
            gateway: true,
            gateway_url: address(simulator.discord_gateway_url())?,
            command_guilds: Vec::new(),
        };
        config.channels.insert(name.clone(), ChannelSettings::Discord(settings));
        simulated.push(shown(&name, "discord", "#general, #random, #support, #lounge, dm"));
    }
    if simulated.is_empty() {
        simulated.push("nothing: all platforms are configured".to_owned());
    }
    Ok((simulator, simulated))
}

/// The connections that are simulated, one for a platform: one that is configured and lacks its secrets, under its own name, else
/// one under the platform's, unless that is a real one.
struct Names {
    slack: Option<String>,
    github: Option<String>,
    linear: Option<String>,
    discord: Option<String>,
}

impl Names {
    fn of(config: &Config) -> Self {
        let name = |platform: &str| {
            let mut unset = config.unset_channels.iter().filter(|(_, of)| **of == platform).map(|(name, _)| name);
            unset.next().cloned().or_else(|| {
                let is_free = !config.channels.contains_key(platform) && !config.unset_channels.contains_key(platform);
                is_free.then(|| platform.to_owned())
            })
        };
        Self { slack: name("slack"), github: name("github"), linear: name("linear"), discord: name("discord") }
    }
}

/// What is simulated, for people.
fn shown(name: &str, platform: &str, places: &str) -> String {
    if name == platform { format!("{name} ({places})") } else { format!("{platform} as {name} ({places})") }
}
