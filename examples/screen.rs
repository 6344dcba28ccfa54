//! Opens the screen on mails given as paths.
use bounceback::desk::{Cancel, Desk, Options};
use bounceback::model::Timestamp;

fn main() {
    let mut args = std::env::args().skip(1);
    let state = args.next().expect("STATE_DIR");
    let options = Options { state_dir: Some(state.into()), lead: "lead".into(), ..Options::default() };
    let paths: Vec<std::path::PathBuf> = args.map(Into::into).collect();
    if !paths.is_empty() {
        let mut desk = Desk::open(&options).unwrap();
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let filled = desk.import(&paths, Timestamp(now as i64), &Cancel::default(), &mut |_| {}).unwrap();
        eprintln!("{filled:?}");
        return;
    }
    match bounceback::tui::run(bounceback::tui::Options::new(options, "bounces@support")) {
        Ok(summary) => println!("{summary}"),
        Err(error) => eprintln!("{error}\nhint: {}", error.hint().unwrap_or("-")),
    }
}
