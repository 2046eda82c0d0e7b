//! The tools that the checks need, each at one version, brought by the command itself.
//!
//! They lie in `${XDG_CACHE_HOME:-~/.cache}/reveille/tools/NAME-VERSION`, outside the checkout. A tool that is in `PATH`
//! at the same version is used as it is. What cannot be installed fails its check with a line that says why; nothing is
//! skipped.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};

use crate::step::{cargo, duration, perform, program, say};

/// A tool at its version.
#[derive(Debug)]
pub(crate) struct Tool {
    /// The program's name.
    program: &'static str,
    /// The version, as the program tells it.
    version: &'static str,
    /// How the program is asked for its version.
    ask: &'static [&'static str],
    /// The ways to get it, the quickest first.
    sources: &'static [Source],
}

/// Where a tool comes from.
#[derive(Debug)]
enum Source {
    /// Built from crates.io: sure, and slow once.
    Crate { spec: &'static str, features: &'static [&'static str] },
    /// A package of the npm registry.
    Npm { spec: &'static str },
    /// A wheel with the program in it; needs a Python that can make virtual environments.
    Wheel { spec: &'static str },
}

/// Bans, licences and sources of dependencies.
pub(crate) const DENY: Tool = Tool {
    program: "cargo-deny",
    version: "0.20.2",
    ask: &["--version"],
    sources: &[Source::Crate { spec: "cargo-deny@0.20.2", features: &[] }],
};

/// The test runner.
pub(crate) const NEXTEST: Tool = Tool {
    program: "cargo-nextest",
    version: "0.9.143",
    ask: &["nextest", "--version"],
    // Without what it needs to replace itself by a newer version.
    sources: &[Source::Crate {
        spec: "cargo-nextest@0.9.143",
        features: &["--no-default-features", "--features=default-no-update"],
    }],
};

/// The format of TOML files. Its npm package counts its versions apart: 0.7.0 holds 0.9.0.
pub(crate) const TAPLO: Tool = Tool {
    program: "taplo",
    version: "0.9.0",
    ask: &["--version"],
    sources: &[Source::Npm { spec: "@taplo/cli@0.7.0" }],
};

/// Misspelt words.
pub(crate) const TYPOS: Tool = Tool {
    program: "typos",
    version: "1.52.0",
    ask: &["--version"],
    sources: &[Source::Wheel { spec: "typos==1.52.0" }, Source::Crate { spec: "typos-cli@1.52.0", features: &[] }],
};

impl Tool {
    /// The program, installed if it was not there.
    ///
    /// Waits for a build of several minutes the first time.
    ///
    /// # Errors
    ///
    /// None of the sources gave it: what each of them said.
    pub(crate) fn find(&self) -> Result<PathBuf> {
        let in_path = PathBuf::from(self.program);
        if self.is_right(&in_path) {
            return Ok(in_path);
        }
        let home = cache()?.join(format!("{}-{}", self.program, self.version));
        if let Some(found) = self.inside(&home) {
            return Ok(found);
        }
        let mut refusals = Vec::new();
        for source in self.sources {
            match self.install(source, &home) {
                Ok(found) => return Ok(found),
                Err(error) => refusals.push(format!("{error:#}")),
            }
        }
        bail!("{} {} could not be installed: {}", self.program, self.version, refusals.join("; then "))
    }

    fn is_right(&self, path: &Path) -> bool {
        let told = Command::new(path).args(self.ask).output();
        told.is_ok_and(|told| {
            // The exit code says nothing: taplo tells its version and ends with 1.
            String::from_utf8_lossy(&told.stdout).split_whitespace().any(|word| word == self.version)
        })
    }

    fn inside(&self, home: &Path) -> Option<PathBuf> {
        ["bin", "node_modules/.bin"]
            .map(|folder| home.join(folder).join(self.program))
            .into_iter()
            .find(|path| self.is_right(path))
    }

    /// Installs beside the final place and moves it there, so that half an installation is never found.
    fn install(&self, source: &Source, home: &Path) -> Result<PathBuf> {
        let partial = home.with_extension(format!("{}.partial", std::process::id()));
        let made = self.fill(source, &partial).and_then(|()| {
            self.inside(&partial)
                .map(drop)
                .ok_or_else(|| anyhow!("it was installed, and then did not say that it is version {}", self.version))
        });
        if made.is_ok() {
            // What lies there is broken, or of somebody who was quicker; both are as good as gone.
            let _ = std::fs::remove_dir_all(home);
            std::fs::rename(&partial, home).with_context(|| format!("{} cannot be made", home.display()))?;
        }
        let _ = std::fs::remove_dir_all(&partial);
        made?;
        self.inside(home).ok_or_else(|| anyhow!("{} does not run from {}", self.program, home.display()))
    }

    fn fill(&self, source: &Source, folder: &Path) -> Result<()> {
        std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        match source {
            Source::Crate { spec, features } => {
                say(format!("    building {spec} from crates.io, once on this machine: some minutes"));
                let mut install = cargo();
                install.args(["install", "--locked", "--quiet", spec, "--root"]).arg(folder).args(*features);
                // A folder of its own that goes away, and a program that is quick to build rather than quick.
                install.env_remove("CARGO_TARGET_DIR");
                install.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1");
                install.env("CARGO_PROFILE_RELEASE_LTO", "off");
                install.env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16");
                install.env("CARGO_PROFILE_RELEASE_DEBUG", "0");
                done(install, spec)
            }
            Source::Npm { spec } => {
                say(format!("    fetching {spec} from the npm registry"));
                let mut install = program("npm");
                install.args([
                    "install",
                    "--no-save",
                    "--no-audit",
                    "--no-fund",
                    "--ignore-scripts",
                    "--loglevel=error",
                ]);
                install.arg("--prefix").arg(folder).arg(spec);
                done(install, spec)
            }
            Source::Wheel { spec } => {
                say(format!("    fetching {spec} from the Python package index"));
                let mut environment = program("python3");
                environment.args(["-m", "venv"]).arg(folder);
                done(environment, "python3 -m venv")?;
                let mut install = program(folder.join("bin/pip"));
                install.args([
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                    "--no-deps",
                    "--only-binary=:all:",
                    spec,
                ]);
                done(install, spec)
            }
        }
    }
}

fn done(command: Command, what: &str) -> Result<()> {
    let done = perform(command)?;
    if !done.is_success {
        let last = done.output.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it said nothing");
        bail!("{what} failed: {last}");
    }
    say(format!("    {what}: {}", duration(done.took)));
    Ok(())
}

/// Where what was fetched lies, outside the checkout.
pub(crate) fn cache() -> Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => std::env::home_dir().context("there is no home folder: set XDG_CACHE_HOME")?.join(".cache"),
    };
    Ok(base.join("reveille/tools"))
}
