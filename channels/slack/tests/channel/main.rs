//! The channel from outside, as the gateway uses it. Each module is a claim about it.

#[cfg(test)]
mod answers_fall_back;
#[cfg(test)]
mod commands_are_answered;
#[cfg(test)]
mod commands_are_read;
#[cfg(test)]
mod courtesies_are_done;
#[cfg(test)]
mod deliveries_are_read;
#[cfg(test)]
mod edits_and_deletions_are_read;
#[cfg(test)]
mod files_are_fetched;
#[cfg(test)]
mod installations_are_kept_apart;
#[cfg(test)]
mod interactions_are_read;
#[cfg(test)]
mod questions_are_asked;
#[cfg(test)]
mod replies_go_out;
#[cfg(test)]
mod sockets_are_kept;
#[cfg(test)]
mod stand_in;
#[cfg(test)]
mod support;
#[cfg(test)]
mod threads_are_located;
#[cfg(test)]
mod work_is_shown;
