//! The lines of a head or a trailer section, found as they arrive.

use memchr::memchr2;

use crate::h1::ParseError;

/// Remembers how much of a block of lines was seen, between calls that each bring the whole block so far.
///
/// What is in a line, and where those before it were, is for the caller to remember.
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// Bytes of the block that need not be looked at again.
    scanned: usize,
    /// Where the current line starts.
    start: usize,
    /// Bytes looked at so far, to prove that the work is linear.
    #[cfg(test)]
    pub(super) examined: usize,
}

/// What [`Lines::next`] found.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    /// The block is over: the empty line, and so the block, ends before this position.
    End(usize),
    /// The line is not complete.
    Incomplete,
    /// A line, from and to these positions, without its CRLF.
    Line(usize, usize),
    /// The first `limit` bytes have no further line end.
    TooLarge,
}

impl Lines {
    /// Finds the next line end among the first `limit` bytes of `block` (RFC 9112 §2.2: CRLF and nothing else).
    pub(super) fn next(&mut self, block: &[u8], limit: usize) -> Result<Found, ParseError> {
        // Callers keep positions in 32 bits.
        let limit = limit.min(u32::MAX as usize);
        let window = &block[..block.len().min(limit)];
        let Some(found) = memchr2(b'\r', b'\n', &window[self.scanned..]) else {
            self.advance(window.len());
            return Ok(self.incomplete(window, limit));
        };
        let at = self.scanned + found;
        if window[at] == b'\n' {
            return Err(ParseError::BareLf);
        }
        match window.get(at + 1) {
            Some(b'\n') => Ok(self.line_end(at)),
            Some(_) => Err(ParseError::BareCr),
            None => {
                self.advance(at);
                Ok(self.incomplete(window, limit))
            }
        }
    }

    /// Returns how many bytes of the block need not be looked at again.
    pub(super) fn scanned(&self) -> usize {
        self.scanned
    }

    /// Returns where the current line starts.
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// Says whether nothing of the block was seen.
    pub(super) fn is_fresh(&self) -> bool {
        self.scanned == 0
    }

    /// Forgets the block, keeps the memory of the list.
    pub(super) fn reset(&mut self) {
        self.scanned = 0;
        self.start = 0;
    }

    fn line_end(&mut self, cr: usize) -> Found {
        let start = self.start;
        self.advance(cr + 2);
        self.start = cr + 2;
        if start == cr {
            return Found::End(cr + 2);
        }
        Found::Line(start, cr)
    }

    fn incomplete(&self, window: &[u8], limit: usize) -> Found {
        if window.len() == limit {
            Found::TooLarge
        } else {
            Found::Incomplete
        }
    }

    fn advance(&mut self, to: usize) {
        #[cfg(test)]
        {
            self.examined += to - self.scanned + 1;
        }
        self.scanned = to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_each_line_once() {
        let block = b"a: b\r\nc: d\r\n\r\nrest";
        let mut lines = Lines::default();
        assert_eq!(lines.next(block, 100), Ok(Found::Line(0, 4)));
        assert_eq!(lines.next(block, 100), Ok(Found::Line(6, 10)));
        assert_eq!(lines.next(block, 100), Ok(Found::End(14)));
    }

    #[test]
    fn a_cr_at_the_end_waits_for_its_lf() {
        let mut lines = Lines::default();
        assert_eq!(lines.next(b"a\r", 100), Ok(Found::Incomplete));
        assert_eq!(lines.next(b"a\r\n", 100), Ok(Found::Line(0, 1)));
        assert_eq!(lines.next(b"a\r\n\r", 100), Ok(Found::Incomplete));
        assert_eq!(lines.next(b"a\r\n\rx", 100), Err(ParseError::BareCr));
    }

    #[test]
    fn a_lone_line_feed_is_refused_at_once() {
        let mut lines = Lines::default();
        assert_eq!(lines.next(b"a\n", 100), Err(ParseError::BareLf));
        let mut lines = Lines::default();
        assert_eq!(lines.next(b"\n", 100), Err(ParseError::BareLf));
    }

    #[test]
    fn the_limit_counts_the_empty_line() {
        let block = b"a\r\n\r\n";
        for (limit, fits) in [(4, false), (5, true), (6, true)] {
            let mut lines = Lines::default();
            assert_eq!(lines.next(block, limit), Ok(Found::Line(0, 1)));
            let last = lines.next(block, limit);
            assert_eq!(last == Ok(Found::End(5)), fits, "{limit}");
            assert_eq!(last == Ok(Found::TooLarge), !fits, "{limit}");
        }
    }

    #[test]
    fn work_is_linear_when_a_long_line_arrives_byte_by_byte() {
        let mut block = vec![b'a'; 64 * 1024];
        block.extend_from_slice(b"\r\n\r\n");
        let mut lines = Lines::default();
        for end in 1..=block.len() {
            while let Ok(Found::Line(..)) = lines.next(&block[..end], usize::MAX) {}
        }
        assert!(lines.examined <= 2 * block.len() + 8, "{}", lines.examined);
    }
}
