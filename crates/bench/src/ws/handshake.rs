//! The opening handshake (RFC 6455 section 4.1) and what was agreed about compression (RFC 7692 section 7.1).

use super::random::Random;
use super::sha1::{base64, digest};

/// The most bytes of the server's answer.
const LARGEST_HEAD: usize = 16 * 1024;
/// RFC 6455 section 1.3.
const GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/// Each message is compressed on its own, so that a server may compress once for all.
const OFFER: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

/// A handshake that is under way.
#[derive(Debug)]
pub(crate) struct Handshake {
    key: String,
    deflate: bool,
}

impl Handshake {
    /// With a key of its own; `deflate` offers compression, and then wants it.
    pub(crate) fn new(random: &mut Random, deflate: bool) -> Self {
        let mut key = [0; 16];
        key[..8].copy_from_slice(&random.next().to_le_bytes());
        key[8..].copy_from_slice(&random.next().to_le_bytes());
        Self {
            key: base64(&key),
            deflate,
        }
    }

    /// What is sent. Without an `Origin`, as programs do.
    pub(crate) fn request(&self, path: &str, host: &str) -> String {
        let offer = match self.deflate {
            true => format!("Sec-WebSocket-Extensions: {OFFER}\r\n"),
            false => String::new(),
        };
        format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {}\r\n{offer}\r\n",
            self.key
        )
    }

    /// Looks for the server's answer at the beginning of `bytes`: how long it is, or `None` while it is not whole.
    ///
    /// # Errors
    ///
    /// A sentence that says what is wrong with it.
    pub(crate) fn check(&self, bytes: &[u8]) -> Result<Option<usize>, String> {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            return match bytes.len() > LARGEST_HEAD {
                true => Err("the handshake is answered without an end".to_owned()),
                false => Ok(None),
            };
        };
        let head = std::str::from_utf8(&bytes[..end]);
        let head = head.map_err(|_| "the answer to the handshake is no text".to_owned())?;
        self.judge(head)?;
        Ok(Some(end + 4))
    }

    fn judge(&self, head: &str) -> Result<(), String> {
        let mut lines = head.split("\r\n");
        let first = lines.next().unwrap_or_default();
        if !first.starts_with("HTTP/1.1 101 ") {
            return Err(format!("the handshake is answered with `{first}`"));
        }
        let fields: Vec<(&str, &str)> = lines
            .map(|line| {
                let (name, value) = line.split_once(':').unwrap_or((line, ""));
                (name, value.trim())
            })
            .collect();
        let the = |name: &str| {
            let mut values = fields
                .iter()
                .filter(|(other, _)| other.eq_ignore_ascii_case(name))
                .map(|(_, value)| *value);
            match (values.next(), values.next()) {
                (Some(_), Some(_)) => Err(format!("the handshake has two fields `{name}`")),
                (value, _) => Ok(value),
            }
        };
        let upgrade = the("upgrade")?.unwrap_or_default();
        if !upgrade.eq_ignore_ascii_case("websocket") {
            return Err(format!("the handshake upgrades to `{upgrade}`"));
        }
        let options = the("connection")?.unwrap_or_default();
        let names = |option: &str| option.trim().eq_ignore_ascii_case("upgrade");
        if !options.split(',').any(names) {
            return Err(format!("the handshake says `Connection: {options}`"));
        }
        let accept = accept(&self.key);
        let found = the("sec-websocket-accept")?.unwrap_or_default();
        if found != accept {
            return Err(format!(
                "Sec-WebSocket-Accept is `{found}` instead of `{accept}`"
            ));
        }
        if let Some(protocol) = the("sec-websocket-protocol")? {
            return Err(format!("nobody offered the subprotocol `{protocol}`"));
        }
        agreed(
            the("sec-websocket-extensions")?.unwrap_or_default(),
            self.deflate,
        )
    }
}

/// What a server answers to a key.
pub(crate) fn accept(key: &str) -> String {
    base64(&digest(format!("{key}{GUID}").as_bytes()))
}

/// Whether the server agreed to what was offered, and to nothing else.
fn agreed(extensions: &str, offered: bool) -> Result<(), String> {
    match (extensions, offered) {
        ("", false) => return Ok(()),
        ("", true) => return Err("the server declines permessage-deflate".to_owned()),
        (_, false) => return Err(format!("nobody offered the extension `{extensions}`")),
        (_, true) => {}
    }
    let unwanted = || format!("the server answers the offer with `{extensions}`");
    let mut parts = extensions.split(';').map(str::trim);
    if parts.next() != Some("permessage-deflate") {
        return Err(unwanted());
    }
    let mut alone = false;
    for parameter in parts {
        let (name, value) = parameter
            .split_once('=')
            .map_or((parameter, None), |(name, value)| (name, Some(value)));
        match (name.trim(), value.map(|value| value.trim_matches('"'))) {
            ("server_no_context_takeover", None) => alone = true,
            ("client_no_context_takeover", None) => {}
            // The server may choose its own window, but not the client's, who offered none.
            ("server_max_window_bits", Some(bits))
                if bits.parse().is_ok_and(|bits: u8| (8..=15).contains(&bits)) => {}
            _ => return Err(unwanted()),
        }
    }
    alone.then_some(()).ok_or_else(unwanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(deflate: bool) -> Handshake {
        Handshake {
            // The example of RFC 6455 section 1.3.
            key: "dGhlIHNhbXBsZSBub25jZQ==".to_owned(),
            deflate,
        }
    }

    const RIGHT: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\n\
        connection: keep-alive, upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

    #[test]
    fn the_answer_is_whole_at_its_last_byte_and_not_before() {
        let answer = format!("{RIGHT}\r\n");
        for cut in 0..answer.len() {
            assert_eq!(sample(false).check(&answer.as_bytes()[..cut]), Ok(None));
        }
        let more = format!("{answer}\u{1}");
        assert_eq!(sample(false).check(more.as_bytes()), Ok(Some(answer.len())));
    }

    #[test]
    fn wrong_answers_are_told_apart() {
        for (from, to, words) in [
            ("101", "200", "answered with `HTTP/1.1 200"),
            ("WebSocket", "h2c", "upgrades to `h2c`"),
            (", upgrade", "", "Connection: keep-alive"),
            ("xOo=", "xOO=", "xOO=` instead of"),
            (
                "Upgrade: WebSocket",
                "Upgrade: WebSocket\r\nUpgrade: WebSocket",
                "two fields",
            ),
            (
                "\r\nconn",
                "\r\nSec-WebSocket-Protocol: chat\r\nconn",
                "subprotocol `chat`",
            ),
            (
                "\r\nconn",
                "\r\nSec-WebSocket-Extensions: permessage-deflate\r\nconn",
                "nobody offered the extension",
            ),
        ] {
            let answer = format!("{}\r\n", RIGHT.replacen(from, to, 1));
            let err = sample(false).check(answer.as_bytes()).expect_err(to);
            assert!(err.contains(words), "{to}: {err}");
        }
        let endless = vec![b'a'; LARGEST_HEAD + 1];
        assert!(sample(false).check(&endless).is_err());
    }

    #[test]
    fn compression_is_what_was_offered() {
        for right in [
            "permessage-deflate; server_no_context_takeover",
            "permessage-deflate;server_no_context_takeover; client_no_context_takeover",
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=\"12\"",
        ] {
            assert_eq!(agreed(right, true), Ok(()), "{right}");
        }
        for wrong in [
            "",
            "x-webkit-deflate-frame",
            "permessage-deflate",
            "permessage-deflate; client_no_context_takeover",
            "permessage-deflate; server_no_context_takeover; client_max_window_bits=12",
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=7",
            "permessage-deflate; server_no_context_takeover=1",
        ] {
            assert!(agreed(wrong, true).is_err(), "{wrong}");
        }
        let request = sample(true).request("/a", "b");
        assert!(request.contains("\r\nSec-WebSocket-Extensions: permessage-deflate; server_no_"));
    }

    #[test]
    fn every_handshake_has_a_key_of_its_own() {
        let mut random = Random::new(1);
        let (one, other) = (
            Handshake::new(&mut random, false),
            Handshake::new(&mut random, false),
        );
        assert_ne!(one.key, other.key);
        assert_eq!(one.key.len(), 24);
    }
}
