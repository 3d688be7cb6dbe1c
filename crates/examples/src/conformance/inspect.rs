//! A request as JSON.

use serde_json::{Value, json};
use squall::http::{HeaderMap, Request};

/// Describes a request whose body has been read: `method`, `target`, `version`, `headers` and `trailers` as lists of
/// pairs, `body` in base64.
///
/// Names are in lower case and pairs in the order of the fields, those of one name together. A byte of a value that
/// is no ASCII becomes the letter with its number, so nothing is lost.
pub(super) fn inspect(head: &Request<()>, body: &[u8], trailers: Option<&HeaderMap>) -> Value {
    json!({
        "method": head.method().as_str(),
        "target": head.uri().to_string(),
        "version": format!("{:?}", head.version()),
        "headers": pairs(head.headers()),
        "body": base64(body),
        "trailers": trailers.map(pairs).unwrap_or_default(),
    })
}

fn pairs(fields: &HeaderMap) -> Vec<[String; 2]> {
    fields
        .iter()
        .map(|(name, value)| {
            let value = value.as_bytes().iter().copied().map(char::from).collect();
            [name.as_str().to_owned(), value]
        })
        .collect()
}

/// Encodes as RFC 4648 §4 says, with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let mut three = [0; 3];
        three[..group.len()].copy_from_slice(group);
        let [a, b, c] = three.map(usize::from);
        let letters = [
            a >> 2,
            (a & 3) << 4 | b >> 4,
            (b & 15) << 2 | c >> 6,
            c & 63,
        ];
        for (position, letter) in letters.into_iter().enumerate() {
            // A group of n bytes needs n + 1 letters; the rest is padding.
            let padded = position > group.len();
            text.push(if padded { '=' } else { ALPHABET[letter].into() });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        // The test vectors of RFC 4648 §10.
        let vectors = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ];
        for (bytes, text) in vectors {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert_eq!(base64(&[0xfb, 0xff]), "+/8=");
    }

    #[test]
    fn a_request_is_described() {
        let head = Request::builder()
            .method("QUERY")
            .uri("/a?b")
            .header("X-One", &b"\xe9"[..])
            .header("x-two", "2")
            .body(())
            .unwrap();
        let expected = json!({
            "method": "QUERY",
            "target": "/a?b",
            "version": "HTTP/1.1",
            "headers": [["x-one", "é"], ["x-two", "2"]],
            "body": "aGk=",
            "trailers": [],
        });
        assert_eq!(inspect(&head, b"hi", None), expected);
    }
}
