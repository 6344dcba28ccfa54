//! Reads the bounce-backs of a support inbox, explains each one with its evidence, and turns them into corrections.
pub mod cli;
pub mod config;
pub mod desk;
pub mod diagnose;
pub mod dns;
pub mod export;
pub mod mail;
pub mod model;
pub mod oauth;
pub mod report;
pub mod resend;
pub mod rules;
pub mod source;
pub mod stdx;
pub mod store;
pub mod suggest;
pub mod tui;
