//! What the system knows about running processes.

use std::fs;
use std::time::Duration;

/// Processor time, user and system, that the processes have used so far: to a few milliseconds where the
/// scheduler keeps account of it, else to ten.
pub(crate) fn cpu(family: &[u32]) -> Option<Duration> {
    family.iter().map(|id| account(*id).or(clock(*id))).sum()
}

/// What the scheduler says about all threads of a process.
fn account(id: u32) -> Option<Duration> {
    let mut nanos = 0;
    for thread in fs::read_dir(format!("/proc/{id}/task")).ok()? {
        let text = fs::read_to_string(thread.ok()?.path().join("schedstat")).ok()?;
        nanos += text.split_whitespace().next()?.parse::<u64>().ok()?;
    }
    // A kernel that keeps no account says 0.
    (nanos > 0).then(|| Duration::from_nanos(nanos))
}

/// What the clock of the process says.
fn clock(id: u32) -> Option<Duration> {
    let ticks = ticks(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?)?;
    let a_second = rustix::param::clock_ticks_per_second();
    Some(Duration::from_secs_f64(ticks as f64 / a_second as f64))
}

/// The fields `utime` and `stime` of a line of `/proc/PID/stat`; the second field is a name that may
/// hold anything but ends with the last bracket.
fn ticks(stat: &str) -> Option<u64> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// Bytes of memory that these processes share with nobody.
pub(crate) fn private(family: &[u32]) -> Option<u64> {
    family
        .iter()
        .map(|id| rollup(&fs::read_to_string(format!("/proc/{id}/smaps_rollup")).ok()?))
        .sum()
}

fn rollup(text: &str) -> Option<u64> {
    let kilobytes: Vec<u64> = text
        .lines()
        .filter(|line| line.starts_with("Private_"))
        .filter_map(|line| line.split_whitespace().nth(1)?.parse().ok())
        .collect();
    (!kilobytes.is_empty()).then(|| kilobytes.iter().sum::<u64>() * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_process_may_look_like_fields() {
        let stat = "7 (a) 1 2 (b) S 1 7 7 0 -1 4194304 95 0 0 0 12 30 0 0 20 0 1 0 99 1 2";
        assert_eq!(ticks(stat), Some(42));
        assert_eq!(ticks("7 (a"), None);
    }

    #[test]
    fn private_memory_is_clean_and_dirty() {
        let text = "00-ff ---p [rollup]\nRss: 9 kB\nShared_Clean: 4 kB\nPrivate_Clean: 1 kB\nPrivate_Dirty: 2 kB\n";
        assert_eq!(rollup(text), Some(3072));
        assert_eq!(rollup("Rss: 9 kB\n"), None);
    }

    #[test]
    fn this_process_has_used_and_holds_something() {
        let own = [std::process::id()];
        assert!(cpu(&own).is_some() && clock(own[0]).is_some());
        assert!(private(&own).unwrap() > 0);
    }
}
