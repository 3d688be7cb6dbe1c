//! What two ends have agreed on.

use super::{DeflateOptions, History};
use crate::proto::Role;

/// What was negotiated (RFC 7692 section 7.1), as it holds for both ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DeflateParams {
    /// The messages of the server do not refer to those before them.
    pub server_no_context_takeover: bool,
    /// The messages of the client do not refer to those before them.
    pub client_no_context_takeover: bool,
    /// The server refers back over 2^bits bytes at most; 8 to 15.
    pub server_max_window_bits: u8,
    /// The client refers back over 2^bits bytes at most; 8 to 15.
    pub client_max_window_bits: u8,
}

impl DeflateParams {
    /// Returns the part that is about the messages of one end.
    pub fn sent_by(&self, role: Role) -> Flow {
        match role {
            Role::Client => Flow {
                window_bits: self.client_max_window_bits,
                keeps_context: !self.client_no_context_takeover,
            },
            Role::Server => Flow {
                window_bits: self.server_max_window_bits,
                keeps_context: !self.server_no_context_takeover,
            },
        }
    }
}

/// How the messages of one end are compressed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Flow {
    /// The binary logarithm of the window in bytes; 8 to 15.
    pub window_bits: u8,
    /// Whether messages may refer to those before them.
    pub keeps_context: bool,
}

impl Flow {
    /// Begins the history that the receiving end of this flow needs; `None` if messages stand alone.
    pub fn history(&self) -> Option<History> {
        self.keeps_context.then(|| History::new(self.window_bits))
    }

    /// Narrows what this end may send to what it wants to send: nobody has to use all that was agreed on, and the
    /// other end does not see the difference.
    pub fn narrowed(self, options: &DeflateOptions) -> Self {
        match options.mode.window() {
            None => Self {
                keeps_context: false,
                ..self
            },
            Some(bits) => Self {
                window_bits: self.window_bits.min(bits),
                ..self
            },
        }
    }
}
