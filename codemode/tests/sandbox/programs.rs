use reveille_codemode::Failure;

use crate::corpus::{BROKEN, Ends, FINE, HOSTILE};
use crate::door::{Sleep, limits, run, sandbox};

#[tokio::test]
async fn every_program_of_the_corpus_comes_to_what_it_must() {
    let sandbox = sandbox().await;
    let mut wrong = Vec::new();
    for (source, ends) in [FINE, BROKEN, HOSTILE].concat() {
        if let Err(error) = sandbox.read(source.to_owned()).await {
            wrong.push(format!("{source}\n    cannot be read: {error}"));
            continue;
        }
        let (trace, _) = run(&sandbox, source, limits(), Sleep::Never).await;
        let is_right = match (&trace.result, ends) {
            (Ok(Some(value)), Ends::With(wanted)) => value == wanted,
            (Ok(None), Ends::WithNothing) | (Err(Failure::Stalled), Ends::Stalled) => true,
            (Err(failure @ Failure::Threw(_)), Ends::Throwing(text)) => failure.to_string().contains(text),
            (Err(failure @ Failure::Limit(_)), Ends::AtLimit(text)) => failure.to_string().contains(text),
            (Err(Failure::NoJson { .. }), Ends::WithoutJson) => true,
            _ => false,
        };
        if !is_right {
            wrong.push(format!("{source}\n    must end {ends:?}\n    and ended {:?}", trace.result));
        }
    }
    assert!(wrong.is_empty(), "{} programs:\n{}", wrong.len(), wrong.join("\n"));
}
