//! The one integration test binary; every file beside this one is a module of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

mod architecture;
mod config;
mod intake;
mod intake_cost;
mod intake_hostile;
mod intake_trust;
mod proxy;
mod servers;
mod store;
