//! How much the other end may send at a time.

/// The most that a decoder takes in.
///
/// Control frames are exempt: they have at most 125 bytes anyway, and none of them is kept. All limits are checked against what
/// a frame's head announces, before any of its payload is taken. What goes beyond is answered with
/// [`ProtocolError::close_code`](super::ProtocolError::close_code), which is 1009.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Bytes in the payload of a frame. By default 1 MiB.
    pub max_frame: usize,
    /// Bytes in a message, as they came; of a compressed one before it is inflated, and whoever inflates it has to limit
    /// the rest. By default 1 MiB.
    pub max_message: usize,
    /// Frames of which a message consists. They may be empty, so nothing else ends a message that goes on and on. By
    /// default 4,096.
    pub max_fragments: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_frame: 1024 * 1024,
            max_message: 1024 * 1024,
            max_fragments: 4096,
        }
    }
}
