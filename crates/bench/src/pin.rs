//! Which core runs what: the server alone on one, the load on another.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// The cores of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cores {
    /// The server's and the load's.
    Apart { server: usize, load: usize },
    /// There is one core only, or the system does not let us choose.
    Shared,
}

impl Cores {
    /// The first two cores that this process may use.
    pub(crate) fn find() -> Self {
        let Ok(allowed) = sched_getaffinity(None) else {
            return Self::Shared;
        };
        let mut usable = (0..CpuSet::MAX_CPU).filter(|core| allowed.is_set(*core));
        match (usable.next(), usable.next()) {
            (Some(server), Some(load)) => Self::Apart { server, load },
            _ => Self::Shared,
        }
    }

    /// The server's core.
    pub(crate) fn server(self) -> Option<usize> {
        match self {
            Self::Apart { server, .. } => Some(server),
            Self::Shared => None,
        }
    }

    /// The load's core.
    pub(crate) fn load(self) -> Option<usize> {
        match self {
            Self::Apart { load, .. } => Some(load),
            Self::Shared => None,
        }
    }

    /// What the report says about it.
    pub(crate) fn words(self) -> String {
        match self {
            Self::Apart { server, load } => {
                format!("server on core {server}, load on core {load}")
            }
            Self::Shared => "one core, so server and load share it, unpinned".to_owned(),
        }
    }
}

/// Does `start` with this thread on `core`: what it starts inherits the core, and the thread comes back.
pub(crate) fn on<T>(core: Option<usize>, start: impl FnOnce() -> T) -> T {
    let (Some(core), Ok(before)) = (core, sched_getaffinity(None)) else {
        return start();
    };
    let mut one = CpuSet::new();
    one.set(core);
    // Where the system refuses, the run goes on unpinned, as `Cores::find` would have told.
    let pinned = sched_setaffinity(None, &one).is_ok();
    let value = start();
    if pinned {
        let _ = sched_setaffinity(None, &before);
    }
    value
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn a_child_inherits_the_core_and_the_thread_comes_back() {
        let before = sched_getaffinity(None).unwrap();
        let Cores::Apart { load, .. } = Cores::find() else {
            return;
        };
        let output = on(Some(load), || {
            Command::new("grep")
                .args(["Cpus_allowed_list", "/proc/self/status"])
                .output()
        });
        let text = String::from_utf8(output.unwrap().stdout).unwrap();
        assert_eq!(text.split_whitespace().nth(1), Some(&*load.to_string()));
        assert_eq!(sched_getaffinity(None).unwrap(), before);
    }
}
