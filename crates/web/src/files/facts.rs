//! What is known of a file before it is sent.

use std::fs::{File, Metadata};
use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The last second that a date of HTTP can name, at the end of the year 9999.
const LAST_SECOND: u64 = 253_402_300_799;

/// An open file, and what identifies its content.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) file: File,
    pub(super) length: u64,
    /// To the second, which is all that `Last-Modified` can say, and never later than now (RFC 9110 §8.8.2.1).
    pub(super) modified: SystemTime,
    /// A strong tag: of the time of the last change to the nanosecond, and of the length.
    pub(super) etag: String,
}

impl Facts {
    pub(super) fn of(file: File, about: &Metadata) -> io::Result<Self> {
        let length = about.len();
        let modified = about.modified()?;
        // A file may be older than the clock's first second, or from a far future; nobody is to panic about that.
        let since = modified.duration_since(UNIX_EPOCH);
        let etag = match &since {
            Ok(since) => format!("\"{:x}-{length:x}\"", since.as_nanos()),
            Err(err) => format!("\"m{:x}-{length:x}\"", err.duration().as_nanos()),
        };
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let latest = now.unwrap_or_default().as_secs().min(LAST_SECOND);
        let seconds = since.unwrap_or_default().as_secs().min(latest);
        Ok(Self {
            file,
            length,
            modified: UNIX_EPOCH + Duration::from_secs(seconds),
            etag,
        })
    }

    pub(super) fn last_modified(&self) -> String {
        httpdate::fmt_http_date(self.modified)
    }
}
