//! The one integration test binary; every file beside this one is a module of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

mod architecture;
mod cli;
mod config;
mod corpus;
mod crash;
mod day;
mod desk;
mod dns;
mod dns_commands;
mod docs;
mod fuzz_smoke;
mod golden;
mod inbox;
mod install;
mod intake;
mod intake_cost;
mod intake_hostile;
mod intake_trust;
mod oauth;
mod providers;
mod proxy;
mod pty;
mod requirements;
mod rules;
mod scale;
mod schema;
mod screens;
mod servers;
mod six_keys;
mod skip;
mod store;
mod store_care;
mod suggest;
mod two;
mod watch;
