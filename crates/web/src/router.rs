//! Which route answers a path.
//!
//! An application keeps its routes in a tree with one level a path segment. At every level a segment of text beats a
//! parameter, and a parameter beats a tail; when the better choice leads nowhere further down, the next one is tried.
//!
//! The tree compares *decoded* segments, so `/%68ello` finds the route `/hello` (RFC 3986 section 6.2.2.2), but it
//! splits the path before it decodes: `%2F` is data inside its segment and never a separator.

mod pattern;
mod tree;
mod whole;

#[cfg(test)]
pub(crate) use pattern::MAX_PARAMETERS;
pub(crate) use pattern::Pattern;
pub use pattern::PatternError;
pub(crate) use tree::{Spans, Tree};
