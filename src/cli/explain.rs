//! `reveille explain CODE`: the page of an error.

use super::context::Context;
use super::failure::{Code, Failure};
use super::listing::Listing;

/// Arguments of `explain`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The code, such as RV0011; without one, all of them are listed
    code: Option<String>,
}

macro_rules! pages {
    ($($code:literal)*) => {
        /// The page of every error, in Markdown, by code.
        pub const PAGES: &[(&str, &str)] = &[$(($code, include_str!(concat!("../../docs/errors/", $code, ".md")))),*];
    };
}

pages! {
    "RV0001" "RV0002" "RV0003" "RV0004" "RV0005" "RV0006" "RV0007" "RV0008" "RV0009" "RV0010" "RV0011" "RV0012" "RV0013"
    "RV0101" "RV0102"
    "RV0201" "RV0202" "RV0203" "RV0204" "RV0205" "RV0206" "RV0207" "RV0208"
    "RV0301" "RV0302" "RV0303" "RV0304" "RV0305" "RV0306" "RV0307" "RV0308"
    "RV0401" "RV0402" "RV0403" "RV0404" "RV0405" "RV0406"
}

pub(super) fn run(context: &mut Context, args: &Args) -> Result<(), Failure> {
    let Some(asked) = &args.code else {
        let mut listing = Listing::new(&["CODE", "MEANS"]);
        for (code, page) in PAGES {
            listing.row([(*code).into(), title(code, page).into()]);
        }
        context.output.listing(&listing)?;
        return Ok(());
    };
    let wanted = asked.trim().to_ascii_uppercase();
    if let Some((_, page)) = PAGES.iter().find(|(code, _)| *code == wanted) {
        context.output.line(page.trim_end())?;
        return Ok(());
    }
    let near = PAGES.iter().map(|(code, _)| *code).min_by_key(|code| strsim::damerau_levenshtein(code, &wanted));
    let near = near.filter(|code| strsim::damerau_levenshtein(code, &wanted) <= 2);
    let near = near.map_or_else(String::new, |near| format!("did you mean {near}? "));
    let what = format!("there is no error {asked}");
    Err(Failure::new(Code::UnknownCode, what, format!("{near}`reveille explain` lists all of them")))
}

/// What stands behind the code in a page's first line.
fn title<'a>(code: &str, page: &'a str) -> &'a str {
    let first = page.lines().next().unwrap_or_default();
    first.trim_start_matches(['#', ' ']).trim_start_matches(code).trim_start_matches([':', ' '])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_code_has_a_page_and_each_page_a_code() {
        let codes: BTreeSet<String> = crate::config::Code::ALL
            .iter()
            .map(|code| code.as_str())
            .chain(Code::ALL.iter().map(|code| code.as_str()))
            .map(str::to_owned)
            .collect();
        let pages: BTreeSet<String> = PAGES.iter().map(|(code, _)| (*code).to_owned()).collect();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/errors");
        let files: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap().trim_end_matches(".md").to_owned())
            .collect();
        assert_eq!(codes, pages);
        assert_eq!(codes, files);
    }

    #[test]
    fn a_page_says_what_why_and_what_to_do() {
        for (code, page) in PAGES {
            assert!(page.starts_with(&format!("# {code}: ")), "{code}");
            assert!(title(code, page).len() > 10, "{code}");
            assert!(page.contains("\n## What happened\n") && page.contains("\n## What to do\n"), "{code}");
        }
    }
}
