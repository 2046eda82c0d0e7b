//! The channel from outside, as the gateway uses it. Each module is a claim about it.

#[cfg(test)]
mod credentials_reach_no_further;
#[cfg(test)]
mod deliveries_are_normalised;
#[cfg(test)]
mod deliveries_are_verified;
#[cfg(test)]
mod failed_deliveries_are_asked_for;
#[cfg(test)]
mod model_text_does_nothing;
#[cfg(test)]
mod own_posts_start_nothing;
#[cfg(test)]
mod progress_is_a_check_run;
#[cfg(test)]
mod public_examples_are_understood;
#[cfg(test)]
mod questions_are_asked;
#[cfg(test)]
mod replies_go_out;
#[cfg(test)]
mod replies_go_where_they_belong;
#[cfg(test)]
mod stand_in;
#[cfg(test)]
mod support;
