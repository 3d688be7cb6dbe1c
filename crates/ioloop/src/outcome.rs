//! What a callback may end with when nobody waits for it.

use std::collections::{BTreeMap, HashMap};
use std::error::Error;

/// The end of a future that is run for its effect, as [`spawn_callback`](crate::IoLoop::spawn_callback)
/// and [`PeriodicCallback`](crate::PeriodicCallback) run it.
///
/// A `Result` reports its error, everything else is taken as success. Implemented for `()`, numbers,
/// text, the usual containers and `Result<T, E>` for every error that can become a
/// `Box<dyn Error>`; implement it (an empty `impl` will do) for types of your own.
#[diagnostic::on_unimplemented(
    message = "a callback cannot end with `{Self}`, because nobody would see whether it failed",
    label = "ends with `{Self}`",
    note = "end with `()` or with a `Result` whose error can become a `Box<dyn Error>`; or implement `Outcome`"
)]
pub trait Outcome {
    /// The error to log, if there is one.
    fn into_failure(self) -> Option<Box<dyn Error>>
    where
        Self: Sized,
    {
        None
    }
}

impl<T: Outcome, E: Into<Box<dyn Error>>> Outcome for Result<T, E> {
    fn into_failure(self) -> Option<Box<dyn Error>> {
        match self {
            Ok(value) => value.into_failure(),
            Err(err) => Some(err.into()),
        }
    }
}

macro_rules! succeeds {
    ($($kind:ty),* $(,)?) => { $(impl Outcome for $kind {})* };
}

succeeds!((), bool, char, String, &'static str);
succeeds!(
    i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, f32, f64
);

impl<T: Outcome> Outcome for Option<T> {
    fn into_failure(self) -> Option<Box<dyn Error>> {
        self.and_then(Outcome::into_failure)
    }
}

impl<T> Outcome for Vec<T> {}
impl<T, const N: usize> Outcome for [T; N] {}
impl<K, V, S> Outcome for HashMap<K, V, S> {}
impl<K, V> Outcome for BTreeMap<K, V> {}
