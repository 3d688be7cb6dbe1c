//! Frames to bytes (RFC 6455 section 5.2).

use super::{CloseFrame, OpCode, mask};

/// The longest head: two bytes, eight of length and four of mask.
pub(super) const LONGEST_HEAD: usize = 14;

/// What a frame has in front of its payload; at most 14 bytes.
#[derive(Clone, Copy, Debug)]
pub struct FrameHead {
    bytes: [u8; LONGEST_HEAD],
    len: u8,
}

impl FrameHead {
    /// Makes the head of a frame with `len` bytes of payload.
    ///
    /// `fin` says that the message ends with it; control frames always do. `compressed` sets RSV1, which the first frame of
    /// a compressed message has and no other (RFC 7692 section 6). `mask` has four unpredictable bytes at a client and is
    /// `None` at a server; the payload is to be masked with the same ones.
    pub fn new(
        opcode: OpCode,
        fin: bool,
        compressed: bool,
        len: usize,
        mask: Option<[u8; 4]>,
    ) -> Self {
        let mut bytes = [0; LONGEST_HEAD];
        bytes[0] = first_byte(opcode, fin, compressed);
        let mut end = match len {
            0..126 => {
                bytes[1] = len as u8;
                2
            }
            126..0x1_0000 => {
                bytes[1] = 126;
                bytes[2..4].copy_from_slice(&(len as u16).to_be_bytes());
                4
            }
            _ => {
                bytes[1] = 127;
                bytes[2..10].copy_from_slice(&(len as u64).to_be_bytes());
                10
            }
        };
        if let Some(mask) = mask {
            bytes[1] |= 0x80;
            bytes[end..end + 4].copy_from_slice(&mask);
            end += 4;
        }
        Self {
            bytes,
            len: end as u8,
        }
    }
}

impl AsRef<[u8]> for FrameHead {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

const fn first_byte(opcode: OpCode, fin: bool, compressed: bool) -> u8 {
    opcode as u8 | (fin as u8) << 7 | (compressed as u8) << 6
}

/// Appends a whole frame to `out`. The arguments are those of [`FrameHead::new`].
///
/// A control frame (RFC 6455 section 5.5) takes at most 125 bytes of payload; whoever writes one sees to that.
#[inline]
pub fn write_frame(
    out: &mut Vec<u8>,
    opcode: OpCode,
    fin: bool,
    compressed: bool,
    payload: &[u8],
    mask: Option<[u8; 4]>,
) {
    debug_assert!(!opcode.is_control() || (payload.len() < 126 && fin && !compressed));
    if mask.is_none() && payload.len() < 126 {
        // What servers send most of the time.
        out.reserve(2 + payload.len());
        out.extend_from_slice(&[first_byte(opcode, fin, compressed), payload.len() as u8]);
        out.extend_from_slice(payload);
        return;
    }
    let head = FrameHead::new(opcode, fin, compressed, payload.len(), mask);
    out.reserve(LONGEST_HEAD + payload.len());
    out.extend_from_slice(head.as_ref());
    match mask {
        Some(mask) => mask::append(out, payload, mask),
        None => out.extend_from_slice(payload),
    }
}

/// Appends a close frame to `out` (RFC 6455 section 5.5.1). Without anything to say it is empty, and so it is with a code
/// that may not be sent; a reason of more than 123 bytes is cut between characters.
pub fn write_close(out: &mut Vec<u8>, frame: Option<&CloseFrame>, mask: Option<[u8; 4]>) {
    let mut payload = [0; 125];
    let mut len = 0;
    if let Some(CloseFrame { code, reason }) = frame
        && code.may_be_sent()
    {
        payload[..2].copy_from_slice(&code.get().to_be_bytes());
        let end = reason.floor_char_boundary(payload.len() - 2);
        len = 2 + end;
        payload[2..len].copy_from_slice(&reason.as_bytes()[..end]);
    }
    write_frame(out, OpCode::Close, true, false, &payload[..len], mask);
}
