//! `cargo xtask assets`: what the build needs and the repository does not keep.
//!
//! Today that is one file: the JavaScript engine of code mode, out of the npm package that `codemode/engine/package.json`
//! names. npm checks the package by the hash in the lock file; the file itself is checked by its own, here and again by
//! every build.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use crate::step::{perform, program, root, say};
use crate::tools::cache;

const FILE: &str = "quickjs.wasm";

/// Fetches them, as a command.
pub(crate) fn run() -> Result<ExitCode> {
    fetch()?;
    say("The assets are in place; `cargo build` works.");
    Ok(ExitCode::SUCCESS)
}

/// Fetches what is not there yet. Costs one hash when everything is.
///
/// # Errors
///
/// npm is missing or reaches no registry, or the package holds another file than the pinned one.
pub(crate) fn fetch() -> Result<()> {
    let folder = root().join("codemode/engine");
    let pin = folder.join(format!("{FILE}.sha256"));
    let pin = fs::read_to_string(&pin).with_context(|| format!("{} cannot be read", pin.display()))?;
    let wanted = pin.split_whitespace().next().context("the pin of the engine is empty")?;
    let target = folder.join(FILE);
    if hash(&target).is_some_and(|found| found == wanted) {
        return Ok(());
    }
    say("Fetching the engine of code mode from the npm registry.");
    let partial = cache()?.join(format!("engine.{}.partial", std::process::id()));
    let fetched = install(&folder, &partial, wanted, &target);
    let _ = fs::remove_dir_all(&partial);
    fetched
}

fn install(folder: &Path, partial: &Path, wanted: &str, target: &Path) -> Result<()> {
    let _ = fs::remove_dir_all(partial);
    fs::create_dir_all(partial).with_context(|| format!("{} cannot be made", partial.display()))?;
    for name in ["package.json", "package-lock.json", ".npmrc"] {
        fs::copy(folder.join(name), partial.join(name)).with_context(|| format!("codemode/engine/{name} is lost"))?;
    }
    let mut npm = program("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(partial);
    let done = perform(npm).context("is Node installed?")?;
    if !done.is_success {
        bail!("npm could not fetch the engine of code mode; what it said is above");
    }
    let file = partial.join("node_modules/quickjs-wasi").join(FILE);
    let found = hash(&file).with_context(|| format!("the package has no {FILE}"))?;
    if found != wanted {
        bail!(
            "{FILE} of the package has the sha256 {found} and not {wanted}, which codemode/engine/{FILE}.sha256 names"
        );
    }
    // Beside its place first: half a file is never found there.
    let beside = target.with_extension(format!("{}.partial", std::process::id()));
    fs::copy(&file, &beside).with_context(|| format!("{} cannot be written", beside.display()))?;
    fs::rename(&beside, target).with_context(|| format!("{} cannot be written", target.display()))
}

fn hash(file: &Path) -> Option<String> {
    let digest = Sha256::digest(fs::read(file).ok()?);
    Some(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}
