//! `docs/channels/NAME.md`: how the app of a connection is set up, with the values filled in, for a person or a coding agent.
//! It holds no secret, so that it can be kept with the project.

use std::fmt::Write;

use reveille_channel::{Guide, Site};

use super::wish::Wish;

/// What the page begins with. One that begins otherwise is somebody's own and is kept.
pub(super) const MARK: &str = "<!-- Written by `reveille add channel";

pub(super) fn page(wish: &Wish, site: &Site, guide: &Guide) -> String {
    let mut page = String::new();
    // Writing to a string does not fail.
    let _ = write_page(&mut page, wish, site, guide);
    page
}

fn write_page(page: &mut String, wish: &Wish, site: &Site, guide: &Guide) -> std::fmt::Result {
    let (title, name) = (wish.title, &wish.name);
    writeln!(
        page,
        "{MARK} {}`; run it again to renew it. Without this line it is kept as it is. -->\n",
        wish.platform
    )?;
    writeln!(page, "# {title}: the connection `{name}`\n")?;
    writeln!(
        page,
        "What to do on {title} so that the agents of this project answer there. The configuration is `[channels.{name}]` in \
         `reveille.toml`. Secrets belong into `.env` beside it or into files that are not under version control: never into this \
         page, a commit or a message.\n"
    )?;
    if site.public_url.is_none() && wish.is_reached {
        writeln!(
            page,
            "**First:** nobody has said yet where {title} reaches the gateway, so the addresses below begin with `{base}`. Run \
             `reveille add channel {kind} --name {name} --public-url https://...` and this page is written again.\n",
            base = site.base(),
            kind = wish.platform,
        )?;
    }
    writeln!(page, "## What is needed\n\n| key | where it is kept | where it is found |\n| --- | --- | --- |")?;
    for need in wish.needs.iter().filter(|need| site.has(need.key)) {
        writeln!(page, "| `{}` | {} | {} |", need.key, site.place(need.key), need.found)?;
    }
    if !guide.papers.is_empty() {
        writeln!(page, "\n## To paste and to open")?;
    }
    for paper in &guide.papers {
        writeln!(page, "\n{}:\n\n```{}\n{}\n```", paper.title, paper.language, paper.text)?;
    }
    writeln!(page, "\n## Steps\n")?;
    for (number, step) in (1..).zip(&guide.steps) {
        writeln!(page, "{number}. **{}.** {}", step.title, step.text)?;
    }
    for way in &guide.other_ways {
        writeln!(page, "\n## Another way: {}\n\n{}", way.title.to_lowercase(), way.text)?;
    }
    writeln!(
        page,
        "\n## Check\n\n* `reveille doctor`: the line `channels.{name}` says who the gateway is on {title}, and what its credentials lack.\n\
         * `reveille dev` needs none of this: as long as the secrets are not set, {title} is simulated under this name, and \
         `reveille say {kind} ...` speaks to it.",
        kind = wish.platform,
    )?;
    writeln!(page, "\n## When it does not work\n\n| what is seen | what to do |\n| --- | --- |")?;
    for (seen, remedy) in &guide.troubles {
        writeln!(page, "| {seen} | {remedy} |")?;
    }
    Ok(())
}
