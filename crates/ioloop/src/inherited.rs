//! Descriptors that the process was started with.

use std::env;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// The first descriptor after standard input, output and error.
const FIRST: RawFd = 3;

/// Most descriptors that are believed, so that a mistaken count does not become a long search.
const MOST: usize = 1024;

static TAKEN: AtomicBool = AtomicBool::new(false);

/// Takes over the descriptors that a service manager passes by the variables `LISTEN_PID`, `LISTEN_FDS` and
/// `LISTEN_FDNAMES` (sd_listen_fds(3)), each with its name, or `unknown`; child processes do not get them.
///
/// None when the variables are not set, or meant for another process. The descriptors are given out once: a second call
/// finds none.
///
/// # Errors
///
/// When `LISTEN_FDS` is no number up to 1024, or one of the descriptors is not open.
pub fn inherited_descriptors() -> io::Result<Vec<(String, OwnedFd)>> {
    let announced = Announced {
        process: env::var("LISTEN_PID").ok(),
        count: env::var("LISTEN_FDS").ok(),
        names: env::var("LISTEN_FDNAMES").ok(),
    };
    let names = announced.names_for(std::process::id())?;
    if names.is_empty() || TAKEN.swap(true, Ordering::AcqRel) {
        return Ok(Vec::new());
    }
    (FIRST..)
        .zip(names)
        .map(|(descriptor, name)| take(descriptor).map(|owned| (name, owned)))
        .collect()
}

/// What the environment says.
#[derive(Debug, Default)]
struct Announced {
    process: Option<String>,
    count: Option<String>,
    names: Option<String>,
}

impl Announced {
    /// The names of the descriptors that are meant for `process`.
    fn names_for(&self, process: u32) -> io::Result<Vec<String>> {
        let Some(count) = &self.count else {
            return Ok(Vec::new());
        };
        let meant = self.process.as_ref().map(|text| text.parse::<u32>());
        if meant != Some(Ok(process)) {
            return Ok(Vec::new());
        }
        let count: usize = count
            .parse()
            .ok()
            .filter(|count| *count <= MOST)
            .ok_or_else(|| {
                invalid(format!(
                    "LISTEN_FDS is {count:?}, expected a number up to {MOST}"
                ))
            })?;
        let mut names: Vec<String> = self
            .names
            .iter()
            .flat_map(|names| names.split(':'))
            .take(count)
            .map(str::to_owned)
            .collect();
        names.resize(count, "unknown".to_owned());
        Ok(names)
    }
}

fn take(descriptor: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: setting a flag of a descriptor touches no memory, and an error tells that it is not open.
    if unsafe { libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC) } == -1 {
        return Err(invalid(format!(
            "LISTEN_FDS announces descriptor {descriptor}, which is not open"
        )));
    }
    // SAFETY: it is open, the environment hands it to this process, and `TAKEN` lets nobody take it a second time.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

fn invalid(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announced(process: &str, count: &str, names: Option<&str>) -> Announced {
        Announced {
            process: Some(process.to_owned()),
            count: Some(count.to_owned()),
            names: names.map(str::to_owned),
        }
    }

    #[test]
    fn without_the_variables_there_is_nothing() {
        assert!(Announced::default().names_for(7).unwrap().is_empty());
        let no_process = Announced {
            process: None,
            ..announced("7", "2", None)
        };
        assert!(no_process.names_for(7).unwrap().is_empty());
    }

    #[test]
    fn what_is_meant_for_the_parent_is_not_ours() {
        assert!(announced("8", "2", None).names_for(7).unwrap().is_empty());
        assert!(announced("x", "2", None).names_for(7).unwrap().is_empty());
        assert!(
            announced("", "no number", None)
                .names_for(7)
                .unwrap()
                .is_empty()
        );
    }

    #[test]
    fn names_are_given_in_order_and_missing_ones_are_unknown() {
        let names = |count, names| announced("7", count, names).names_for(7).unwrap();
        assert_eq!(names("2", Some("web:admin")), ["web", "admin"]);
        assert_eq!(names("3", Some("web")), ["web", "unknown", "unknown"]);
        assert_eq!(names("1", Some("web:admin")), ["web"]);
        assert_eq!(names("1", None), ["unknown"]);
        assert!(names("0", Some("web")).is_empty());
    }

    #[test]
    fn a_count_that_is_none_is_refused() {
        for count in ["", "x", "-1", "1025", "18446744073709551616"] {
            let err = announced("7", count, None).names_for(7).unwrap_err();
            assert!(err.to_string().contains("LISTEN_FDS"), "{err}");
        }
    }

    #[test]
    fn a_descriptor_that_is_not_open_is_named() {
        let err = take(RawFd::MAX).unwrap_err();
        assert!(err.to_string().contains("is not open"), "{err}");
    }
}
