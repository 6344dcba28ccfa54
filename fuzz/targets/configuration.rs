//! A configuration is read or refused with words that name the file.
#![no_main]

use std::path::Path;

use bounceback::config::Config;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match Config::parse(text, Path::new("config.toml")) {
        Ok(config) => drop(config.accounts_named(None)),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
