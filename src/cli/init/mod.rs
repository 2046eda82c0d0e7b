//! `reveille init [DIR]`: the files a bot project begins with. Nothing that is there is overwritten.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::context::Context;
use super::failure::{Code, Failure};

/// Arguments of `init`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder; it is made if it is not there
    #[arg(default_value = ".")]
    dir: PathBuf,
}

/// The files, with what each is for.
const FILES: [(&str, &str, &str); 4] = [
    ("reveille.toml", include_str!("reveille.toml"), "the configuration"),
    (
        "agents/assistant/AGENT.md",
        include_str!("../../../agents/assistant/AGENT.md"),
        "an agent: who it is, what wakes it, what it may do",
    ),
    (".env.example", include_str!("env.example"), "the secrets the configuration can refer to; copy it to .env"),
    (".gitignore", include_str!("gitignore"), "keeps secrets and data out of version control"),
];

pub(super) fn run(context: &mut Context, args: &Args) -> Result<(), Failure> {
    let mut made = 0;
    for (name, text, purpose) in FILES {
        let path = args.dir.join(name);
        if write_new(&path, text)? {
            made += 1;
            context.output.line(format!("made  {}: {purpose}", path.display()))?;
        } else {
            context.output.line(format!("kept  {}: it was there already", path.display()))?;
        }
    }
    let enter = if args.dir == Path::new(".") { String::new() } else { format!("cd {} && ", args.dir.display()) };
    let first = if made == 0 { "Nothing to do: the project is there." } else { "The project is ready." };
    context.output.line(format!(
        "\n{first} What next:\n\
         \n  {enter}reveille dev        try it on this machine: no account, no key\
         \n  {enter}reveille doctor     check everything before going live\
         \n\nThe agent is agents/assistant/AGENT.md: change it while `reveille dev` runs.\n\
         For a real Slack app, GitHub App, Linear or Discord application: `reveille add channel slack`, `github`, `linear` or `discord`;\n\
         then `reveille serve`."
    ))?;
    Ok(())
}

/// Writes a file that is not there yet. `false`: it is.
fn write_new(path: &Path, text: &str) -> Result<bool, Failure> {
    let write = || {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        // `create_new` also keeps a link that leads elsewhere from being followed.
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(text.as_bytes())
    };
    match write() {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists && path.symlink_metadata().is_ok() => Ok(false),
        Err(error) => {
            let what = format!("{} could not be written: {error}", path.display());
            Err(Failure::new(Code::Write, what, "choose a folder that you can write to: `reveille init DIR`"))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::agent;
    use crate::config::{self, Environment, Inputs, Mode};

    use super::*;

    #[test]
    fn what_init_writes_is_valid_and_so_is_what_it_offers_in_comments() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text, _) in FILES {
            assert!(write_new(&folder.path().join(name), text).unwrap());
        }
        let loaded = agent::load_all(&folder.path().join("agents"));
        assert!(loaded.errors.is_empty(), "{:?}", loaded.errors);
        assert_eq!(loaded.agents[0].name, "assistant");
        let load = |environment: Environment| {
            let inputs = Inputs { path: None, folder: folder.path().into(), environment, flags: Vec::new() };
            config::load_from(&inputs, Mode::Serve)
        };
        assert!(load(Environment::default()).unwrap().channels.is_empty());

        let text = fs::read_to_string(folder.path().join("reveille.toml")).unwrap();
        let offered: Vec<_> = text.lines().map(|line| line.strip_prefix("#| ").unwrap_or(line)).collect();
        fs::write(folder.path().join("reveille.toml"), offered.join("\n")).unwrap();
        let example = fs::read_to_string(folder.path().join(".env.example")).unwrap();
        let names = example.lines().filter_map(|line| line.strip_suffix('='));
        let variables = names.map(|name| (name, "0123456789-abcdef-ghi")).collect();
        let config = load(variables).unwrap();
        assert_eq!(config.channels.keys().collect::<Vec<_>>(), ["discord", "github", "linear", "slack"]);
    }
}
