//! Taking the bytes of a server apart into answers.

/// What a server has answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answers {
    /// Of the final answers, in order.
    pub(super) codes: Vec<u16>,
    /// Why the bytes are no sequence of answers.
    pub(super) garbage: Option<String>,
}

impl Answers {
    /// Reads all that a server has sent.
    pub(super) fn of(bytes: &[u8]) -> Self {
        let mut codes = Vec::new();
        let mut rest = bytes;
        while !rest.is_empty() {
            match answer(rest) {
                Ok((code, after)) => {
                    // 101 is the end of HTTP, other interim answers are followed by a final one.
                    if code >= 200 || code == 101 {
                        codes.push(code);
                    }
                    rest = after;
                }
                Err(garbage) => {
                    return Self {
                        codes,
                        garbage: Some(garbage),
                    };
                }
            }
        }
        Self {
            codes,
            garbage: None,
        }
    }
}

/// Reads one answer; its code and what follows it.
fn answer(bytes: &[u8]) -> Result<(u16, &[u8]), String> {
    let end = find(bytes, b"\r\n\r\n").ok_or("a head without an end")?;
    let head = String::from_utf8_lossy(&bytes[..end]);
    let body = &bytes[end + 4..];
    let mut lines = head.split("\r\n");
    let line = lines.next().unwrap_or_default();
    let code = line
        .strip_prefix("HTTP/1.1 ")
        .or(line.strip_prefix("HTTP/1.0 "))
        .and_then(|rest| rest.get(..3)?.parse().ok())
        .ok_or_else(|| format!("`{line}` instead of a status line"))?;
    let field = |name: &str| {
        head.split("\r\n")
            .filter_map(|line| line.split_once(':'))
            .find_map(|(known, value)| {
                known
                    .eq_ignore_ascii_case(name)
                    .then(|| value.trim().to_ascii_lowercase())
            })
    };
    // An answer to HEAD tells a length and has no body; here nobody knows what was asked.
    let bodiless = body.starts_with(b"HTTP/1.") || matches!(code, 100..=199 | 204 | 304);
    if bodiless {
        return Ok((code, body));
    }
    if field("transfer-encoding").is_some_and(|coding| coding == "chunked") {
        return Ok((code, chunked(body)?));
    }
    match field("content-length").map(|length| length.parse::<usize>()) {
        None => Ok((code, &[])),
        Some(Ok(length)) if length <= body.len() => Ok((code, &body[length..])),
        Some(Ok(_)) if body.is_empty() => Ok((code, &[])),
        Some(_) => Err("a body that is shorter than its length".to_owned()),
    }
}

/// What follows a chunked body.
fn chunked(mut rest: &[u8]) -> Result<&[u8], String> {
    loop {
        let end = find(rest, b"\r\n").ok_or("a chunk without a size")?;
        let size = String::from_utf8_lossy(&rest[..end]).into_owned();
        let size = usize::from_str_radix(&size, 16)
            .map_err(|_| format!("`{size}` instead of a chunk size"))?;
        // The data and the end of the line behind it; the last chunk is followed by an empty line.
        rest = rest
            .get(end + 2 + size + 2..)
            .ok_or("a chunk that is cut off")?;
        if size == 0 {
            return Ok(rest);
        }
    }
}

fn find(bytes: &[u8], mark: &[u8]) -> Option<usize> {
    bytes.windows(mark.len()).position(|part| part == mark)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted() {
        let cases: [(&str, &[u16]); 7] = [
            ("", &[]),
            (
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi",
                &[200],
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\nHTTP/1.1 404 No\r\n\r\nx",
                &[200, 404],
            ),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
                &[200, 204],
            ),
            ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", &[200]),
            ("HTTP/1.0 200 OK\r\n\r\nall the rest", &[200]),
            ("HTTP/1.1 101 Switching\r\n\r\n", &[101]),
        ];
        for (bytes, codes) in cases {
            let answers = Answers::of(bytes.as_bytes());
            assert_eq!(
                (&answers.codes[..], answers.garbage),
                (codes, None),
                "{bytes}"
            );
        }
    }

    #[test]
    fn garbage_is_told() {
        let cases = [
            ("oops\r\n\r\n", "`oops` instead of a status line"),
            ("HTTP/1.1 200 OK\r\n", "a head without an end"),
            (
                "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi",
                "a body that is shorter than its length",
            ),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nx\r\n",
                "`x` instead of a chunk size",
            ),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
                "a chunk that is cut off",
            ),
        ];
        for (bytes, garbage) in cases {
            assert_eq!(
                Answers::of(bytes.as_bytes()).garbage.as_deref(),
                Some(garbage)
            );
        }
    }
}
