//! `[output]`.

use reveille_channel::links::{LinkHost, NotALinkHost};

use super::error::Code;
use super::reader::Reader;
use super::{Output, schema};

pub(super) fn read(reader: &mut Reader) -> Output {
    let table = reader.section(&schema::OUTPUT);
    let mut link_hosts = Vec::new();
    for (index, written) in reader.texts(&table, "link_hosts").unwrap_or_default().iter().enumerate() {
        match LinkHost::parse(written) {
            Ok(host) => link_hosts.push(host),
            Err(error) => {
                let help = match error {
                    NotALinkHost::Shared(_) => "take it out: its addresses are shown, as code".to_owned(),
                    _ => "write `link_hosts = [\"docs.example.com\", \"*.example.com\"]`".to_owned(),
                };
                let what = format!("number {} of the list {error}", index + 1);
                reader.problem(Code::BadValue, &table, "link_hosts", what, help);
            }
        }
    }
    Output { link_hosts }
}
