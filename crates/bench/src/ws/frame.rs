//! Frames (RFC 6455 section 5): masked ones out, strict reading of what comes.

use std::ops::Range;

/// Opcodes, RFC 6455 section 11.8.
pub(crate) const CONTINUATION: u8 = 0x0;
pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const CLOSE: u8 = 0x8;
pub(crate) const PING: u8 = 0x9;
pub(crate) const PONG: u8 = 0xa;

/// The most bytes of a message, compressed or not.
pub(crate) const LARGEST: usize = 16 << 20;

/// Appends a whole message in one masked frame.
#[inline]
pub(crate) fn write(out: &mut Vec<u8>, opcode: u8, payload: &[u8], mask: [u8; 4]) {
    out.push(0x80 | opcode);
    match payload.len() {
        length @ 0..126 => out.push(0x80 | length as u8),
        length @ 126..65_536 => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&mask);
    let from = out.len();
    out.extend_from_slice(payload);
    apply(&mut out[from..], mask);
}

/// Masks or unmasks, from the first byte of a payload on.
#[inline]
pub(crate) fn apply(bytes: &mut [u8], mask: [u8; 4]) {
    let four = u32::from_le_bytes(mask);
    let eight = u64::from(four) << 32 | u64::from(four);
    let mut chunks = bytes.chunks_exact_mut(8);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        chunk.copy_from_slice(&(u64::from_le_bytes(word) ^ eight).to_le_bytes());
    }
    for (place, byte) in chunks.into_remainder().iter_mut().enumerate() {
        *byte ^= mask[place % 4];
    }
}

/// What a server sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Event<'a> {
    /// With the status code, 1005 when there is none.
    Close(u16),
    Message(Message<'a>),
    Ping(&'a [u8]),
    Pong,
}

/// A whole message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Message<'a> {
    pub(crate) text: bool,
    /// Then the payload is to be inflated.
    pub(crate) deflated: bool,
    pub(crate) payload: &'a [u8],
}

/// Reads frames wherever they are cut, and puts messages together.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    /// A frame that is not whole yet.
    rest: Vec<u8>,
    /// The fragments of a message so far; `None` between messages.
    begun: Option<Box<Begun>>,
}

#[derive(Debug)]
struct Begun {
    text: bool,
    deflated: bool,
    payload: Vec<u8>,
}

impl Reader {
    /// Takes what has come, and calls `each` with what is whole. Compression may only be used when `deflate` was
    /// agreed.
    ///
    /// # Errors
    ///
    /// A sentence: which rule the server breaks, or what `each` says. Nothing can be read after that.
    #[inline]
    pub(crate) fn feed(
        &mut self,
        data: &[u8],
        deflate: bool,
        mut each: impl FnMut(Event<'_>) -> Result<(), String>,
    ) -> Result<(), String> {
        if self.rest.is_empty() {
            let used = self.take(data, deflate, &mut each)?;
            self.rest.extend_from_slice(&data[used..]);
            return Ok(());
        }
        let mut bytes = std::mem::take(&mut self.rest);
        bytes.extend_from_slice(data);
        let used = self.take(&bytes, deflate, &mut each)?;
        bytes.drain(..used);
        // Connections that are idle have no memory of what they once read.
        self.rest = match bytes.is_empty() {
            true => Vec::new(),
            false => bytes,
        };
        Ok(())
    }

    #[inline]
    fn take(
        &mut self,
        data: &[u8],
        deflate: bool,
        each: &mut impl FnMut(Event<'_>) -> Result<(), String>,
    ) -> Result<usize, String> {
        let mut from = 0;
        while let Some(frame) = frame(&data[from..])? {
            let payload = &data[from..][frame.payload.clone()];
            from += frame.payload.end;
            if frame.deflated && !(deflate && matches!(frame.opcode, TEXT | BINARY)) {
                return Err(format!(
                    "a frame of opcode {} has the bit of an extension that was not agreed",
                    frame.opcode
                ));
            }
            match frame.opcode {
                CLOSE | PING | PONG => each(control(&frame, payload)?)?,
                CONTINUATION => self.go_on(frame.last, payload, each)?,
                opcode if self.begun.is_some() => {
                    return Err(format!("opcode {opcode} within a message in fragments"));
                }
                opcode if frame.last => each(Event::Message(Message {
                    text: opcode == TEXT,
                    deflated: frame.deflated,
                    payload,
                }))?,
                opcode => {
                    self.begun = Some(Box::new(Begun {
                        text: opcode == TEXT,
                        deflated: frame.deflated,
                        payload: payload.to_vec(),
                    }));
                }
            }
        }
        Ok(from)
    }

    fn go_on(
        &mut self,
        last: bool,
        payload: &[u8],
        each: &mut impl FnMut(Event<'_>) -> Result<(), String>,
    ) -> Result<(), String> {
        let Some(mut begun) = self.begun.take() else {
            return Err("a continuation without a beginning".to_owned());
        };
        if begun.payload.len() + payload.len() > LARGEST {
            return Err(format!("a message has more than {LARGEST} bytes"));
        }
        begun.payload.extend_from_slice(payload);
        if !last {
            self.begun = Some(begun);
            return Ok(());
        }
        each(Event::Message(Message {
            text: begun.text,
            deflated: begun.deflated,
            payload: &begun.payload,
        }))
    }
}

#[derive(Debug)]
struct Frame {
    last: bool,
    deflated: bool,
    opcode: u8,
    payload: Range<usize>,
}

/// The frame at the beginning of `bytes`; `None` while it is not whole.
#[inline]
fn frame(bytes: &[u8]) -> Result<Option<Frame>, String> {
    let [first, second, rest @ ..] = bytes else {
        return Ok(None);
    };
    let opcode = first & 0x0f;
    if first & 0x30 != 0 {
        return Err(format!("a frame has reserved bits: {first:#04x}"));
    }
    if !matches!(opcode, 0..=2 | 8..=10) {
        return Err(format!("opcode {opcode} is reserved"));
    }
    if second & 0x80 != 0 {
        return Err("the server masks a frame".to_owned());
    }
    let (length, header, least) = match second {
        126 => match rest {
            [a, b, ..] => (u64::from(u16::from_be_bytes([*a, *b])), 4, 126),
            _ => return Ok(None),
        },
        127 => match rest.first_chunk::<8>() {
            Some(eight) => (u64::from_be_bytes(*eight), 10, 65_536),
            None => return Ok(None),
        },
        length => (u64::from(*length), 2, 0),
    };
    if length < least {
        return Err(format!("a length of {length} takes more bytes than needed"));
    }
    let last = first & 0x80 != 0;
    if opcode >= CLOSE && (length > 125 || !last) {
        return Err("a control frame is long or in fragments".to_owned());
    }
    if length > LARGEST as u64 {
        return Err(format!("a frame of {length} bytes"));
    }
    let payload = header..header + length as usize;
    Ok((bytes.len() >= payload.end).then_some(Frame {
        last,
        deflated: first & 0x40 != 0,
        opcode,
        payload,
    }))
}

fn control<'a>(frame: &Frame, payload: &'a [u8]) -> Result<Event<'a>, String> {
    match (frame.opcode, payload) {
        (PING, _) => Ok(Event::Ping(payload)),
        (PONG, _) => Ok(Event::Pong),
        (_, []) => Ok(Event::Close(1005)),
        (_, [a, b, ..]) => Ok(Event::Close(u16::from_be_bytes([*a, *b]))),
        (_, [_]) => Err("a close frame with half a status".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a server would have sent, read back in two pieces cut at each place.
    fn read(bytes: &[u8], deflate: bool) -> Result<Vec<String>, String> {
        let mut first: Option<Result<Vec<String>, String>> = None;
        for cut in 0..=bytes.len() {
            let mut reader = Reader::default();
            let mut seen = Vec::new();
            let mut each = |event: Event<'_>| {
                seen.push(format!("{event:?}"));
                Ok(())
            };
            let outcome = reader
                .feed(&bytes[..cut], deflate, &mut each)
                .and_then(|()| reader.feed(&bytes[cut..], deflate, &mut each))
                .map(|()| seen);
            match &first {
                None => first = Some(outcome),
                Some(first) => assert_eq!(first, &outcome, "cut at {cut}"),
            }
        }
        first.unwrap_or_else(|| Ok(Vec::new()))
    }

    fn message(text: bool, deflated: bool, payload: &[u8]) -> String {
        format!(
            "{:?}",
            Event::Message(Message {
                text,
                deflated,
                payload
            })
        )
    }

    #[test]
    fn frames_are_read_wherever_they_are_cut() {
        let mut bytes = vec![0x81, 2, b'h', b'i', 0x82, 126, 0, 200];
        bytes.extend_from_slice(&[7; 200]);
        // A ping between two fragments, RFC 6455 section 5.4.
        bytes.extend_from_slice(&[0x01, 1, b'a', 0x89, 1, b'p', 0x80, 1, b'b']);
        bytes.extend_from_slice(&[0x8a, 0, 0x88, 2, 0x03, 0xe8]);
        assert_eq!(
            read(&bytes, false).unwrap(),
            [
                message(true, false, b"hi"),
                message(false, false, &[7; 200]),
                format!("{:?}", Event::Ping(b"p")),
                message(true, false, b"ab"),
                "Pong".to_owned(),
                "Close(1000)".to_owned(),
            ]
        );
    }

    #[test]
    fn a_compressed_message_is_one_only_if_that_was_agreed() {
        let bytes = [0xc1, 1, 0, 0x41, 1, 1, 0x80, 1, 2];
        assert_eq!(
            read(&bytes, true).unwrap(),
            [message(true, true, &[0]), message(true, true, &[1, 2])]
        );
        assert!(read(&bytes, false).unwrap_err().contains("not agreed"));
    }

    #[test]
    fn broken_rules_are_named() {
        for (bytes, words) in [
            (&[0x91, 0][..], "reserved bits"),
            (&[0x83, 0], "opcode 3"),
            (&[0x81, 0x81, 1, 2, 3, 4, 5], "masks"),
            (&[0x81, 126, 0, 125], "more bytes than needed"),
            (&[0x81, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff], "more bytes"),
            (&[0x81, 127, 0, 0, 0, 0, 1, 0, 0, 1], "a frame of"),
            (&[0x09, 0], "control frame"),
            (&[0x89, 126, 0, 126], "control frame"),
            (&[0x80, 0], "without a beginning"),
            (&[0x01, 0, 0x81, 0], "within a message"),
            (&[0x88, 1, 3], "half a status"),
            (&[0xc9, 0], "not agreed"),
            (&[0x01, 0, 0xc0, 0], "not agreed"),
        ] {
            let err = read(bytes, true).expect_err(words);
            assert!(err.contains(words), "{bytes:x?}: {err}");
        }
    }

    #[test]
    fn what_is_written_is_masked_and_as_short_as_can_be() {
        // The example of RFC 6455 section 5.7.
        let mut out = Vec::new();
        write(&mut out, TEXT, b"Hello", [0x37, 0xfa, 0x21, 0x3d]);
        let wire = [
            0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
        ];
        assert_eq!(out, wire);
        for (length, header) in [(125, 2), (126, 4), (65_535, 4), (65_536, 10)] {
            let payload: Vec<u8> = (0..length).map(|place| place as u8).collect();
            let mut out = Vec::new();
            write(&mut out, BINARY, &payload, [1, 2, 3, 4]);
            assert_eq!(out.len(), header + 4 + length, "{length}");
            let mut body = out.split_off(header + 4);
            apply(&mut body, [1, 2, 3, 4]);
            assert_eq!(body, payload);
        }
    }
}
