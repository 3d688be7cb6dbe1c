//! The memory of a request's head: its bytes as they came, and where in them everything is.
//!
//! A block is used again for other requests of the thread, so a head that nobody asks for a map of its fields or for a
//! [`Uri`] costs one copy of its bytes and no allocation.

use std::cell::{Cell, OnceCell};
use std::mem;
use std::ops::Range;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, Version};

use crate::h1::BodyKind;

/// Blocks that a thread keeps for later: as many as requests are at work in one turn of a busy loop.
const SPARES: u32 = 64;

/// Bytes of a head beyond which its block is not kept, so that a few huge heads do not fill the memory for ever.
const SPARE_BYTES: usize = 8 * 1024;

/// Fields beyond which its block is not kept.
const SPARE_FIELDS: usize = 256;

thread_local! {
    /// The first of a list. Taken out while it is changed.
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
    pub(in crate::h1) keep_alive: bool,
    pub(in crate::h1) expects_continue: bool,
    pub(in crate::h1) offers_upgrade: bool,
    /// The next one of the list of spares, and how many there are from this one on.
    next: Option<Box<Block>>,
    spares: u32,
}

impl Block {
    /// Returns an empty one.
    pub(in crate::h1) fn take() -> Box<Self> {
        SPARE.with(|spare| match spare.take() {
            Some(mut block) => {
                spare.set(block.next.take());
                block
            }
            None => Box::default(),
        })
    }

    /// Empties the block and keeps it for later.
    pub(in crate::h1) fn give_back(mut self: Box<Self>) {
        if self.bytes.capacity() > SPARE_BYTES || self.fields.capacity() > SPARE_FIELDS {
            return;
        }
        SPARE.with(|spare| {
            let next = spare.take();
            let spares = next.as_ref().map_or(0, |next| next.spares);
            if spares >= SPARES {
                return spare.set(next);
            }
            self.bytes.clear();
            self.fields.clear();
            if self.uri.get().is_some() {
                self.uri = OnceCell::new();
            }
            if self.headers.get().is_some() {
                self.headers = OnceCell::new();
            }
            self.next = next;
            self.spares = spares + 1;
            spare.set(Some(self));
        });
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
