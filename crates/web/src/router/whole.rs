//! Paths without parameters, found in one step.

/// Nodes of the tree by whole paths: a table of twice as many places as paths, in which a path that finds its place taken
/// goes to the next free one.
///
/// The paths are the application's own, so nobody can choose some that collide, and paths that are asked for are compared
/// with few of them: no loop goes further than to the next free place.
#[derive(Debug, Default)]
pub(super) struct WholePaths {
    /// As many as a power of two, or none.
    places: Vec<Option<Place>>,
    count: usize,
    /// Bytes of the longest path; longer ones are not looked for.
    longest: usize,
}

#[derive(Clone, Debug)]
struct Place {
    hash: u64,
    node: u32,
    path: Box<[u8]>,
}

impl WholePaths {
    /// Notes where a path leads to; one that is there already leads to the same node.
    pub(super) fn insert(&mut self, path: &[u8], node: u32) {
        if self.find(path).is_some() {
            return;
        }
        self.count += 1;
        self.longest = self.longest.max(path.len());
        if self.count * 2 > self.places.len() {
            let places = vec![None; (self.count * 2).next_power_of_two()];
            let old = std::mem::replace(&mut self.places, places);
            old.into_iter().flatten().for_each(|place| self.put(place));
        }
        self.put(Place {
            hash: hash(path),
            node,
            path: path.into(),
        });
    }

    #[inline]
    pub(super) fn find(&self, path: &[u8]) -> Option<u32> {
        if path.len() > self.longest {
            return None;
        }
        let hash = hash(path);
        let mut at = self.first(hash);
        // Half of the places are free.
        while let Some(place) = self.places.get(at)? {
            if place.hash == hash && is_same(&place.path, path) {
                return Some(place.node);
            }
            at = self.next(at);
        }
        None
    }

    fn put(&mut self, place: Place) {
        let mut at = self.first(place.hash);
        while self.places[at].is_some() {
            at = self.next(at);
        }
        self.places[at] = Some(place);
    }

    /// Where to look first. Without places it is where there is none.
    fn first(&self, hash: u64) -> usize {
        // What is cut off is masked anyway.
        hash as usize & self.places.len().wrapping_sub(1)
    }

    fn next(&self, at: usize) -> usize {
        (at + 1) & (self.places.len() - 1)
    }
}

/// Eight bytes at a time, multiplied and folded; the last eight may overlap those before.
#[inline]
fn hash(path: &[u8]) -> u64 {
    let start = mix(path.len() as u64, 0x517c_c1b7_2722_0a95);
    let (words, rest) = path.as_chunks();
    let hash = words
        .iter()
        .fold(start, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    match path.last_chunk() {
        _ if rest.is_empty() => hash,
        Some(last) => mix(hash, u64::from_le_bytes(*last)),
        None => rest
            .iter()
            .fold(hash, |hash, byte| mix(hash, u64::from(*byte))),
    }
}

#[inline]
fn mix(hash: u64, word: u64) -> u64 {
    // An odd number without a pattern: 2^64 divided by the golden ratio.
    let mixed = u128::from(hash ^ word) * u128::from(0x9e37_79b9_7f4a_7c15_u64);
    (mixed as u64) ^ (mixed >> 64) as u64
}

/// Compares without a call, since most paths are short.
#[inline]
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let ((ones, one_rest), (others, other_rest)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    let words = || ones.iter().zip(others).all(|(one, other)| one == other);
    let rest = || match (one.last_chunk::<8>(), other.last_chunk::<8>()) {
        (Some(one), Some(other)) => one == other,
        _ => one_rest
            .iter()
            .zip(other_rest)
            .all(|(one, other)| one == other),
    };
    one.len() == other.len() && words() && rest()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_found_if_and_only_if_it_was_put_in() {
        let mut paths = WholePaths::default();
        assert_eq!(paths.find(b""), None);
        assert_eq!(paths.find(b"/"), None);
        let all: Vec<String> = (0..40)
            .flat_map(|length| ["a", "b"].map(|last| format!("/{}{last}", "x".repeat(length))))
            .chain((0..3000).map(|n| format!("/route/{n}")))
            .collect();
        for (node, path) in (0..).zip(&all) {
            paths.insert(path.as_bytes(), node);
            paths.insert(path.as_bytes(), node);
        }
        assert_eq!(paths.count, all.len());
        for (node, path) in (0..).zip(&all) {
            assert_eq!(paths.find(path.as_bytes()), Some(node), "{path}");
            let more = format!("{path}\0");
            assert_eq!(paths.find(more.as_bytes()), None, "{path}");
            let fewer = &path[..path.len() - 1];
            let known = all.iter().position(|path| path == fewer);
            assert_eq!(
                paths.find(fewer.as_bytes()),
                known.map(|node| node as u32),
                "{fewer}"
            );
        }
    }

    #[test]
    fn paths_are_spread_over_the_places() {
        let mut paths = WholePaths::default();
        for n in 0..10_000u32 {
            paths.insert(format!("/api/v1/things{n}").as_bytes(), n);
        }
        // How far each is from where it is looked for first.
        let away = paths.places.iter().enumerate().flat_map(|(at, place)| {
            let first = paths.first(place.as_ref()?.hash);
            Some(at.wrapping_sub(first) & (paths.places.len() - 1))
        });
        let (sum, most) = away.fold((0, 0), |(sum, most), away| (sum + away, away.max(most)));
        assert!(sum < 10_000 && most < 50, "{sum} in all, {most} at most");
    }

    #[test]
    fn every_byte_counts() {
        for length in 0..40 {
            let one = vec![b'a'; length];
            assert!(is_same(&one, &one.clone()));
            for at in 0..length {
                let mut other = one.clone();
                other[at] = b'b';
                assert!(!is_same(&one, &other), "{at} of {length}");
                assert_ne!(hash(&one), hash(&other), "{at} of {length}");
            }
        }
    }
}
