//! What the log calls a request whose head is gone.

use std::fmt;

use squall_http::h1::RequestHead;

/// Bytes of method and target that the log shows; more would be kept for every request that waits, for the one that fails.
const SHOWN: usize = 64;
const HALF: usize = SHOWN / 2;

/// A method and the beginning of a target.
pub(super) struct Label {
    text: [u8; SHOWN],
    /// Bytes of the whole text, capped.
    length: u8,
}

impl Label {
    /// Returns one of no request.
    pub(super) fn new() -> Self {
        Self {
            text: [0; SHOWN],
            length: 0,
        }
    }

    pub(super) fn note(&mut self, head: &RequestHead) {
        let head_bytes = head.as_bytes();
        let start = &head_bytes[..head_bytes.len().min(SHOWN)];
        // Two copies of a fixed length, which overlap, are cheaper than one of any length. What they copy beyond the target
        // is not shown.
        match (start.first_chunk::<HALF>(), start.last_chunk::<HALF>()) {
            (Some(first), Some(last)) => {
                *self.text.first_chunk_mut().expect("longer than half") = *first;
                let after = &mut self.text[start.len() - HALF..];
                *after.first_chunk_mut().expect("as long as half") = *last;
            }
            _ => self.text[..start.len()].copy_from_slice(start),
        }
        self.length = u8::try_from(head.asked().len()).unwrap_or(u8::MAX);
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = usize::from(self.length);
        let shown = &self.text[..length.min(SHOWN)];
        // Methods and targets are visible ASCII.
        write!(f, "{}", shown.escape_ascii())?;
        if length > SHOWN {
            f.write_str("...")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn long_targets_are_cut() {
        let label = |target: &str| {
            let (parts, ()) = Request::put(target).body(()).expect(target).into_parts();
            let mut label = Label::new();
            label.note(&parts.into());
            label.to_string()
        };
        assert_eq!(label("/a?b"), "PUT /a?b");
        let exactly = format!("/{}", "a".repeat(59));
        assert_eq!(label(&exactly), format!("PUT {exactly}"));
        assert_eq!(label(&format!("{exactly}b")), format!("PUT {exactly}..."));
        assert_eq!(
            label(&format!("{exactly}{}", "b".repeat(1000))),
            format!("PUT {exactly}...")
        );
    }
}
