//! The commands of agents, for platforms on which people choose them from a list.

use reveille_channel::CommandOffer;

use super::Agent;

/// The commands that agents have on a connection, each once, in the order of their names.
#[must_use]
pub fn offers(agents: &[Agent], connection: &str, platform: &str) -> Vec<CommandOffer> {
    let mut offers: Vec<CommandOffer> = agents
        .iter()
        .flat_map(|agent| agent.wake.iter().map(move |rule| (agent, rule)))
        .filter(|(_, rule)| rule.on == connection || rule.on == platform)
        .filter_map(|(agent, rule)| {
            let name = rule.command.clone()?;
            Some(CommandOffer { name, description: agent.description.clone() })
        })
        .collect();
    offers.sort_by(|one, other| one.name.cmp(&other.name));
    offers.dedup_by(|one, other| one.name == other.name);
    offers
}
