//! Messages that a server compressed (RFC 7692 section 7.2.2), each on its own.

use flate2::{Decompress, FlushDecompress, Status};

use super::super::ws::frame::LARGEST;

/// The end of each message, which is not sent.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Inflates one message after another.
#[derive(Debug)]
pub(super) struct Inflater {
    state: Decompress,
    input: Vec<u8>,
    output: Vec<u8>,
}

impl Inflater {
    pub(super) fn new() -> Self {
        Self {
            state: Decompress::new(false),
            input: Vec::new(),
            output: Vec::new(),
        }
    }

    /// The message that was compressed to `payload`.
    ///
    /// # Errors
    ///
    /// A sentence when it is not what deflate makes, or grows too large.
    pub(super) fn inflate(&mut self, payload: &[u8]) -> Result<&[u8], String> {
        self.input.clear();
        self.input.extend_from_slice(payload);
        self.input.extend_from_slice(&TAIL);
        self.output.clear();
        self.state.reset(false);
        loop {
            let used = self.state.total_in() as usize;
            self.output.reserve(4096);
            let status = self.state.decompress_vec(
                &self.input[used..],
                &mut self.output,
                FlushDecompress::Sync,
            );
            let status = status.map_err(|err| format!("a message cannot be inflated: {err}"))?;
            if self.output.len() > LARGEST {
                return Err(format!(
                    "a compressed message has more than {LARGEST} bytes"
                ));
            }
            let all = self.state.total_in() as usize == self.input.len();
            let room = self.output.len() < self.output.capacity();
            match status {
                Status::Ok | Status::BufError if all && room => return Ok(&self.output),
                Status::StreamEnd if all => return Ok(&self.output),
                Status::StreamEnd => {
                    return Err("a compressed message goes on after its end".to_owned());
                }
                Status::BufError if room => {
                    return Err("a compressed message cannot be read to its end".to_owned());
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compress, Compression, FlushCompress};

    fn deflated(text: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len() + 1024);
        Compress::new(Compression::default(), false)
            .compress_vec(text, &mut out, FlushCompress::Sync)
            .unwrap();
        assert!(out.ends_with(&TAIL));
        out.truncate(out.len() - 4);
        out
    }

    #[test]
    fn messages_are_inflated_one_after_another() {
        let mut inflater = Inflater::new();
        // RFC 7692 section 7.2.3.1.
        let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        for _ in 0..3 {
            assert_eq!(inflater.inflate(&hello).unwrap(), b"Hello");
            let long = b"one two three ".repeat(100_000);
            assert_eq!(inflater.inflate(&deflated(&long)).unwrap(), long);
        }
        assert_eq!(inflater.inflate(&[0]).unwrap(), b"");
    }

    #[test]
    fn what_is_not_deflated_is_found_out() {
        let mut inflater = Inflater::new();
        assert!(inflater.inflate(b"Hello").is_err());
        assert!(inflater.inflate(&[0x07]).is_err());
        let bomb = deflated(&vec![0; LARGEST + 100_000]);
        let outcome = inflater.inflate(&bomb).map(<[u8]>::len);
        assert!(outcome.unwrap_err().contains("more than"));
        let hello = [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
        assert_eq!(inflater.inflate(&hello).unwrap(), b"Hello");
    }
}
