//! Agents at the terminal and in scripts: the real binary, a script as its model. Read the modules as the specification.

#![cfg(test)]

mod a_person_adds_a_channel;
mod a_person_talks_to_an_agent;
mod a_script_talks_to_an_agent;
mod an_agent_asks_whoever_is_there;
mod an_agent_is_run_once;
mod project;
mod typewriter;
