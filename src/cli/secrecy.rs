//! Keeps passwords and tokens out of core dumps: a crash writes none, and no other process of this user may attach.

/// Called once, before anything secret is read. Best effort: a system that refuses is no reason not to start.
pub(super) fn no_core_dumps() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Core);
    // The soft limit only: commands that are run from here may set their own.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), ..limit });
    // Handlers that are fed through a pipe take dumps without regard to the limit; this stops those, too.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
