//! `[server]`, `[storage]` and `[agents]`.

use std::net::{Ipv4Addr, SocketAddr};

use super::error::Code;
use super::reader::{Found, Reader, Table};
use super::secrets::Shape;
use super::{Agents, Server, Storage, StorageKeys, schema};

/// The port of `reveille`.
const PORT: u16 = 7373;

pub(super) fn read_server(reader: &mut Reader) -> Server {
    let table = reader.section(&schema::SERVER);
    let mut listen = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT));
    if let Some(text) = reader.text(&table, "listen") {
        match text.parse() {
            Ok(address) => listen = address,
            Err(_) => {
                let what = "has to be an IP address with a port".into();
                let help = format!("write `listen = \"127.0.0.1:{PORT}\"`, or `\"0.0.0.0:{PORT}\"` for all interfaces");
                reader.problem(Code::BadValue, &table, "listen", what, help);
            }
        }
    }
    let public_url = reader.url(&table, "public_url");
    if public_url.as_ref().is_some_and(|url| url.query().is_some() || url.fragment().is_some()) {
        let what = "has a `?` or `#` in it; paths are added at its end".into();
        reader.problem(
            Code::BadValue,
            &table,
            "public_url",
            what,
            "write `public_url = \"https://bot.example.com\"`".into(),
        );
    }
    Server { listen, public_url }
}

/// `[storage]`, and whether it names a key: one that cannot be had is complained of where it stands.
pub(super) fn read_storage(reader: &mut Reader) -> (Storage, StorageKeys) {
    let table = reader.section(&schema::STORAGE);
    let secret = |reader: &mut Reader, key: &str| match reader.secret(&table, key, Shape::SealingKey) {
        Found::Secret(secret) => Some(secret),
        Found::Absent | Found::Unusable => None,
    };
    let key = secret(reader, "key");
    let keys = StorageKeys { key, previous: secret(reader, "previous_key"), is_named: table.has("key") };
    (read_folder(reader, &table), keys)
}

fn read_folder(reader: &mut Reader, table: &Table) -> Storage {
    let default = "sqlite:.reveille".to_owned();
    let url = reader.text(table, "url").unwrap_or(default);
    let help = || "write `url = \"sqlite:.reveille\"`: a folder beside the configuration".to_owned();
    match url.split_once(':') {
        Some(("sqlite", folder)) if !folder.trim().is_empty() => {
            return Storage::Folder(reader.folder().join(folder));
        }
        Some(("postgres" | "postgresql", _)) => {
            let what = "Postgres is not in this version".into();
            reader.problem(Code::NotInThisVersion, table, "url", what, help());
        }
        _ => {
            let what = "has to be `sqlite:` and a folder".into();
            reader.problem(Code::BadValue, table, "url", what, help());
        }
    }
    Storage::Folder(reader.folder().join(".reveille"))
}

pub(super) fn read_agents(reader: &mut Reader) -> Agents {
    let table = reader.section(&schema::AGENTS);
    let dir = reader.path(&table, "dir").unwrap_or_else(|| reader.folder().join("agents"));
    Agents { dir }
}
