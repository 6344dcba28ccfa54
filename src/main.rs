//! The program. The one place that knows both faces: it hands the command line a screen.

use std::process::ExitCode;
use std::sync::Arc;

use bounceback::cli::{self, Failure, Screen, SignIns};
use bounceback::tui;
use mimalloc::MiMalloc;

/// A mail is explained out of some hundred small texts: this allocator makes and drops them in less time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    cli::run(cli::Faces { show: screen, terminal: tui::abilities, tables })
}

/// Draws the screen until the user leaves it.
fn screen(screen: Screen) -> Result<Option<String>, Failure> {
    let sign_ins = Arc::new(screen.sign_ins);
    let plain = screen.plain;
    let options = tui::Options {
        only: screen.only.map(|cases| cases.into_iter().collect()),
        accounts: sign_ins.names().into_iter().map(|name| account(name, &sign_ins)).collect(),
        unsigned: sign_ins.unsigned.clone(),
        fetch: screen.fetch,
        color: match screen.color {
            cli::Color::Auto => tui::ColorChoice::Auto,
            cli::Color::Always => tui::ColorChoice::Always,
            cli::Color::Never => tui::ColorChoice::Never,
        },
        keys: screen.keys,
        theme: screen.theme,
        ..tui::Options::new(screen.desk, &screen.title)
    };
    let summary = if plain {
        tui::plain::run(&options, &mut std::io::stdin().lock(), &mut std::io::stdout().lock(), &cli::now)
    } else {
        tui::run(options)
    };
    let summary = summary.map_err(|error| Failure::new(&error).hint(error.hint()))?;
    Ok(Some(summary.to_string()))
}

/// What is wrong with tables of keys and styles.
fn tables(keys: Option<(&str, &str)>, theme: Option<(&str, &str)>) -> Vec<Failure> {
    tui::check_tables(keys, theme).iter().map(|error| Failure::new(error).hint(error.hint())).collect()
}

fn account(name: &str, sign_ins: &Arc<SignIns>) -> tui::Account {
    let sign_ins = Arc::clone(sign_ins);
    let owned = name.to_owned();
    let options = move || {
        let failed = |failure: Failure| tui::Trouble {
            passing: failure.is_passing(),
            failure: tui::Failure { what: failure.what().to_owned(), hint: failure.first_hint().map(str::to_owned) },
        };
        sign_ins.options(&owned).map_err(failed)
    };
    tui::Account { name: name.to_owned(), options: Box::new(options) }
}
