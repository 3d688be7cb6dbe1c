//! The tests of gunicorn: a file of bytes, and a Python file beside it that says what they are.

use super::collect::{Expected, Vector};

/// Reads a vector; `None` when it depends on the options of gunicorn.
///
/// # Errors
///
/// When the Python file does not say what is expected.
pub(super) fn read(name: String, bytes: &str, states: &str) -> Result<Option<Vector>, String> {
    if states.contains("cfg.set") {
        return Ok(None);
    }
    // Either a dictionary for one request, a list of such, or the class of an exception.
    let requests = states.matches("\"method\":").count();
    let expected = match (requests, states.contains("request = ")) {
        (0, true) => Expected::Refusal,
        // A list of good requests may end with the exception that the next one raises.
        (_, true) if states.contains("gunicorn.http.errors") => Expected::Refusal,
        (requests, _) if requests > 0 => Expected::Answers(requests),
        _ => return Err(format!("{name}: expected `request = `, found none")),
    };
    Ok(Some(Vector {
        name,
        wire: decode(bytes),
        expected,
    }))
}

/// Ends of lines mean nothing; escapes stand for bytes.
fn decode(text: &str) -> Vec<u8> {
    let joined = text.replace('\n', "");
    let text = joined
        .replace("\\r\\n", "\r\n")
        .replace("\\0", "\0")
        .replace("\\n", "\n")
        .replace("\\t", "\t");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = (rest.starts_with(b"\\x")).then(|| rest.get(2..4)).flatten();
        let byte = hex
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        rest = match byte {
            Some(byte) => {
                bytes.push(byte);
                &rest[4..]
            }
            None => {
                bytes.push(*first);
                after
            }
        };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(bytes: &str, states: &str) -> Option<Vector> {
        read("name".to_owned(), bytes, states).unwrap()
    }

    #[test]
    fn vectors_are_read() {
        let good = vector(
            "GET / HTTP/1.1\\r\\n\nA:\\t\\xe9\\r\\n\n\\r\\n",
            "request = {\n    \"method\": \"GET\",\n}",
        )
        .unwrap();
        assert_eq!(good.wire, b"GET / HTTP/1.1\r\nA:\t\xe9\r\n\r\n");
        assert_eq!(good.expected, Expected::Answers(1));
        let two = "req1 = {\"method\": 1}\nreq2 = {\"method\": 2}\nrequest = [req1, req2]";
        assert_eq!(vector("", two).unwrap().expected, Expected::Answers(2));
        let bad = "from gunicorn.http.errors import Bad\nrequest = Bad";
        assert_eq!(vector("", bad).unwrap().expected, Expected::Refusal);
        assert!(vector("", "cfg.set('a', 1)\nrequest = {\"method\": 1}").is_none());
        assert!(read("name".to_owned(), "", "").is_err());
    }
}
