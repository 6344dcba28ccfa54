//! Reads the bounce-backs of a support inbox, explains each one with its evidence, and turns them into corrections.
pub mod config;
pub mod export;
pub mod model;
pub mod oauth;
pub mod stdx;
pub mod store;
