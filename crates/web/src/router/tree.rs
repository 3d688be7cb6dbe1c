//! The tree of segments and its lookup.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use percent_encoding::percent_decode;

use super::pattern::{MAX_PARAMETERS, Pattern, Segment};
use super::whole::WholePaths;

/// The values of an application's patterns, found by path.
///
/// A lookup hashes each segment once; how many routes there are does not matter. Only where a segment of text stands
/// beside a parameter can it look at a segment again, once for each way the path can be read.
#[derive(Debug)]
pub(crate) struct Tree<T> {
    /// Node 0 is the root, reached by the leading slash.
    nodes: Vec<Node<T>>,
    /// The nodes of routes without parameters, by their whole paths: what most requests ask for, in one step. A static
    /// segment is preferred to a parameter everywhere, so the tree would come to the same node.
    whole: WholePaths,
    #[cfg(test)]
    visits: std::cell::Cell<usize>,
}

#[derive(Debug)]
struct Node<T> {
    statics: HashMap<Box<[u8]>, usize, Hash>,
    parameter: Option<usize>,
    /// The value of a pattern whose tail begins below this node.
    tail: Option<T>,
    /// The value of a pattern that ends at this node.
    value: Option<T>,
}

impl<T> Node<T> {
    fn new() -> Self {
        Self {
            statics: HashMap::default(),
            parameter: None,
            tail: None,
            value: None,
        }
    }
}

impl<T: Default> Tree<T> {
    pub(crate) fn new() -> Self {
        Self {
            nodes: vec![Node::new()],
            whole: WholePaths::default(),
            #[cfg(test)]
            visits: std::cell::Cell::new(0),
        }
    }

    /// The value of the pattern's shape, made if there is none: `/{a}` and `/{b}` share one.
    pub(crate) fn entry(&mut self, pattern: &Pattern) -> &mut T {
        let mut at = 0;
        let mut whole = Some(Vec::new());
        for segment in pattern.segments() {
            at = match segment {
                Segment::Parameter => {
                    whole = None;
                    self.parameter_child(at)
                }
                Segment::Static(text) => {
                    if let Some(whole) = &mut whole {
                        whole.push(b'/');
                        whole.extend_from_slice(text.as_bytes());
                    }
                    self.static_child(at, text)
                }
                Segment::Tail => return self.nodes[at].tail.get_or_insert_default(),
            };
        }
        if let Some(whole) = whole.filter(|whole| !whole.contains(&b'%')) {
            // There are far fewer nodes than four billion.
            self.whole.insert(&whole, at as u32);
        }
        self.nodes[at].value.get_or_insert_default()
    }

    /// All values, in no particular order.
    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.nodes
            .iter()
            .flat_map(|node| node.tail.iter().chain(&node.value))
    }

    /// The node of a route without parameters whose whole path this is. [`find`](Self::find) comes to the same value.
    #[inline]
    pub(crate) fn find_whole(&self, path: &[u8]) -> Option<u32> {
        self.whole.find(path)
    }

    /// The value of a node.
    #[inline]
    pub(crate) fn value(&self, node: u32) -> Option<&T> {
        self.nodes.get(node as usize)?.value.as_ref()
    }

    /// The value for a request's path, and where in it the parameters are.
    ///
    /// A path over 65,535 bytes finds nothing; [`http::Uri`] holds none that long.
    pub(crate) fn find(&self, path: &[u8]) -> Option<(&T, Spans)> {
        if !path.starts_with(b"/") || path.len() > usize::from(u16::MAX) {
            return None;
        }
        let mut spans = Spans::default();
        let lookup = Lookup {
            tree: self,
            path,
            escaped: path.contains(&b'%'),
        };
        let value = lookup.below(0, 1, &mut spans)?;
        Some((value, spans))
    }

    fn static_child(&mut self, at: usize, text: &str) -> usize {
        let next = self.nodes.len();
        let child = *self.nodes[at]
            .statics
            .entry(text.as_bytes().into())
            .or_insert(next);
        if child == next {
            self.nodes.push(Node::new());
        }
        child
    }

    fn parameter_child(&mut self, at: usize) -> usize {
        let next = self.nodes.len();
        let child = *self.nodes[at].parameter.get_or_insert(next);
        if child == next {
            self.nodes.push(Node::new());
        }
        child
    }
}

/// One path on its way through a tree.
struct Lookup<'tree, 'path, T> {
    tree: &'tree Tree<T>,
    path: &'path [u8],
    /// Whether the path holds a percent sign, which is rare and costs a copy.
    escaped: bool,
}

impl<'tree, T> Lookup<'tree, '_, T> {
    /// Finds the value for the rest of the path, whose next segment begins at `start`.
    ///
    /// The recursion is as deep as the tree, which the application wrote, not as deep as the path, which a peer did.
    fn below(&self, node: usize, start: usize, spans: &mut Spans) -> Option<&'tree T> {
        #[cfg(test)]
        self.tree.visits.set(self.tree.visits.get() + 1);
        let node = &self.tree.nodes[node];
        let rest = &self.path[start..];
        let length = rest.iter().position(|byte| *byte == b'/');
        let end = length.map_or(self.path.len(), |length| start + length);
        let segment = &self.path[start..end];

        if let Some(child) = node.statics.get(&*self.decoded(segment)) {
            let found = self.descend(*child, end, spans);
            if found.is_some() {
                return found;
            }
        }
        if let Some(child) = node.parameter
            && !segment.is_empty()
        {
            spans.push(start, end);
            let found = self.descend(child, end, spans);
            if found.is_some() {
                return found;
            }
            spans.pop();
        }
        let tail = node.tail.as_ref()?;
        spans.push(start, self.path.len());
        Some(tail)
    }

    fn descend(&self, child: usize, end: usize, spans: &mut Spans) -> Option<&'tree T> {
        if end == self.path.len() {
            self.tree.nodes[child].value.as_ref()
        } else {
            self.below(child, end + 1, spans)
        }
    }

    fn decoded<'s>(&self, segment: &'s [u8]) -> Cow<'s, [u8]> {
        if self.escaped {
            percent_decode(segment).into()
        } else {
            Cow::Borrowed(segment)
        }
    }
}

/// Where the parameters are in a path, in bytes, still encoded.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spans {
    count: u8,
    /// The first of them, as many as most routes have; u16, because [`Tree::find`] refuses longer paths.
    first: [(u16, u16); FEW],
    /// The others.
    more: Option<Box<[(u16, u16); MAX_PARAMETERS - FEW]>>,
}

/// Parameters that need no memory of their own.
const FEW: usize = 4;

impl Spans {
    /// The encoded text of the parameter with this index.
    pub(crate) fn slice<'p>(&self, path: &'p str, index: usize) -> Option<&'p str> {
        if index >= usize::from(self.count) {
            return None;
        }
        let (start, end) = *self
            .first
            .get(index)
            .or_else(|| self.more.as_ref()?.get(index - FEW))?;
        path.get(usize::from(start)..usize::from(end))
    }

    fn push(&mut self, start: usize, end: usize) {
        // `find` refused longer paths and `Pattern` more parameters than a byte can count.
        let span = (start as u16, end as u16);
        let at = usize::from(self.count);
        match self.first.get_mut(at) {
            Some(place) => *place = span,
            None => self.more.get_or_insert_default()[at - FEW] = span,
        }
        self.count += 1;
    }

    fn pop(&mut self) {
        self.count -= 1;
    }
}

type Hash = BuildHasherDefault<Words>;

/// A hash of eight bytes at a time, multiplied and folded. The keys of the tables are the application's own, so nobody can
/// choose some that collide.
struct Words(u64);

impl Words {
    fn mix(&mut self, word: u64) {
        // An odd number without a pattern: 2^64 divided by the golden ratio.
        let mixed = u128::from(self.0 ^ word) * u128::from(0x9e37_79b9_7f4a_7c15_u64);
        self.0 = (mixed as u64) ^ (mixed >> 64) as u64;
    }
}

impl Default for Words {
    fn default() -> Self {
        Self(0x517c_c1b7_2722_0a95)
    }
}

impl Hasher for Words {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.mix(u64::from_le_bytes(*word));
        }
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        // The length tells a rest from one with zeros behind it.
        self.mix(u64::from_le_bytes(last) ^ ((bytes.len() as u64) << 56));
    }

    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests;
