//! A project in a folder of its own, a simulated Slack, GitHub and Linear, and the real binary between them.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use reveille_simulator::{DiscordOptions, GithubApp, GithubOptions, LinearOptions, Options, Simulator, SlackOptions};
use tempfile::TempDir;

/// Longer than anything here takes; only a test that fails waits for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

pub(crate) const SIGNING_SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
pub(crate) const BOT_TOKEN: &str = "simulated-bot-token-of-discord";
pub(crate) const WEBHOOK_SECRET: &str = "It's a Secret to Everybody";
pub(crate) const LINEAR_SECRET: &str = "lin_wh_0123456789abcdefghij";

/// One story: a project and its platforms.
pub(crate) struct Stage {
    pub(crate) folder: TempDir,
    pub(crate) simulator: Simulator,
    port: u16,
}

/// A gateway that runs. Dropping it ends it as kill -9 does.
pub(crate) struct Gateway {
    child: Child,
}

/// What the platforms of a stage are like. By default each can do what it can.
struct Scene {
    /// Slack has streams.
    streaming: bool,
    /// Linear tells of agent sessions.
    sessions: bool,
    /// GitHub knows an app and no token.
    app: Option<GithubApp>,
    /// Discord is there.
    discord: Option<DiscordOptions>,
}

impl Default for Scene {
    fn default() -> Self {
        Self { streaming: true, sessions: true, app: None, discord: None }
    }
}

impl Stage {
    /// A stage with this script as its model.
    pub(crate) async fn new(script: &str) -> Self {
        Self::build(script, Scene::default()).await
    }

    /// A stage whose Slack has streams, or not.
    pub(crate) async fn with(script: &str, streaming: bool) -> Self {
        Self::build(script, Scene { streaming, ..Scene::default() }).await
    }

    /// A stage whose Linear tells of agent sessions, or does not.
    pub(crate) async fn with_linear(script: &str, sessions: bool) -> Self {
        Self::build(script, Scene { sessions, ..Scene::default() }).await
    }

    /// A stage whose GitHub knows a GitHub App and no token.
    pub(crate) async fn of_app(script: &str) -> Self {
        let key = include_str!("../../channels/github/fixtures/app.public.pem");
        let app = Some(GithubApp::new(12_345, "reveille-test", key));
        let stage = Self::build(script, Scene { app, ..Scene::default() }).await;
        stage.write("app.pem", include_str!("../../channels/github/fixtures/app.pem"));
        let path = stage.folder.path().join("reveille.toml");
        let text = std::fs::read_to_string(path).unwrap();
        let credentials = "app_id = 12345\nprivate_key = \"file:app.pem\"";
        stage.write("reveille.toml", &text.replace("token = \"env:GITHUB_TOKEN\"", credentials));
        stage
    }

    /// A stage with Discord beside the others.
    pub(crate) async fn with_discord(script: &str, options: DiscordOptions) -> Self {
        Self::build(script, Scene { discord: Some(options), ..Scene::default() }).await
    }

    async fn build(script: &str, scene: Scene) -> Self {
        let Scene { streaming, sessions, app, discord } = scene;
        let is_on_discord = discord.is_some();
        let simulator = Simulator::start(Options {
            listen: "127.0.0.1:0".parse().unwrap(),
            deliver_to: "http://127.0.0.1:9".parse().unwrap(),
            slack: SlackOptions {
                connection: "slack".into(),
                signing_secret: SIGNING_SECRET.into(),
                bot_token: "xoxb-simulated".into(),
                bot_name: "assistant".into(),
                streaming,
                retries: vec![Duration::from_millis(100); 50],
            },
            github: GithubOptions {
                connection: "github".into(),
                webhook_secret: WEBHOOK_SECRET.into(),
                token: "ghp_simulated".into(),
                bot_login: if app.is_some() { "reveille-test[bot]".into() } else { "assistant[bot]".into() },
                app,
            },
            linear: LinearOptions {
                connection: "linear".into(),
                webhook_secret: LINEAR_SECRET.into(),
                access_token: "lin_oauth_simulated".into(),
                client: ("client-1".into(), "very-secret".into()),
                app_name: "assistant".into(),
                sessions,
                data_changes: true,
                retries: vec![Duration::from_millis(100); 50],
            },
            discord: DiscordOptions { bot_token: BOT_TOKEN.into(), ..discord.unwrap_or_default() },
        })
        .await
        .unwrap();
        let folder = TempDir::new().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        simulator.set_deliver_to(format!("http://127.0.0.1:{port}").parse().unwrap());
        let stage = Self { folder, simulator, port };
        stage.write("script.yaml", script);
        let mut configuration = format!(
            r#"
[server]
listen = "127.0.0.1:{port}"

[models.played]
provider = "script"
script = "script.yaml"

[channels.slack]
signing_secret = "env:SLACK_SIGNING_SECRET"
bot_token = "env:SLACK_BOT_TOKEN"
api_base_url = "{}"

[channels.github]
webhook_secret = "env:GITHUB_WEBHOOK_SECRET"
token = "env:GITHUB_TOKEN"
api_base_url = "{}"

[channels.linear]
webhook_secret = "env:LINEAR_WEBHOOK_SECRET"
access_token = "env:LINEAR_ACCESS_TOKEN"
api_base_url = "{}"
"#,
            stage.simulator.slack_api_base_url(),
            stage.simulator.github_api_base_url(),
            stage.simulator.linear_api_base_url(),
        );
        if is_on_discord {
            configuration.push_str(&format!(
                r#"
[channels.discord]
application_id = "{}"
public_key = "{}"
bot_token = "env:DISCORD_BOT_TOKEN"
api_base_url = "{}"
gateway_url = "{}"
"#,
                stage.simulator.discord().application_id(),
                stage.simulator.discord().public_key(),
                stage.simulator.discord_api_base_url(),
                stage.simulator.discord_gateway_url(),
            ));
        }
        stage.write("reveille.toml", &configuration);
        for agent in ["assistant", "ops", "triage"] {
            stage.ship(agent);
        }
        stage
    }

    /// Puts an agent into the project that comes with the gateway.
    pub(crate) fn ship(&self, agent: &str) {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("agents").join(agent);
        copy(&shipped, &self.folder.path().join("agents").join(agent));
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Changes the configuration.
    pub(crate) fn configure(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.folder.path().join("reveille.toml")).unwrap();
        assert!(text.contains(from), "{text}");
        self.write("reveille.toml", &text.replace(from, to));
    }

    /// Where the gateway listens.
    pub(crate) fn address(&self) -> std::net::SocketAddr {
        std::net::SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// The command line in this project.
    pub(crate) fn reveille(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_reveille"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("SLACK_SIGNING_SECRET", SIGNING_SECRET)
            .env("SLACK_BOT_TOKEN", "xoxb-simulated")
            .env("GITHUB_WEBHOOK_SECRET", WEBHOOK_SECRET)
            .env("GITHUB_TOKEN", "ghp_simulated")
            .env("LINEAR_WEBHOOK_SECRET", LINEAR_SECRET)
            .env("LINEAR_ACCESS_TOKEN", "lin_oauth_simulated")
            .env("LINEAR_CLIENT_SECRET", "very-secret")
            .env("DISCORD_BOT_TOKEN", BOT_TOKEN)
            .env("SLACK_CLIENT_SECRET", "slack-client-secret")
            .env("REVEILLE_STORAGE_KEY", "0f".repeat(32));
        command
    }

    /// Starts the gateway and waits until it listens. `faults` as in the variable FAILPOINTS.
    pub(crate) fn serve(&self, faults: &str) -> Gateway {
        let mut child = self
            .reveille(&["serve"])
            .env("FAILPOINTS", faults)
            .env("REVEILLE_LOG", "debug,hyper=warn,sqlx=warn")
            .stdout(Stdio::piped())
            .stderr(log_of(self.folder.path()))
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        // With a fault it may be gone before it says so.
        assert!(!faults.is_empty() || line.contains("is listening"), "{}", self.log());
        Gateway { child }
    }

    pub(crate) fn log(&self) -> String {
        let mut text = String::new();
        let file = std::fs::File::open(self.folder.path().join("log"));
        file.unwrap().read_to_string(&mut text).unwrap();
        text
    }

    /// Records of a kind, from the journal of a gateway that may run.
    pub(crate) fn records(&self, kind: &str) -> Vec<serde_json::Value> {
        let output = self.reveille(&["tail", "--no-follow", "--json", "-n", "100000"]).output().unwrap();
        String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .filter(|line| line["record"]["body"]["kind"] == kind)
            .collect()
    }
}

impl Gateway {
    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// SIGTERM, and its exit code.
    pub(crate) fn terminate(mut self) -> Option<i32> {
        let kill = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(kill.success());
        self.child.wait().unwrap().code()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn log_of(folder: &Path) -> std::fs::File {
    std::fs::File::options().create(true).append(true).open(folder.join("log")).unwrap()
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
