//! Sending vectors to a server and watching what comes back.

use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::answers::Answers;
use super::collect::{Expected, Vector};

/// Vectors that are under way at a time.
const AT_ONCE: usize = 24;
/// Silence after an answer that means that there is no more.
const SILENCE: Duration = Duration::from_millis(400);
/// Silence that means that there is no answer at all.
const NO_ANSWER: Duration = Duration::from_millis(1500);
/// The longest that a vector may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a server did.
#[derive(Debug)]
pub(super) struct Seen {
    answers: Answers,
    closed: bool,
}

impl Seen {
    /// Reads what the server has sent, and whether it has closed the connection then.
    pub(super) fn of(bytes: &[u8], closed: bool) -> Self {
        let answers = Answers::of(bytes);
        Self { answers, closed }
    }

    /// Whether the server did what is stated.
    pub(super) fn agrees(&self, expected: Expected) -> bool {
        let codes = &self.answers.codes;
        match expected {
            Expected::Answers(count) => {
                let all_good = codes.iter().all(|code| *code < 400);
                all_good && codes.len() == count
            }
            // Some close without a word, which is a refusal too.
            Expected::Refusal => match codes.last() {
                Some(code) => *code >= 400,
                None => self.closed,
            },
        }
    }

    /// What no server may do, whatever it was sent.
    pub(super) fn flaw(&self) -> Option<String> {
        if let Some(garbage) = &self.answers.garbage {
            return Some(format!("it sent {garbage}"));
        }
        // 501 and 505 are refusals; the others tell of a server that broke.
        let broken = |code: &&u16| **code >= 500 && ![501, 505].contains(*code);
        let code = self.answers.codes.iter().find(broken)?;
        Some(format!("it answered {code}"))
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let codes: Vec<String> = self.answers.codes.iter().map(u16::to_string).collect();
        match codes.as_slice() {
            [] => f.write_str("no answer")?,
            codes => f.write_str(&codes.join(" "))?,
        }
        f.write_str(if self.closed { ", closed" } else { ", open" })
    }
}

/// Sends each vector on a connection of its own; what was seen, in the order of the vectors.
///
/// # Errors
///
/// When the server cannot be reached.
pub(super) fn all(address: &str, vectors: &[Vector]) -> Result<Vec<Seen>, String> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut seen = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(vector) = vectors.get(number) else {
                return Ok(seen);
            };
            let one = one(address, &vector.wire)
                .map_err(|err| format!("{}: cannot reach {address}: {err}", vector.name))?;
            seen.push((number, one));
        }
    };
    let mut all = thread::scope(|scope| {
        let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(work)).collect();
        let mut all = Vec::new();
        for thread in threads {
            let seen: Result<_, String> =
                thread.join().map_err(|_| "a thread panicked".to_owned())?;
            all.extend(seen?);
        }
        Ok::<_, String>(all)
    })?;
    all.sort_by_key(|(number, _)| *number);
    Ok(all.into_iter().map(|(_, seen)| seen).collect())
}

fn one(address: &str, wire: &[u8]) -> io::Result<Seen> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    // A server that has seen enough may close in the middle of a long vector.
    let sent = stream.write_all(wire);
    let mut bytes = Vec::new();
    let begun = Instant::now();
    let closed = loop {
        let silence = if bytes.is_empty() { NO_ANSWER } else { SILENCE };
        let left = PATIENCE.saturating_sub(begun.elapsed()).min(silence);
        if left.is_zero() {
            break false;
        }
        stream.set_read_timeout(Some(left))?;
        let mut buffer = [0; 16 * 1024];
        match stream.read(&mut buffer) {
            Ok(0) => break true,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            Err(err)
                if matches!(
                    err.kind(),
                    io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
                ) =>
            {
                break false;
            }
            // A reset is the end as well.
            Err(_) => break true,
        }
    };
    Ok(Seen::of(&bytes, closed || sent.is_err()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agrees(bytes: &str, closed: bool, expected: Expected) -> bool {
        Seen::of(bytes.as_bytes(), closed).agrees(expected)
    }

    #[test]
    fn agreement() {
        let ok = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        let no = "HTTP/1.1 400 Bad\r\ncontent-length: 0\r\n\r\n";
        let mixed = format!("{ok}{no}");
        let one = Expected::Answers(1);
        assert!(agrees(ok, false, one) && !agrees(no, true, one) && !agrees(&mixed, true, one));
        assert!(!agrees("", true, one) && !agrees(&ok.repeat(2), false, one));
        let refusal = Expected::Refusal;
        assert!(
            agrees(no, true, refusal) && agrees(&mixed, true, refusal) && agrees("", true, refusal)
        );
        assert!(!agrees(ok, true, refusal) && !agrees("", false, refusal));
    }

    #[test]
    fn flaws() {
        let flaw = |bytes: &str| Seen::of(bytes.as_bytes(), true).flaw();
        assert_eq!(flaw("HTTP/1.1 501 Not\r\n\r\n"), None);
        assert_eq!(
            flaw("HTTP/1.1 500 Oh\r\n\r\n").as_deref(),
            Some("it answered 500")
        );
        assert_eq!(
            flaw("x\r\n\r\n").as_deref(),
            Some("it sent `x` instead of a status line")
        );
    }
}
