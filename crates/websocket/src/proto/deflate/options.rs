//! What an end wants.

use super::{LARGEST_WINDOW, SMALLEST_WINDOW};

/// What this end wants of compression.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DeflateOptions {
    /// Whether connections have contexts; [`DeflateMode::Shared`], none, by default.
    pub mode: DeflateMode,
    /// How much trouble is taken, from 1, fastest, to 9, smallest; what is outside means the nearest. 1 by default.
    pub level: u32,
    /// Bytes below which a message is sent as it is; 128 by default. JSON of 128 bytes that stands alone becomes shorter
    /// by a tenth, and what is below does not pay for the time. With contexts, 32 is a better choice where messages
    /// resemble each other.
    pub threshold: usize,
}

impl DeflateOptions {
    /// Whether a message of so many bytes is worth the try.
    pub fn is_worth(&self, message_bytes: usize) -> bool {
        message_bytes >= self.threshold.max(1)
    }
}

impl Default for DeflateOptions {
    fn default() -> Self {
        Self {
            mode: DeflateMode::Shared,
            level: 1,
            threshold: 128,
        }
    }
}

/// Whether messages refer to those before them, and how far back.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum DeflateMode {
    /// Each message stands alone (RFC 7692: `server_no_context_takeover`, `client_no_context_takeover`), so a
    /// connection takes no memory for it, and a message to many connections is compressed once. A client that meets a
    /// server without that choice remembers up to 32 KiB of what the server has sent.
    #[default]
    Shared,
    /// Messages refer to the last 2^bits bytes before them, with bits from 9 to 15; what is outside means the nearest
    /// of them. Messages that resemble each other become much smaller; a connection takes up to 2 × 2^bits bytes, one
    /// [`History`](super::History) for each direction. A client that cannot bound its window is asked to go without
    /// contexts.
    Window(u8),
}

impl DeflateMode {
    /// The binary logarithm of the window; `None` without contexts.
    pub(super) fn window(self) -> Option<u8> {
        match self {
            Self::Shared => None,
            Self::Window(bits) => Some(bits.clamp(SMALLEST_WINDOW, LARGEST_WINDOW)),
        }
    }
}
