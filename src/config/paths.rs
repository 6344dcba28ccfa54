//! Where the program keeps its things, by the XDG base directory specification. The only user of `directories`.

use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use super::error::Error;

/// The places of one run. Naming a path creates nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paths {
    /// The configuration file; `None` when the user has no home directory and named none.
    pub config_file: Option<PathBuf>,
    /// Whether the user named that file, so that it must exist.
    pub config_is_named: bool,
    state_dir: Option<PathBuf>,
}

impl Paths {
    /// The places for this user, or those the command line names.
    pub fn new(config_file: Option<&Path>, state_dir: Option<&Path>) -> Self {
        let dirs = ProjectDirs::from("", "", "bounceback");
        let of_user = |pick: fn(&ProjectDirs) -> PathBuf| dirs.as_ref().map(pick);
        Self {
            config_file: config_file
                .map(Path::to_owned)
                .or_else(|| of_user(|dirs| dirs.config_dir().join("config.toml"))),
            config_is_named: config_file.is_some(),
            state_dir: state_dir
                .map(Path::to_owned)
                .or_else(|| of_user(|dirs| dirs.state_dir().unwrap_or_else(|| dirs.data_local_dir()).to_owned())),
        }
    }

    /// The folder of the configuration file, where rules and words of the lead's own may lie.
    pub fn config_dir(&self) -> Option<&Path> {
        self.config_file.as_deref().map(|file| file.parent().unwrap_or(Path::new("")))
    }

    /// The folder that holds the store.
    ///
    /// # Errors
    /// When none was named and the user has no home directory.
    pub fn state_dir(&self) -> Result<&Path, Error> {
        self.state_dir.as_deref().ok_or_else(Error::no_home)
    }
}

/// A path out of the configuration: `~/` is the home directory, everything else relative to the file that names it.
pub(super) fn resolve(path: &str, config_dir: &Path) -> PathBuf {
    match path.strip_prefix("~/").zip(directories::BaseDirs::new()) {
        Some((rest, base)) => base.home_dir().join(rest),
        None => config_dir.join(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_places_need_no_home() {
        let paths = Paths::new(Some(Path::new("etc/a.toml")), Some(Path::new("var")));
        assert_eq!(paths.config_dir(), Some(Path::new("etc")));
        assert_eq!(paths.state_dir().unwrap(), Path::new("var"));
        assert!(paths.config_is_named);
    }

    #[test]
    fn relative_paths_start_at_the_file_that_names_them() {
        assert_eq!(resolve("ca.pem", Path::new("/etc/x")), Path::new("/etc/x/ca.pem"));
        assert_eq!(resolve("/ca.pem", Path::new("/etc/x")), Path::new("/ca.pem"));
    }
}
