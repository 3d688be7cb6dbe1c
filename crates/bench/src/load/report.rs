//! What a run found, as one line of JSON.
//!
//! | field | meaning |
//! |---|---|
//! | `requests` | right answers in the measured time |
//! | `errors` | requests and connections that failed without a wrong byte, over the whole run; the next two are part of it |
//! | `connect_errors` | connections that could not be made |
//! | `timeouts` | connections and answers that took longer than the limit |
//! | `wrong` | answers that were not the expected ones, over the whole run |
//! | `first_wrong`, `first_error` | the first of each in words; empty when there is none |
//! | `unsent` | requests at a fixed rate that were due and never found a free connection |
//! | `seconds` | the measured time |
//! | `rate` | `requests` / `seconds` |
//! | `latency_us` | microseconds, without correction from write to answer, at a fixed rate from when the request was due |
//! | `broadcast_p99_us` | of broadcasts alone: the p99 of each one's deliveries, and of those the median |
//! | `bytes_read` | bytes that arrived in the measured time |
//! | `connects` | connections made, over the whole run |
//! | `idle`, `idle_closed` | idle connections that answered, and those of them that the server closed |
//! | `slack` | the share of the measured time in which this program had nothing to do; near 0, it was the bottleneck itself |

use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use super::histogram::Histogram;

/// Counts of a run.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) requests: u64,
    pub(crate) errors: u64,
    pub(crate) connect_errors: u64,
    pub(crate) timeouts: u64,
    pub(crate) wrong: u64,
    pub(crate) first_wrong: String,
    pub(crate) first_error: String,
    pub(crate) unsent: u64,
    pub(crate) seconds: f64,
    /// Nanoseconds.
    pub(crate) latency: Histogram,
    /// The 99th percentile of the deliveries of each measured broadcast, in nanoseconds.
    pub(crate) broadcasts: Vec<u64>,
    pub(crate) bytes_read: u64,
    pub(crate) connects: u64,
    pub(crate) idle: u64,
    pub(crate) idle_closed: u64,
    /// Time with nothing to do.
    pub(crate) waited: Duration,
}

impl Report {
    pub(crate) fn new() -> Self {
        Self {
            requests: 0,
            errors: 0,
            connect_errors: 0,
            timeouts: 0,
            wrong: 0,
            first_wrong: String::new(),
            first_error: String::new(),
            unsent: 0,
            seconds: 0.0,
            latency: Histogram::new(),
            broadcasts: Vec::new(),
            bytes_read: 0,
            connects: 0,
            idle: 0,
            idle_closed: 0,
            waited: Duration::ZERO,
        }
    }

    /// Counts `count` failed requests, which may be none.
    pub(crate) fn error(&mut self, count: u64, why: impl FnOnce() -> String) {
        self.errors += count;
        if count > 0 && self.first_error.is_empty() {
            self.first_error = why();
        }
    }

    /// Counts a wrong answer.
    pub(crate) fn wrong(&mut self, why: impl FnOnce() -> String) {
        self.wrong += 1;
        if self.first_wrong.is_empty() {
            self.first_wrong = why();
        }
    }

    /// The report in one line, without its end.
    pub(crate) fn to_json(&self) -> String {
        let mut line = format!(
            "{{\"requests\":{},\"errors\":{},\"wrong\":{},\"first_wrong\":{}",
            self.requests,
            self.errors,
            self.wrong,
            quoted(&self.first_wrong)
        );
        let rate = match self.seconds > 0.0 {
            true => self.requests as f64 / self.seconds,
            false => 0.0,
        };
        let slack = match self.seconds > 0.0 {
            true => self.waited.as_secs_f64() / self.seconds,
            false => 0.0,
        };
        let micros = |share: f64| self.latency.quantile(share) as f64 / 1000.0;
        // Writing to a string cannot fail.
        let _ = write!(
            line,
            ",\"seconds\":{:.3},\"rate\":{rate:.1},\"latency_us\":{{\"p50\":{:.1},\"p90\":{:.1},\
             \"p99\":{:.1},\"p999\":{:.1},\"max\":{:.1}}}",
            self.seconds,
            micros(0.5),
            micros(0.9),
            micros(0.99),
            micros(0.999),
            self.latency.max() as f64 / 1000.0,
        );
        if let Some(median) = self.ordinary_broadcast() {
            let _ = write!(line, ",\"broadcast_p99_us\":{:.1}", median as f64 / 1000.0);
        }
        let _ = write!(
            line,
            ",\"bytes_read\":{},\"connect_errors\":{},\"timeouts\":{},\"first_error\":{},\"unsent\":{},\"connects\":{},\"idle\":{},\
             \"idle_closed\":{},\"slack\":{:.3}}}",
            self.bytes_read,
            self.connect_errors,
            self.timeouts,
            quoted(&self.first_error),
            self.unsent,
            self.connects,
            self.idle,
            self.idle_closed,
            slack.clamp(0.0, 1.0),
        );
        line
    }

    /// The median of [`Self::broadcasts`], the upper one of two.
    fn ordinary_broadcast(&self) -> Option<u64> {
        let mut sorted = self.broadcasts.clone();
        sorted.sort_unstable();
        sorted.get(sorted.len() / 2).copied()
    }
}

/// Prints a line at once; whoever reads it may have gone away.
pub(crate) fn say(line: &str) -> Result<(), String> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(|err| format!("cannot print: {err}"))
}

/// RFC 8259 section 7; everything outside ASCII is written as it is, which is UTF-8.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            control if control < ' ' => {
                let _ = write!(quoted, "\\u{:04x}", control as u32);
            }
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_is_one_line_of_json() {
        let mut report = Report::new();
        report.requests = 50;
        report.seconds = 2.0;
        report.waited = Duration::from_millis(500);
        report.latency.record(1_500, 50);
        report.wrong(|| "a \"quote\" and a \\ and a\nline".to_owned());
        report.wrong(|| "never shown".to_owned());
        report.error(2, || "refused".to_owned());
        assert_eq!(
            report.to_json(),
            "{\"requests\":50,\"errors\":2,\"wrong\":2,\"first_wrong\":\
             \"a \\\"quote\\\" and a \\\\ and a\\u000aline\",\"seconds\":2.000,\"rate\":25.0,\
             \"latency_us\":{\"p50\":1.5,\"p90\":1.5,\"p99\":1.5,\"p999\":1.5,\"max\":1.5},\
             \"bytes_read\":0,\"connect_errors\":0,\"timeouts\":0,\"first_error\":\"refused\",\
             \"unsent\":0,\"connects\":0,\"idle\":0,\"idle_closed\":0,\"slack\":0.250}"
        );
    }

    #[test]
    fn one_slow_broadcast_is_not_the_ordinary_one() {
        let mut report = Report::new();
        report.broadcasts = vec![3_000, 900_000, 2_000, 1_000, 2_500];
        assert!(
            report
                .to_json()
                .contains("\"max\":0.0},\"broadcast_p99_us\":2.5,\"bytes_read\"")
        );
    }

    #[test]
    fn a_run_without_time_has_no_rate() {
        assert!(
            Report::new()
                .to_json()
                .contains("\"seconds\":0.000,\"rate\":0.0")
        );
    }
}
