//! Refuses to build without the engine's file, or with another one, and says how to get it.

use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

fn main() {
    println!("cargo::rerun-if-changed=engine/quickjs.wasm");
    println!("cargo::rerun-if-changed=engine/quickjs.wasm.sha256");
    println!("cargo::rerun-if-changed=build.rs");
    if let Err(reason) = check() {
        println!("cargo::error=codemode/engine/quickjs.wasm {reason}. Run `cargo xtask assets`, then build again.");
    }
}

fn check() -> Result<(), String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("engine");
    let pin = fs::read_to_string(folder.join("quickjs.wasm.sha256")).map_err(|error| format!("has no pin: {error}"))?;
    let wanted = pin.split_whitespace().next().unwrap_or_default();
    let bytes = match fs::read(folder.join("quickjs.wasm")) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err("is not there: the engine of code mode is fetched and not kept in the repository".to_owned());
        }
        Err(error) => return Err(format!("cannot be read: {error}")),
    };
    let found = hex::encode(Sha256::digest(bytes));
    if found == wanted {
        Ok(())
    } else {
        Err(format!("is not the pinned file: its sha256 is {found} and not {wanted}"))
    }
}
