//! Reads the bounce-backs of a support inbox, explains each one with its evidence, and turns them into corrections.
pub mod model;
pub mod store;
pub mod tui;
