//! Agents at the terminal and in scripts: the real binary, a script as its model. Read the modules as the specification.

#![cfg(test)]

mod an_agent_is_run_once;
mod project;
