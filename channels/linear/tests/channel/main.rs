//! The channel from outside, as the gateway uses it. Each module is a claim about it.

#[cfg(test)]
mod credentials_reach_no_further;
#[cfg(test)]
mod deliveries_are_normalised;
#[cfg(test)]
mod deliveries_are_verified;
#[cfg(test)]
mod documents_fit_the_schema;
#[cfg(test)]
mod installations_are_kept_apart;
#[cfg(test)]
mod replies_go_out;
#[cfg(test)]
mod stand_in;
#[cfg(test)]
mod support;
