//! The channel from outside, as the gateway uses it. Each module is a claim about it.

#[cfg(test)]
mod deliveries_are_normalised;
#[cfg(test)]
mod deliveries_are_verified;
#[cfg(test)]
mod support;
