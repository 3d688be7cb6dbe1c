//! The memory of a request's head: its bytes as they came, and where in them everything is.
//!
//! A block is used again for other requests of the thread, so a head that nobody asks for a map of its fields or for a
//! [`Uri`] costs one copy of its bytes and no allocation. The block that was used last still knows its head: when the next
//! one has the very same bytes, as those of a client that pipelines or polls mostly have, it is not decoded again.

use std::cell::{Cell, OnceCell};
use std::mem;
use std::ops::Range;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, Version};

use super::Exchange;
use crate::h1::{BodyKind, Limits};

/// Blocks that a thread keeps for later: as many as requests are at work in one turn of a busy loop.
const SPARES: u32 = 64;

/// Bytes of a head beyond which its block is not kept, so that a few huge heads do not fill the memory for ever.
const SPARE_BYTES: usize = 8 * 1024;

/// Fields beyond which its block is not kept.
const SPARE_FIELDS: usize = 256;

thread_local! {
    /// The one that was given back last. Taken out while it is in use.
    static LAST: Cell<Option<Box<Block>>> = const { Cell::new(None) };
    /// The first of a list of others. Taken out while it is changed.
    static SPARE: Cell<Option<Box<Block>>> = const { Cell::new(None) };
}

/// Where one field is in the bytes of its head.
#[derive(Clone, Copy, Debug)]
pub(in crate::h1) struct Field {
    /// Where the name starts.
    pub(in crate::h1) name: u32,
    /// Where the name ends.
    pub(in crate::h1) colon: u32,
    /// Where the value starts, without white space before it.
    pub(in crate::h1) value: u32,
    /// Where the value ends, without white space behind it.
    pub(in crate::h1) end: u32,
}

impl Field {
    /// Notes a field of a line that starts at `line`; the other positions are relative to that.
    pub(in crate::h1) fn new(line: usize, colon: usize, value: Range<usize>) -> Self {
        // Positions fit: lines are found in less than 4 GiB.
        Self {
            name: line as u32,
            colon: (line + colon) as u32,
            value: (line + value.start) as u32,
            end: (line + value.end) as u32,
        }
    }

    pub(in crate::h1) fn name_length(&self) -> usize {
        (self.colon - self.name) as usize
    }
}

/// A head, complete or in the making.
#[derive(Clone, Debug, Default)]
pub(in crate::h1) struct Block {
    pub(in crate::h1) method: Method,
    /// Where the target is in `bytes`; it is ASCII, and checked, so that it makes a [`Uri`].
    pub(in crate::h1) target: (u32, u32),
    /// Where the path of a target in origin-form ends; for the other forms [`Block::uri`] knows.
    pub(in crate::h1) path_end: Option<u32>,
    pub(in crate::h1) version: Version,
    /// The head, from its first byte to its empty line; empty until it is complete.
    pub(in crate::h1) bytes: Vec<u8>,
    /// The fields in their order; not of use any more once `headers` is there.
    pub(in crate::h1) fields: Vec<Field>,
    pub(in crate::h1) uri: OnceCell<Uri>,
    pub(in crate::h1) headers: OnceCell<HeaderMap>,
    pub(in crate::h1) body: Option<BodyKind>,
    pub(in crate::h1) expects_continue: bool,
    /// What the answer has to know of it; there when the head is complete.
    pub(in crate::h1) exchange: Exchange,
    /// What was left by whoever served a head with these bytes.
    pub(in crate::h1) mark: Cell<u64>,
    /// All of it follows from `bytes` alone, so that it is right for every head with the same ones.
    pub(in crate::h1) repeatable: bool,
    /// The next one of the list of spares, and how many there are from this one on.
    next: Option<Box<Block>>,
    spares: u32,
}

impl Block {
    /// Returns an empty one.
    pub(in crate::h1) fn take() -> Box<Self> {
        let mut block = Self::take_last();
        block.clear();
        block
    }

    /// Returns the one that was given back last, which still has what was decoded into it.
    #[inline]
    pub(in crate::h1) fn take_last() -> Box<Self> {
        LAST.take().unwrap_or_else(Self::take_spare)
    }

    #[inline(never)]
    fn take_spare() -> Box<Self> {
        let Some(mut block) = SPARE.take() else {
            return Box::default();
        };
        SPARE.set(block.next.take());
        block
    }

    /// Forgets the head.
    pub(in crate::h1) fn clear(&mut self) {
        self.repeatable = false;
        self.mark.set(0);
        self.bytes.clear();
        self.fields.clear();
    }

    /// Says how long the head is in front of `input` if it has the bytes of this one, and if it is within the limits. What
    /// was decoded of this one is right for that one then.
    pub(in crate::h1) fn repeated_by(&self, input: &[u8], limits: &Limits) -> Option<usize> {
        let length = self.bytes.len();
        let head = input.get(..length)?;
        // Nearly all other heads are of another length, and do not end here.
        if !self.repeatable || !head.ends_with(b"\r\n\r\n") || !self.is_within(limits) {
            return None;
        }
        is_same(&self.bytes, head).then_some(length)
    }

    fn is_within(&self, limits: &Limits) -> bool {
        let target = (self.target.1 - self.target.0) as usize;
        let body = self.body.and_then(BodyKind::length);
        self.bytes.len() <= limits.head_bytes
            && target <= limits.target_bytes
            && self.fields.len() <= limits.headers
            && body.is_none_or(|bytes| bytes <= limits.body_bytes)
    }

    /// Keeps the block for later.
    #[inline(always)]
    pub(in crate::h1) fn give_back(self: Box<Self>) {
        let made = self.uri.get().is_some() | self.headers.get().is_some();
        let large = self.bytes.capacity() > SPARE_BYTES || self.fields.capacity() > SPARE_FIELDS;
        if made || large {
            return self.give_back_rest();
        }
        if let Some(last) = LAST.replace(Some(self)) {
            last.keep_spare();
        }
    }

    /// Keeps the block, if it is not too large, without what was made of the head.
    #[inline(never)]
    fn give_back_rest(mut self: Box<Self>) {
        if self.bytes.capacity() > SPARE_BYTES || self.fields.capacity() > SPARE_FIELDS {
            return;
        }
        self.uri = OnceCell::new();
        self.headers = OnceCell::new();
        self.give_back();
    }

    #[inline(never)]
    fn keep_spare(mut self: Box<Self>) {
        let next = SPARE.take();
        let spares = next.as_ref().map_or(0, |next| next.spares);
        if spares >= SPARES {
            return SPARE.set(next);
        }
        self.next = next;
        self.spares = spares + 1;
        SPARE.set(Some(self));
    }

    pub(in crate::h1) fn target(&self) -> &[u8] {
        &self.bytes[self.target.0 as usize..self.target.1 as usize]
    }

    pub(in crate::h1) fn uri(&self) -> &Uri {
        // The decoder has checked the target by the same rules; if it were wrong it would be for no handler.
        self.uri
            .get_or_init(|| Uri::try_from(self.target()).unwrap_or_default())
    }

    pub(in crate::h1) fn headers(&self) -> &HeaderMap {
        self.headers.get_or_init(|| self.map())
    }

    pub(in crate::h1) fn take_headers(&mut self) -> HeaderMap {
        self.headers();
        self.headers.take().unwrap_or_default()
    }

    pub(in crate::h1) fn take_uri(&mut self) -> Uri {
        self.uri();
        self.uri.take().unwrap_or_default()
    }

    pub(in crate::h1) fn name(&self, field: &Field) -> &[u8] {
        &self.bytes[field.name as usize..field.colon as usize]
    }

    pub(in crate::h1) fn value(&self, field: &Field) -> &[u8] {
        &self.bytes[field.value as usize..field.end as usize]
    }

    /// Makes the map; values are slices of one copy.
    fn map(&self) -> HeaderMap {
        let mut map = HeaderMap::with_capacity(self.fields.len());
        if self.fields.is_empty() {
            return map;
        }
        let bytes = Bytes::copy_from_slice(&self.bytes);
        for field in &self.fields {
            let value = bytes.slice(field.value as usize..field.end as usize);
            // Names, values and their number were checked by the same rules when they came.
            if let (Ok(name), Ok(value)) = (
                HeaderName::from_bytes(self.name(field)),
                HeaderValue::from_maybe_shared(value),
            ) {
                let _ = map.try_append(name, value);
            }
        }
        map
    }
}

/// A block that goes back to its thread when it is dropped.
#[derive(Debug)]
pub(in crate::h1) struct Kept(Option<Box<Block>>);

impl Kept {
    pub(in crate::h1) fn new(block: Box<Block>) -> Self {
        Self(Some(block))
    }

    pub(in crate::h1) fn get(&self) -> &Block {
        self.0.as_ref().expect("taken out only by `drop`")
    }

    pub(in crate::h1) fn get_mut(&mut self) -> &mut Block {
        self.0.as_mut().expect("taken out only by `drop`")
    }
}

impl Clone for Kept {
    fn clone(&self) -> Self {
        let mut block = Block::take();
        block.clone_from(self.0.as_ref().expect("taken out only by `drop`"));
        Self::new(block)
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(block) = mem::take(&mut self.0) {
            block.give_back();
        }
    }
}

/// Compares two heads of one length.
///
/// How long it takes tells nothing but whether all of the bytes are the same: they are those of different clients, and
/// secrets are among them, which nobody may find out piece by piece.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    type Piece = [u64; 4];
    const PIECE: usize = size_of::<Piece>();
    let piece = |bytes: &[u8; PIECE]| -> Piece {
        let (words, _) = bytes.as_chunks();
        [0, 1, 2, 3].map(|at| u64::from_ne_bytes(words[at]))
    };
    // What is left behind whole pieces is in the last one, which overlaps them. Nearly no head is shorter than one.
    let (Some(last), Some(other_last)) = (one.last_chunk(), other.last_chunk()) else {
        return false;
    };
    let ((ones, _), (others, _)) = (one.as_chunks(), other.as_chunks());
    let mut differ: Piece = [0; 4];
    let mut compare = |one, other| {
        let (one, other) = (piece(one), piece(other));
        for at in 0..differ.len() {
            differ[at] |= one[at] ^ other[at];
        }
    };
    compare(last, other_last);
    for (one, other) in ones.iter().zip(others) {
        compare(one, other);
    }
    differ == [0; 4]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_the_same_if_every_byte_is() {
        for length in 32..200 {
            let one = vec![b'a'; length];
            assert!(is_same(&one, &one.clone()));
            for at in 0..length {
                let mut other = one.clone();
                other[at] ^= 1 << (at % 8);
                assert!(!is_same(&one, &other), "{at} of {length}");
            }
        }
        assert!(!is_same(b"too short", b"too short"), "decoded anew");
    }

    #[test]
    fn blocks_are_used_again_and_not_too_many_are_kept() {
        let blocks: Vec<_> = (0..2 * SPARES).map(|_| Block::take()).collect();
        blocks.into_iter().for_each(Block::give_back);
        let spare = SPARE.take();
        assert_eq!(spare.as_ref().map(|spare| spare.spares), Some(SPARES));
        SPARE.set(spare);
        let mut large = Block::take();
        large.bytes.reserve(SPARE_BYTES + 1);
        large.give_back();
        let before = Block::take();
        assert!(before.bytes.capacity() <= SPARE_BYTES);
    }
}
