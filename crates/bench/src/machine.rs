//! Where and when it was measured.

use std::fs;
use std::process::Command;
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

/// What a reader must know to compare figures.
pub(crate) fn describe(cores: &str) -> Vec<(&'static str, String)> {
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_default();
    let count = thread::available_parallelism().map_or(1, usize::from);
    let memory = field("/proc/meminfo", "MemTotal")
        .and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok())
        .map_or(String::new(), |kilobytes| {
            format!("{:.0} GiB", kilobytes / 1_048_576.0)
        });
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let flags = field("/proc/cpuinfo", "flags").unwrap_or_default();
    let kind = match flags.split_whitespace().any(|flag| flag == "hypervisor") {
        true => "a virtual machine",
        false => "no virtual machine",
    };
    vec![
        ("machine", kind.to_owned()),
        ("processor", format!("{count} × {processor}")),
        ("memory", memory),
        ("kernel", format!("Linux {}", version(&kernel))),
        ("compiler", compiler()),
        ("cores", cores.to_owned()),
    ]
}

/// The number at the beginning, without what a distributor has put behind it.
fn version(release: &str) -> &str {
    let other = |letter: char| !letter.is_ascii_digit() && letter != '.';
    release.split(other).next().unwrap_or_default()
}

/// What `rustc --version` says.
pub(crate) fn compiler() -> String {
    let output = Command::new("rustc").arg("--version").output();
    output.map_or_else(
        |err| format!("unknown: {err}"),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}

fn field(path: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    text.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        (found.trim() == name).then(|| value.trim().to_owned())
    })
}

/// Today in Greenwich, as in `2026-11-23`.
pub(crate) fn today() -> String {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    date(seconds / 86_400)
}

/// The date so many days after 1970-01-01. Years begin in March, so that leap days come last.
fn date(days: u64) -> String {
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_is_known_by_its_number() {
        assert_eq!(version("6.18.44-amd64\n"), "6.18.44");
        assert_eq!(version("6.1"), "6.1");
    }

    #[test]
    fn days_become_dates() {
        for (days, expected) in [
            (0, "1970-01-01"),
            (11_016, "2000-02-29"),
            (20_780, "2026-11-23"),
        ] {
            assert_eq!(date(days), expected);
        }
    }
}
