//! Numbered places in memory that does not move: where an owner keeps what it has parked.

use std::fmt;

/// Places in a chunk.
const CHUNK: usize = 256;

/// Values by number, such as the keys that descriptors are parked under.
///
/// It grows by whole chunks of 256, so that more values never mean a copy of those there are; the chunks are kept for
/// later. A number is free, or reserved by somebody, whose place then has a value or is empty for the moment.
pub struct Places<T> {
    chunks: Vec<Box<[Option<T>]>>,
    /// Numbers that nobody has.
    free: Vec<u32>,
    /// Numbers that somebody has.
    used: usize,
}

impl<T> Places<T> {
    /// Makes it without any place.
    pub fn new() -> Self {
        Self {
            chunks: Vec::new(),
            free: Vec::new(),
            used: 0,
        }
    }

    /// Takes a number that nobody has; its place is empty.
    pub fn reserve(&mut self) -> u32 {
        if self.free.is_empty() {
            self.grow();
        }
        self.used += 1;
        self.free.pop().expect("there is one after growing")
    }

    /// Gives a number back, whose place must be empty.
    ///
    /// # Panics
    ///
    /// The number was never given.
    pub fn free(&mut self, key: u32) {
        debug_assert!(self.place(key).is_none(), "nothing is thrown away");
        self.used -= 1;
        self.free.push(key);
    }

    /// Puts a value where its number was reserved.
    ///
    /// # Panics
    ///
    /// The number was never given.
    pub fn put(&mut self, key: u32, value: T) {
        *self.place(key) = Some(value);
    }

    /// Empties a place, whose number stays taken.
    pub fn take(&mut self, key: u32) -> Option<T> {
        let chunk = self.chunks.get_mut(key as usize / CHUNK)?;
        chunk[key as usize % CHUNK].take()
    }

    /// Returns the value in a place, to look at.
    pub fn get(&self, key: u32) -> Option<&T> {
        let chunk = self.chunks.get(key as usize / CHUNK)?;
        chunk[key as usize % CHUNK].as_ref()
    }

    /// Returns all values with their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let places = self.chunks.iter().flat_map(|chunk| chunk.iter());
        // There are fewer chunks than `grow` has numbers for.
        let numbered = (0u32..).zip(places);
        numbered.filter_map(|(key, place)| Some((key, place.as_ref()?)))
    }

    /// Whether all numbers are free.
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// Returns the numbers of all places that are not empty.
    pub fn keys(&self) -> Vec<u32> {
        self.iter().map(|(key, _)| key).collect()
    }

    /// Empties all places whose values are like this, and gives their numbers back.
    pub fn remove_if(&mut self, like: impl Fn(&T) -> bool) -> Vec<T> {
        let mut removed = Vec::new();
        let places = self.chunks.iter_mut().flat_map(|chunk| chunk.iter_mut());
        for (place, key) in places.zip(0u32..) {
            if let Some(value) = place.take_if(|value| like(value)) {
                removed.push(value);
                self.free.push(key);
            }
        }
        self.used -= removed.len();
        removed
    }

    /// Returns the values that are there, in the order of their numbers.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flat_map(|chunk| chunk.iter().flatten())
    }

    fn grow(&mut self) {
        let first = u32::try_from(self.chunks.len() * CHUNK).expect("fewer than four billion");
        self.chunks.push((0..CHUNK).map(|_| None).collect());
        self.free.extend((first..first + CHUNK as u32).rev());
    }

    fn place(&mut self, key: u32) -> &mut Option<T> {
        &mut self.chunks[key as usize / CHUNK][key as usize % CHUNK]
    }
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Places<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Places")
            .field("used", &self.used)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_used_again_and_chunks_stay() {
        let mut places = Places::new();
        assert!(places.is_empty());
        let keys: Vec<u32> = (0..600).map(|_| places.reserve()).collect();
        assert_eq!(keys, (0..600).collect::<Vec<u32>>());
        for key in keys {
            places.put(key, key * 2);
        }
        assert_eq!(places.take(7), Some(14));
        assert_eq!(places.take(7), None);
        assert_eq!((places.get(7), places.get(8)), (None, Some(&16)));
        assert_eq!(places.keys().len(), 599);
        places.free(7);
        assert_eq!(places.reserve(), 7);
        let removed = places.remove_if(|value| value % 4 == 0);
        assert_eq!(removed.len(), 300);
        assert_eq!(places.keys().len(), 299);
        assert_eq!(places.take(100_000), None, "a number that was never given");
        for _ in 0..300 {
            places.reserve();
        }
        assert_eq!(places.chunks.len(), 3);
    }
}
