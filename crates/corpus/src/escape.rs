//! Bytes in text.

/// Turns text with escapes into bytes.
///
/// | escape | stands for |
/// |---|---|
/// | `\r` `\n` `\t` `\0` `\\` | what they are in Rust |
/// | `\s` | a space, where one would not be seen |
/// | `\xHH` | the byte with that hexadecimal number |
/// | `\{N*text}` | `text`, which may have escapes other than this one, N times |
///
/// ```
/// assert_eq!(squall_corpus::unescape(r"a\{3*\x01b}\s")?, b"a\x01b\x01b\x01b ");
/// # Ok::<(), String>(())
/// ```
///
/// # Errors
///
/// What is wrong with the text, for the person who wrote it.
pub fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        rest = escape(&rest[at + 1..], &mut bytes)?;
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

/// Appends what the escape at the front of `text` stands for, and returns what follows it.
fn escape<'a>(text: &'a str, bytes: &mut Vec<u8>) -> Result<&'a str, String> {
    let Some(sort) = text.chars().next() else {
        return Err("a backslash with nothing behind it".to_owned());
    };
    let after = &text[sort.len_utf8()..];
    let byte = match sort {
        'r' => b'\r',
        'n' => b'\n',
        't' => b'\t',
        's' => b' ',
        '0' => 0,
        '\\' => b'\\',
        'x' => {
            let (digits, after) = after
                .split_at_checked(2)
                .ok_or_else(|| format!(r"expected two hexadecimal digits after \x in `\{text}`"))?;
            let byte = u8::from_str_radix(digits, 16)
                .map_err(|_| format!(r"expected two hexadecimal digits, found `{digits}`"))?;
            bytes.push(byte);
            return Ok(after);
        }
        '{' => return repeat(after, bytes),
        other => return Err(format!(r"there is no escape `\{other}`")),
    };
    bytes.push(byte);
    Ok(after)
}

/// Appends what `N*text}` stands for, and returns what follows it.
fn repeat<'a>(text: &'a str, bytes: &mut Vec<u8>) -> Result<&'a str, String> {
    let wrong = || format!(r"expected `\{{N*text}}`, found `\{{{text}`");
    let (inner, after) = text.split_once('}').ok_or_else(wrong)?;
    let (times, piece) = inner.split_once('*').ok_or_else(wrong)?;
    let times: usize = times.parse().map_err(|_| wrong())?;
    bytes.extend(unescape(piece)?.repeat(times));
    Ok(after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_bytes() {
        assert_eq!(unescape(r"\r\n\t\0\\\s|"), Ok(b"\r\n\t\0\\ |".to_vec()));
        assert_eq!(unescape(r"\xff\x0aé"), Ok(b"\xff\n\xc3\xa9".to_vec()));
        assert_eq!(unescape(r"\{2*ab}\{0*c}d"), Ok(b"ababd".to_vec()));
    }

    #[test]
    fn mistakes_are_told() {
        for text in [r"\", r"\q", r"\x1", r"\xgg", r"\{3*a", r"\{a*3}", r"\{3}"] {
            assert!(unescape(text).is_err(), "{text}");
        }
    }
}
