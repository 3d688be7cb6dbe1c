//! What a peer can make many or long in a WebSocket, for the decoder that a server reads it with.

use squall::websocket::proto::{Decoder, Limits, OpCode, Role, Scratch, write_frame};

use super::READ;

/// Something that a client can make grow.
pub(super) struct Growth {
    pub(super) name: &'static str,
    /// How much of it is little.
    pub(super) base: usize,
    /// Bytes that arrive together.
    piece: usize,
    /// Appends what is sent, and returns how many messages and control frames come out.
    write: fn(&mut Vec<u8>, usize) -> usize,
}

pub(super) const GROWTHS: [Growth; 7] = [
    Growth {
        name: "websocket: many empty messages",
        base: 50_000,
        piece: READ,
        write: empty_messages,
    },
    Growth {
        name: "websocket: many empty parts of a message",
        base: 50_000,
        piece: READ,
        write: empty_parts,
    },
    Growth {
        name: "websocket: many tiny parts of a text",
        base: 50_000,
        piece: READ,
        write: tiny_parts,
    },
    Growth {
        name: "websocket: many pings",
        base: 50_000,
        piece: READ,
        write: pings,
    },
    Growth {
        name: "websocket: many pongs within a message",
        base: 50_000,
        piece: READ,
        write: pongs_within,
    },
    Growth {
        name: "websocket: a long text",
        base: 1_000_000,
        piece: READ,
        write: long_text,
    },
    Growth {
        name: "websocket: a long text byte by byte",
        base: 50_000,
        piece: 1,
        write: long_text,
    },
];

impl Growth {
    /// Reads so much of it; an error unless all of it comes out.
    pub(super) fn send(&self, size: usize) -> Result<(), String> {
        let mut input = Vec::new();
        let expected = (self.write)(&mut input, size);
        let found = read(&input, self.piece)?;
        match found == expected {
            true => Ok(()),
            false => Err(format!("{found} of {expected} came out")),
        }
    }
}

fn read(input: &[u8], piece: usize) -> Result<usize, String> {
    let limits = Limits {
        max_frame: usize::MAX,
        max_message: usize::MAX,
        max_fragments: usize::MAX,
    };
    let mut decoder = Decoder::new(Role::Server, false);
    let mut scratch = Scratch::new();
    let mut events = 0;
    for mut piece in input.chunks(piece) {
        while let Some(event) = decoder
            .decode(&mut piece, &limits, &mut scratch)
            .map_err(|err| err.to_string())?
        {
            std::hint::black_box((event, &scratch));
            events += 1;
        }
    }
    Ok(events)
}

fn frame(out: &mut Vec<u8>, opcode: OpCode, fin: bool, payload: &[u8]) {
    write_frame(out, opcode, fin, false, payload, Some([1, 2, 3, 4]));
}

fn empty_messages(out: &mut Vec<u8>, size: usize) -> usize {
    (0..size).for_each(|_| frame(out, OpCode::Binary, true, b""));
    size
}

fn empty_parts(out: &mut Vec<u8>, size: usize) -> usize {
    frame(out, OpCode::Text, false, b"");
    (0..size).for_each(|_| frame(out, OpCode::Continuation, false, b""));
    frame(out, OpCode::Continuation, true, b"");
    1
}

fn tiny_parts(out: &mut Vec<u8>, size: usize) -> usize {
    frame(out, OpCode::Text, false, b"");
    for byte in "\u{20ac}".bytes().cycle().take(size / 3 * 3) {
        frame(out, OpCode::Continuation, false, &[byte]);
    }
    frame(out, OpCode::Continuation, true, b"");
    1
}

fn pings(out: &mut Vec<u8>, size: usize) -> usize {
    (0..size).for_each(|_| frame(out, OpCode::Ping, true, b"?"));
    size
}

fn pongs_within(out: &mut Vec<u8>, size: usize) -> usize {
    frame(out, OpCode::Binary, false, b"a");
    (0..size).for_each(|_| frame(out, OpCode::Pong, true, b""));
    frame(out, OpCode::Continuation, true, b"b");
    size + 1
}

fn long_text(out: &mut Vec<u8>, size: usize) -> usize {
    frame(
        out,
        OpCode::Text,
        true,
        "\u{e9}".repeat(size / 2).as_bytes(),
    );
    1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_grows_comes_out() {
        for growth in &GROWTHS {
            assert_eq!(growth.send(70), Ok(()), "{}", growth.name);
        }
    }

    #[test]
    fn frames_that_are_refused_are_no_measurement() {
        assert!(read(b"\x82\x00", 1).is_err());
        let nothing = Growth {
            write: |_, _| 1,
            ..GROWTHS[0]
        };
        assert!(nothing.send(1).unwrap_err().starts_with("0 of 1"));
    }
}
