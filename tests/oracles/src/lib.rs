//! What others made after the same public documentation, to check us by: npm packages with recorded payloads and with the
//! platforms' own libraries, which run in Node.
//!
//! `package.json` names them at exact versions and `package-lock.json` has their hashes. They are installed by the first
//! test that needs them, into the cache folder that `cargo xtask test` keeps its tools in, and never run in the gateway.
//!
//! # Adding one
//!
//! 1. In this folder: `npm install --package-lock-only NAME@VERSION`.
//! 2. A script in `scripts/` that reads JSON from its standard input and writes JSON to its standard output; it imports
//!    packages by name.
//! 3. In a test of the crate that is checked, which has this crate as a dev-dependency: [`run`], or [`package`] for
//!    the files of a package.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

const MANIFEST: &str = include_str!("../package.json");
const LOCK: &str = include_str!("../package-lock.json");
const SETTINGS: &str = include_str!("../.npmrc");

/// The folder of an installed package, such as `@octokit/webhooks-examples`.
///
/// # Errors
/// When npm is missing or the registry cannot be reached the first time.
pub fn package(name: &str) -> Result<PathBuf> {
    let folder = installed()?.join("node_modules").join(name);
    if folder.is_dir() { Ok(folder) } else { bail!("{name} is not in tests/oracles/package.json") }
}

/// What `scripts/NAME.mjs` prints when it reads `input`.
///
/// # Errors
/// As [`package`], and when the script fails: what it said.
pub fn run(script: &str, input: &str) -> Result<String> {
    let folder = installed()?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts").join(format!("{script}.mjs"));
    let code = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    // Evaluated in the folder of the packages: from there their names are looked up.
    let mut child = Command::new("node")
        .args(["--input-type=module", "--eval", &code])
        .current_dir(&folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("`node` cannot be started: is it installed?")?;
    let mut stdin = child.stdin.take().context("no standard input")?;
    let input = input.to_owned();
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output()?;
    let wrote = writer.join();
    if !output.status.success() {
        bail!("{script}: {}", String::from_utf8_lossy(&output.stderr));
    }
    match wrote {
        Ok(wrote) => wrote.context("the script did not read its input")?,
        Err(_) => bail!("the script's input could not be written"),
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The folder with `node_modules`, for the lock file as it is: installed if it is not there yet.
fn installed() -> Result<PathBuf> {
    let hash = Sha256::digest(format!("{MANIFEST}\0{LOCK}\0{SETTINGS}"));
    let (short, _) = hash.split_at(8);
    let cache = cache()?;
    let home = cache.join(format!("oracles-{}", hex::encode(short)));
    if home.is_dir() {
        return Ok(home);
    }
    fs::create_dir_all(&cache).with_context(|| cache.display().to_string())?;
    // Each test is a process of its own: one installs and the others wait.
    let lock = File::create(cache.join("oracles.lock"))?;
    lock.lock()?;
    if !home.is_dir() {
        let partial = home.with_extension("partial");
        let _ = fs::remove_dir_all(&partial);
        fs::create_dir_all(&partial)?;
        fs::write(partial.join("package.json"), MANIFEST)?;
        fs::write(partial.join("package-lock.json"), LOCK)?;
        fs::write(partial.join(".npmrc"), SETTINGS)?;
        let done = Command::new("npm")
            .args(["ci", "--ignore-scripts", "--loglevel=error"])
            .current_dir(&partial)
            .output()
            .context("`npm` cannot be started: is Node installed?")?;
        if !done.status.success() {
            let said = String::from_utf8_lossy(&done.stderr).into_owned();
            bail!("the packages of tests/oracles could not be installed: {said}");
        }
        fs::rename(&partial, &home)?;
    }
    Ok(home)
}

fn cache() -> Result<PathBuf> {
    let base = match std::env::var_os("XDG_CACHE_HOME").filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None => std::env::home_dir().context("there is no home folder: set XDG_CACHE_HOME")?.join(".cache"),
    };
    Ok(base.join("reveille"))
}
