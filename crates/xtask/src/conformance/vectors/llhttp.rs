//! The tests of llhttp: Markdown with blocks of requests and of what the parser reports.

use super::collect::{Expected, Vector};

/// Numbers of "errors" that only stop the parser until its caller goes on.
const PAUSES: [&str; 3] = ["21", "22", "23"];

/// Reads the vectors of a page called `page`: those for a strict parser that is never paused.
pub(super) fn read(page: &str, text: &str) -> Vec<Vector> {
    let mut vectors: Vec<Vector> = Vec::new();
    let mut heading = "";
    let mut plain = false;
    let mut wire = None;
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(title) = line.strip_prefix('#') {
            heading = title.trim_start_matches('#').trim();
        } else if let Some(meta) = line.strip_prefix("<!-- meta=") {
            plain = is_plain(meta);
        } else if line == "```http" {
            wire = Some(decode(&block(&mut lines)));
        } else if line == "```log" {
            let expected = expected(&block(&mut lines));
            if let (Some(wire), true) = (wire.take(), plain) {
                let alike = vectors
                    .iter()
                    .filter(|vector| is_named(vector, page, heading));
                let number = match alike.count() {
                    0 => String::new(),
                    before => format!(" ({})", before + 1),
                };
                vectors.push(Vector {
                    name: format!("llhttp/{page}: {heading}{number}"),
                    wire,
                    expected,
                });
            }
        }
    }
    vectors
}

fn is_named(vector: &Vector, page: &str, heading: &str) -> bool {
    let name = format!("llhttp/{page}: {heading}");
    let rest = vector.name.strip_prefix(&name);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(" ("))
}

/// Whether a test is of the kind `request` and nothing else, and not about pausing or bodies that are passed over.
fn is_plain(meta: &str) -> bool {
    let meta: String = meta.split_whitespace().collect();
    meta.contains("\"type\":\"request\"")
        && !meta.contains("\"pause\"")
        && !meta.contains("\"skipBody\"")
}

/// The lines of a block up to its closing fence.
fn block<'a>(lines: &mut impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    lines.take_while(|line| *line != "```").collect()
}

fn expected(log: &[&str]) -> Expected {
    let mut errors = log
        .iter()
        .filter_map(|line| line.split_once(" error code="));
    let fatal = errors.any(|(_, error)| {
        let code = error.split(' ').next().unwrap_or_default();
        !PAUSES.contains(&code)
    });
    if fatal {
        return Expected::Refusal;
    }
    let complete = log
        .iter()
        .filter(|line| line.ends_with(" message complete"));
    Expected::Answers(complete.count())
}

/// Turns the lines of a block into bytes: a backslash at the end of a line joins it with the next, other ends are CRLF,
/// and there are escapes for bytes and for repetitions.
fn decode(lines: &[&str]) -> Vec<u8> {
    let mut text = String::new();
    for (number, line) in lines.iter().enumerate() {
        let (line, joined) = match line.strip_suffix('\\') {
            Some(line) => (line, true),
            None => (*line, number + 1 == lines.len()),
        };
        text.push_str(line);
        if !joined {
            text.push_str("\r\n");
        }
    }
    unescape(&repeat(&text))
}

/// Writes out `${'x'.repeat(3)}`.
fn repeat(text: &str) -> String {
    let mut written = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${'") {
        written.push_str(before);
        let call = after.split_once("'.repeat(").and_then(|(word, after)| {
            let (count, after) = after.split_once(")}")?;
            Some((word.repeat(count.trim().parse().ok()?), after))
        });
        match call {
            Some((word, after)) => {
                written.push_str(&word);
                rest = after;
            }
            None => {
                written.push_str("${'");
                rest = after;
            }
        }
    }
    written + rest
}

/// Replaces `\r`, `\n`, `\t`, `\f`, `\xHH` and `\OOO`.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let (byte, length) = match (first, after) {
            (b'\\', [b'r', ..]) => (b'\r', 2),
            (b'\\', [b'n', ..]) => (b'\n', 2),
            (b'\\', [b't', ..]) => (b'\t', 2),
            (b'\\', [b'f', ..]) => (0x0c, 2),
            (b'\\', [b'x', digits @ ..]) => match number(digits, 2, 16) {
                Some(byte) => (byte, 4),
                None => (b'\\', 1),
            },
            (b'\\', digits) => match number(digits, 3, 8) {
                Some(byte) => (byte, 4),
                None => (b'\\', 1),
            },
            (byte, _) => (*byte, 1),
        };
        bytes.push(byte);
        rest = &rest[length..];
    }
    bytes
}

/// The byte that the first `count` digits stand for.
fn number(digits: &[u8], count: usize, radix: u32) -> Option<u8> {
    let digits = std::str::from_utf8(digits.get(..count)?).ok()?;
    u8::from_str_radix(digits, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
# Page
### One
<!-- meta={\"type\": \"request\", \"noScan\": true} -->
```http
PUT /${'ab'.repeat(3)} HTTP/1.1
A: 1\\
\\x09\\052
\\r\\n

```
```log
off=0 message begin
off=9 error code=22 reason=\"Pause\"
off=9 message complete
```
### One
<!-- meta={\"type\":\"request\"} -->
```http
GET
```
```log
off=1 error code=30 reason=\"Bad\"
```
### Other
<!-- meta={\"type\": \"request-lenient-all\"} -->
```http
GET
```
```log
off=1 message complete
```
";

    #[test]
    fn a_page_is_read() {
        let vectors = read("page", PAGE);
        let names: Vec<&str> = vectors.iter().map(|vector| vector.name.as_str()).collect();
        assert_eq!(names, ["llhttp/page: One", "llhttp/page: One (2)"]);
        assert_eq!(
            vectors[0].wire,
            b"PUT /ababab HTTP/1.1\r\nA: 1\t*\r\n\r\n\r\n"
        );
        assert_eq!(vectors[0].expected, Expected::Answers(1));
        assert_eq!(vectors[1].expected, Expected::Refusal);
        assert_eq!(vectors[1].wire, b"GET");
    }
}
