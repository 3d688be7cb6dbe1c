//! A part of a file.

use std::fs::File;
use std::sync::Arc;

/// Bytes of a file that are still to be sent; see [`BodyStream::take_file`](super::BodyStream::take_file).
///
/// It only names them: nothing is read here.
#[derive(Clone, Debug)]
pub struct FileSlice {
    /// The file, shared with the thread that reads it.
    pub file: Arc<File>,
    /// Where they begin, in bytes.
    pub offset: u64,
    /// How many they are.
    pub length: u64,
}
