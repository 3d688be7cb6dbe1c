//! Awaiting many futures at once.

mod children;
mod shape;

use std::fmt;
use std::future::Future;

use children::Children;
pub use shape::Multi;

/// Awaits many futures at once and keeps their shape; Tornado's `gen.multi`, its `yield [..]` and
/// `yield {..}`.
///
/// Takes arrays, tuples of up to twelve, `Vec`s, iterators made with `map` or `filter_map`, and maps; gives
/// the values in the same shape. Each future's output is a `Result`, as that of a
/// [`Task`](crate::Task) is. **All** of them are awaited, also when one fails. Futures that are
/// woken are polled, the others are left alone, so the work is linear in what happens.
///
/// # Errors
///
/// The first error in the order of the futures. The others are written to the log.
///
/// # Cancel safety
///
/// Dropping the future drops those that are not done. Tasks go on, as always.
///
/// # Examples
///
/// ```
/// use std::collections::BTreeMap;
/// use squall_ioloop::{IoLoop, multi, spawn};
///
/// IoLoop::run_sync(async {
///     let [one, two] = multi([spawn(async { 1 }), spawn(async { 2 })]).await?;
///     assert_eq!((one, two), (1, 2));
///
///     let squares = multi((1..=3).map(|n| spawn(async move { n * n }))).await?;
///     assert_eq!(squares, [1, 4, 9]);
///
///     let by_name = BTreeMap::from([("a", spawn(async { 10 })), ("b", spawn(async { 20 }))]);
///     assert_eq!(multi(by_name).await?["b"], 20);
///     Ok::<_, std::io::Error>(())
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn multi<M: Multi>(futures: M) -> impl Future<Output = Result<M::Output, M::Error>> {
    futures.into_multi()
}

/// Gives the results of many futures in the order in which they are done; Tornado's `WaitIterator`.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use squall_ioloop::{IoLoop, as_completed, sleep};
///
/// IoLoop::run_sync(async {
///     let delays = [3, 1];
///     let mut results = as_completed(delays.map(|delay| async move {
///         sleep(Duration::from_millis(delay)).await;
///         delay
///     }));
///     assert_eq!(results.next().await, Some((1, 1)));
///     assert_eq!(results.next().await, Some((0, 3)));
///     assert_eq!(results.next().await, None);
///     Ok::<_, std::io::Error>(())
/// })?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn as_completed<I>(futures: I) -> AsCompleted<I::Item>
where
    I: IntoIterator,
    I::Item: Future,
{
    AsCompleted {
        children: Children::new(futures),
    }
}

/// The results of many futures in the order in which they are done: see [`as_completed`].
#[must_use = "ask for the results with `next`"]
pub struct AsCompleted<F: Future> {
    children: Children<F>,
}

impl<F: Future> AsCompleted<F> {
    /// The next result and the place of its future in the order in which they were given; `None`
    /// when all have been given out.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing: the next call goes on.
    pub async fn next(&mut self) -> Option<(usize, F::Output)> {
        std::future::poll_fn(|cx| self.children.poll_next(cx)).await
    }

    /// How many results are still to come.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.children.running()
    }
}

impl<F: Future> fmt::Debug for AsCompleted<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted")
            .field("remaining", &self.remaining())
            .finish()
    }
}
