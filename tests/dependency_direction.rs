//! The map of the house, and that the house is built like it: who may know whom.
//!
//! `ARCHITECTURE.md` says why. A new room gets a line here and a section there, in the commit that builds it.
#![expect(clippy::unwrap_used, clippy::panic, reason = "what cannot be read fails the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What a room of `src/` may know.
struct Room {
    name: &'static str,
    /// Rooms it may import. Each stands above its own line, so no two rooms can ever know each other.
    rooms: &'static [&'static str],
    /// Crates of this workspace it may import beside `reveille_channel`, which everybody may.
    crates: &'static [&'static str],
}

const NO_CRATES: &[&str] = &[];
const ADAPTERS: &[&str] = &["slack", "github", "linear", "discord"];

/// From the ground up. A room that is not built yet does no harm here.
const ROOMS: &[Room] = &[
    Room { name: "clock", rooms: &[], crates: NO_CRATES },
    Room { name: "telemetry", rooms: &[], crates: NO_CRATES },
    Room { name: "journal", rooms: &[], crates: NO_CRATES },
    // Sealed before the journal sees it.
    Room { name: "vault", rooms: &["clock", "journal"], crates: NO_CRATES },
    // What goes into a thread takes the journal's proof.
    Room { name: "connection", rooms: &["journal"], crates: NO_CRATES },
    // The settings of a connection are its adapter's own type.
    Room { name: "config", rooms: &[], crates: ADAPTERS },
    Room { name: "model", rooms: &["journal"], crates: NO_CRATES },
    Room { name: "agent", rooms: &["journal"], crates: NO_CRATES },
    // A file system that leads nowhere: it knows nobody.
    Room { name: "workspace", rooms: &[], crates: NO_CRATES },
    // The schema that a model is shown, and the fence around text of strangers, are the model's words.
    Room { name: "tool", rooms: &["agent", "journal", "model", "workspace"], crates: ADAPTERS },
    Room { name: "outbox", rooms: &["journal"], crates: NO_CRATES },
    Room { name: "approval", rooms: &["journal"], crates: NO_CRATES },
    Room { name: "turn", rooms: &["agent", "approval", "journal", "model", "outbox", "tool"], crates: NO_CRATES },
    // Whether a call waits for a person depends on what the tool is.
    Room { name: "dispatch", rooms: &["agent", "config", "journal", "tool"], crates: NO_CRATES },
    // The host of programs: what they may call, and what they are told.
    Room {
        name: "codemode",
        rooms: &["agent", "dispatch", "journal", "model", "tool", "vault"],
        crates: &["codemode"],
    },
    Room {
        name: "actor",
        rooms: &[
            "agent",
            "approval",
            "clock",
            "codemode",
            "connection",
            "dispatch",
            "journal",
            "model",
            "outbox",
            "telemetry",
            "tool",
            "turn",
        ],
        crates: &["codemode"],
    },
    // The operator is the person of the terminal, and says so in its words.
    Room { name: "admin", rooms: &["actor", "approval", "clock", "journal", "turn", "vault"], crates: &["local"] },
    Room {
        name: "ingress",
        rooms: &["actor", "admin", "agent", "approval", "clock", "connection", "dispatch", "journal", "telemetry"],
        crates: NO_CRATES,
    },
    Room { name: "models", rooms: &["agent", "config", "model"], crates: NO_CRATES },
    // The composition root: the one place where everything is put together.
    Room {
        name: "gateway",
        rooms: &[
            "actor",
            "admin",
            "agent",
            "clock",
            "codemode",
            "config",
            "connection",
            "dispatch",
            "ingress",
            "journal",
            "model",
            "telemetry",
            "tool",
            "vault",
            "workspace",
        ],
        crates: &["slack", "github", "linear", "discord", "codemode"],
    },
    // A gateway without platforms, for the person at the terminal.
    Room {
        name: "local",
        rooms: &[
            "actor",
            "agent",
            "clock",
            "codemode",
            "config",
            "connection",
            "dispatch",
            "gateway",
            "journal",
            "model",
            "tool",
            "turn",
            "workspace",
        ],
        crates: &["local"],
    },
    Room {
        name: "cli",
        rooms: &[
            "actor",
            "admin",
            "agent",
            "approval",
            "clock",
            "config",
            "connection",
            "dispatch",
            "gateway",
            "ingress",
            "journal",
            "local",
            "model",
            "models",
            "outbox",
            "telemetry",
            "tool",
            "turn",
            "workspace",
        ],
        crates: &["slack", "github", "linear", "discord", "local", "simulator"],
    },
];

/// Which crates of the workspace a crate may depend on. Tests of a crate may use the simulators.
const CRATES: &[(&str, &[&str])] = &[
    ("channels/core", &[]),
    ("channels/slack", &["reveille-channel"]),
    ("channels/github", &["reveille-channel"]),
    ("channels/linear", &["reveille-channel"]),
    ("channels/discord", &["reveille-channel"]),
    ("channels/local", &["reveille-channel"]),
    ("channels/simulator", &[]),
    ("codemode", &[]),
    ("tests/oracles", &[]),
    ("xtask", &[]),
    (
        ".",
        &[
            "reveille-channel",
            "reveille-slack",
            "reveille-github",
            "reveille-linear",
            "reveille-discord",
            "reveille-local",
            "reveille-codemode",
            "reveille-simulator",
        ],
    ),
];

/// Names that say nothing of what is inside.
const NO_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "common", "manager", "misc", "v2"];

const WHAT_NEXT: &str = "Move the code to the room whose name says what it does, or pass the value in. If the map is wrong, \
                         change it here and in ARCHITECTURE.md, and say why in docs/decisions/.";

#[test]
fn a_room_knows_only_rooms_below_it_on_the_map() {
    for (index, room) in ROOMS.iter().enumerate() {
        for known in room.rooms {
            let is_below = ROOMS.iter().take(index).any(|below| below.name == *known);
            assert!(is_below, "the map lets `{}` know `{known}`, which does not stand above its line", room.name);
        }
    }
}

#[test]
fn every_room_is_on_the_map_and_has_a_section_in_architecture_md() {
    let text = read(&root().join("ARCHITECTURE.md"));
    for name in built_rooms() {
        assert!(ROOMS.iter().any(|room| room.name == name), "src/{name} is not on the map. {WHAT_NEXT}");
        let heading = format!("### `{name}`");
        assert!(text.lines().any(|line| line.starts_with(&heading)), "ARCHITECTURE.md has no section `{heading}`");
    }
}

#[test]
fn rooms_import_what_the_map_lets_them() {
    let mut wrong = Vec::new();
    for file in rust_files(&root().join("src")) {
        let Some(room) = room_of(&file).and_then(|name| ROOMS.iter().find(|room| room.name == name)) else {
            continue;
        };
        let code = without_comments(&read(&file));
        for name in paths_below(&code, "crate::") {
            // Names of macros and of the crate's own root are no rooms.
            let is_room = ROOMS.iter().any(|other| other.name == name);
            if is_room && name != room.name && !room.rooms.contains(&name.as_str()) {
                wrong.push(format!("{}: crate::{name}; `{}` may know {:?}", shown(&file), room.name, room.rooms));
            }
        }
        for name in words_after(&code, "reveille_") {
            let is_crate = ["slack", "github", "local", "simulator", "linear", "discord"].contains(&name.as_str());
            // A room's own tests may play the platforms.
            let is_play = name == "simulator" && file.ends_with("tests.rs");
            if is_crate && !is_play && !room.crates.contains(&name.as_str()) {
                wrong.push(format!("{}: reveille_{name}; `{}` may know {:?}", shown(&file), room.name, room.crates));
            }
        }
    }
    assert!(wrong.is_empty(), "against the direction:\n  {}\n{WHAT_NEXT}", wrong.join("\n  "));
}

#[test]
fn crates_depend_on_what_the_map_lets_them() {
    for (folder, allowed) in CRATES {
        let file = root().join(folder).join("Cargo.toml");
        let manifest: toml::Table = read(&file).parse().unwrap();
        let mut found = BTreeSet::new();
        dependencies(&manifest, &mut found);
        for name in found.iter().filter(|name| name.starts_with("reveille")) {
            assert!(
                allowed.contains(&name.as_str()),
                "{} depends on {name}; it may depend on {allowed:?}. {WHAT_NEXT}",
                shown(&file)
            );
        }
    }
}

#[test]
fn no_module_has_a_name_that_says_nothing() {
    for folder in ["src", "channels", "codemode/src", "xtask/src"] {
        for file in rust_files(&root().join(folder)) {
            for part in file.strip_prefix(root()).unwrap().components() {
                let part = part.as_os_str().to_string_lossy();
                let name = part.strip_suffix(".rs").unwrap_or(&part);
                assert!(!NO_NAMES.contains(&name), "{}: name it for what it does, not `{name}`", shown(&file));
            }
        }
    }
}

#[test]
fn what_reads_the_code_sees_imports_and_not_comments() {
    let code = without_comments(
        "//! [`crate::cli`]\nuse crate::journal::Record; // crate::actor\nuse crate::{agent::{Agent, ModelRef}, \
         model};\nlet x = pub_crate::gateway();\ntype T = Vec<crate::tool::Tool>;\n",
    );
    assert_eq!(paths_below(&code, "crate::"), ["agent", "journal", "model", "tool"].map(String::from).into());
    assert_eq!(words_after("use reveille_slack::Slack;", "reveille_"), ["slack".to_owned()].into());
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", shown(file)))
}

fn shown(file: &Path) -> String {
    file.strip_prefix(root()).unwrap_or(file).display().to_string()
}

/// Every `.rs` file below a folder.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The room a file of `src/` belongs to; `lib.rs` and `main.rs` are the front door and belong to none.
fn room_of(file: &Path) -> Option<String> {
    let inside = file.strip_prefix(root().join("src")).unwrap();
    let first = inside.components().next().unwrap().as_os_str().to_string_lossy();
    let name = first.strip_suffix(".rs").unwrap_or(&first);
    (!["lib", "main"].contains(&name)).then(|| name.to_owned())
}

fn built_rooms() -> BTreeSet<String> {
    rust_files(&root().join("src")).iter().filter_map(|file| room_of(file)).collect()
}

/// Names of crates a manifest depends on, also under `[target.*]`, but for its tests.
fn dependencies(table: &toml::Table, found: &mut BTreeSet<String>) {
    for (key, value) in table {
        match (key.as_str(), value) {
            ("dependencies" | "build-dependencies", toml::Value::Table(names)) => found.extend(names.keys().cloned()),
            ("target", toml::Value::Table(targets)) => {
                for target in targets.values().filter_map(toml::Value::as_table) {
                    dependencies(target, found);
                }
            }
            _ => {}
        }
    }
}

/// The code without `//`. Text in quotes that looks like a comment goes too, which hides no import.
fn without_comments(code: &str) -> String {
    code.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The first names after `crate::`, also those of `crate::{a::b, c}`.
fn paths_below(code: &str, prefix: &str) -> BTreeSet<String> {
    let mut found = words_after(code, prefix);
    for (_, rest) in starts(code, prefix) {
        let Some(group) = rest.strip_prefix('{') else { continue };
        let mut depth = 0_i32;
        let mut is_first = true;
        let mut name = String::new();
        for one in group.chars() {
            match one {
                '}' if depth == 0 => break,
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => is_first = true,
                ':' if depth == 0 => is_first = false,
                _ if depth == 0 && is_first && is_of_a_name(one) => name.push(one),
                _ => {}
            }
            if !is_of_a_name(one) && !name.is_empty() {
                found.insert(std::mem::take(&mut name));
            }
        }
        if !name.is_empty() {
            found.insert(name);
        }
    }
    found
}

fn words_after(code: &str, prefix: &str) -> BTreeSet<String> {
    let name = |rest: &str| rest.chars().take_while(|one| is_of_a_name(*one)).collect::<String>();
    starts(code, prefix).map(|(_, rest)| name(rest)).filter(|name| !name.is_empty()).collect()
}

/// Where the prefix stands as a word of its own, with what follows it.
fn starts<'a>(code: &'a str, prefix: &'a str) -> impl Iterator<Item = (usize, &'a str)> {
    code.match_indices(prefix).filter_map(move |(at, _)| {
        let (before, rest) = code.split_at(at);
        let is_word = !before.ends_with(is_of_a_name);
        Some((at, rest.strip_prefix(prefix)?)).filter(|_| is_word)
    })
}

fn is_of_a_name(one: char) -> bool {
    one.is_alphanumeric() || one == '_'
}
