//! The gateway as its users meet it: the real binary between simulated platforms. Read the modules as the specification.

#![cfg(test)]

mod a_crash_does_not_show;
mod a_message_is_answered_in_its_thread;
mod a_person_acts_on_messages;
mod a_refused_token_costs_only_time;
mod an_added_channel_answers;
mod an_agent_reaches_what_the_operator_names;
mod approvals_are_given_at_the_terminal;
mod deliveries_meet_the_edge;
mod dev_goes_on_where_it_was_ended;
mod discord_comes_over_its_gateway;
mod discord_is_answered;
mod doctor_asks_each_platform;
mod github_is_whole;
mod github_shows_its_work;
mod github_tools_act;
mod installations_are_made;
mod laptop;
mod linear_is_answered;
mod links_lead_only_where_somebody_chose;
mod programs_go_on;
mod slack_answers_arrive_whole;
mod slack_comes_over_sockets;
mod slack_commands_open_a_thread;
mod slack_is_a_native_citizen;
mod slack_shows_its_work;
mod support;
