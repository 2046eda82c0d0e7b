//! The gateway that runs, as the command line reaches it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::redirect::Policy;
use serde_json::{Value, json};

use super::{closed, short};
use crate::admin::{Answer, ApiToken, Asked, TOKEN_FILE};
use crate::cli::failure::{Code, Failure};
use crate::journal::Verdict;

/// How long the gateway may take to be reached, and to answer: longer than it waits itself.
const CONNECT_DEADLINE: Duration = Duration::from_secs(3);
const DEADLINE: Duration = Duration::from_secs(15);

/// What to do when nobody listens.
const START: &str = "start it with `reveille serve` or `reveille dev`, or name its address with `--listen`; \
                     nothing was answered, and the question stays open";

/// What the gateway made of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// It decided.
    Decided,
    /// It is on record and will.
    Taken,
}

/// Where answers are handed in.
#[derive(Debug)]
pub(super) struct Desk {
    address: SocketAddr,
    token_file: PathBuf,
    authorization: HeaderValue,
    http: reqwest::Client,
}

impl Desk {
    /// The gateway that listens there and works in that folder.
    pub(super) fn new(listen: SocketAddr, folder: &Path, token: Option<ApiToken>) -> Result<Self, Failure> {
        let address = reachable(listen);
        let token_file = folder.join(TOKEN_FILE);
        let Some(token) = token else {
            let what = format!("no gateway has run in {}: there is no {}", folder.display(), token_file.display());
            return Err(Failure::new(Code::Gateway, what, START));
        };
        let broken =
            |error: String| Failure::new(Code::Gateway, error, "this is a mistake of the build; please report it");
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
            .map_err(|_| broken("the token does not go into a header".into()))?;
        authorization.set_sensitive(true);
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_DEADLINE)
            .timeout(DEADLINE)
            .redirect(Policy::none())
            // The token goes to this machine's gateway and to nobody in between.
            .no_proxy()
            .build()
            .map_err(|error| broken(error.to_string()))?;
        Ok(Self { address, token_file, authorization, http })
    }

    /// Hands an answer in; what became of it, and the gateway's own words.
    pub(super) async fn decide(&self, asked: &Asked, answer: Answer) -> Result<(Said, Value), Failure> {
        let url = format!("http://{}/api/v1/approvals/{}", self.address, asked.id);
        let request = self.http.post(url).header(AUTHORIZATION, self.authorization.clone());
        let answered = request.json(&json!({ "decision": answer })).send().await;
        let response = answered.map_err(|error| self.unreachable(asked, &error))?;
        let status = response.status();
        let text = response.text().await.map_err(|error| self.unreachable(asked, &error))?;
        let said = serde_json::from_str::<Value>(&text).unwrap_or_default();
        match status {
            StatusCode::OK => Ok((Said::Decided, said)),
            StatusCode::ACCEPTED => Ok((Said::Taken, said)),
            _ => Err(self.refused(asked, status, &said)),
        }
    }

    fn unreachable(&self, asked: &Asked, error: &reqwest::Error) -> Failure {
        if error.is_connect() {
            return Failure::new(Code::Gateway, format!("no gateway listens on {}", self.address), START);
        }
        let what = format!("the gateway on {} did not answer: {}", self.address, error.to_string().replace('\n', " "));
        let help =
            format!("it may have taken the answer all the same: look at `reveille approvals show {}`", short(asked));
        Failure::new(Code::Gateway, what, help)
    }

    fn refused(&self, asked: &Asked, status: StatusCode, said: &Value) -> Failure {
        let error = said.get("error").and_then(Value::as_str).unwrap_or_default();
        let message = said.get("message").and_then(Value::as_str).unwrap_or_default();
        let address = self.address;
        match (status, error) {
            (StatusCode::UNAUTHORIZED, _) => {
                let what =
                    format!("what listens on {address} does not take the token of {}", self.token_file.display());
                let help = "it runs on another data folder, or started before the token was made anew: \
                            is it the right `--config`? Start it again, if the file was deleted";
                Failure::new(Code::Gateway, what, help)
            }
            (StatusCode::CONFLICT | StatusCode::GONE, "decided" | "expired") => match decided(asked, said) {
                Some(asked) => closed(&asked),
                None => Failure::new(Code::Decided, message, "`reveille approvals --all` has all that were decided"),
            },
            (StatusCode::FORBIDDEN, "refused") => {
                let help = "with four eyes whoever asked cannot agree; somebody else has to answer in the thread";
                Failure::new(Code::Decided, format!("{} is not answered: {message}", short(asked)), help)
            }
            (StatusCode::NOT_FOUND, "unknown_approval") => {
                let what = format!("the gateway on {address} does not know {}", short(asked));
                Failure::new(Code::Gateway, what, "it runs on another data folder: is it the right `--config`?")
            }
            (StatusCode::SERVICE_UNAVAILABLE, _) => {
                let what = format!("the gateway on {address} cannot take the answer now");
                Failure::new(Code::Gateway, what, "try again in a moment; what is wrong with its journal is in its log")
            }
            _ => {
                let what = format!("what listens on {address} answers {status}, which no gateway of this version does");
                Failure::new(Code::Gateway, what, "name the gateway's address with `--listen`")
            }
        }
    }
}

/// The approval as the gateway knows it, where somebody has decided between our look and our answer.
fn decided(asked: &Asked, said: &Value) -> Option<Asked> {
    let known = said.get("approval")?;
    let read = |name: &str| known.get(name).cloned().unwrap_or_default();
    let verdict: Verdict = serde_json::from_value(read("verdict")).ok()?;
    Some(Asked {
        verdict: Some(verdict),
        by: serde_json::from_value(read("by")).ok()?,
        decided_at_ms: serde_json::from_value(read("decided_at_ms")).ok()?,
        ..asked.clone()
    })
}

/// An address to connect to: whoever listens on all of a machine's is reached on its own.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_everywhere_is_reached_on_this_machine() {
        for (listen, expected) in [
            ("0.0.0.0:1", "127.0.0.1:1"),
            ("[::]:1", "[::1]:1"),
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("10.0.0.7:1", "10.0.0.7:1"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()).to_string(), expected);
        }
    }
}
