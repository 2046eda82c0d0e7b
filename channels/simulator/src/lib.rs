//! Stand-ins for the platforms' servers, for development and tests.
