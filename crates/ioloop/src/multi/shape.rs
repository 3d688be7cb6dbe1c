//! The shapes that `multi` takes and gives back.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::future::Future;
use std::hash::{BuildHasher, Hash};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use super::children::Children;

/// Many futures in a shape that [`multi`](super::multi) can keep.
///
/// Implemented for arrays, tuples of one to twelve, `Vec`, `vec::IntoIter`, iterators made with
/// [`map`](Iterator::map) and [`filter_map`](Iterator::filter_map), `HashMap` and `BTreeMap`. Other
/// iterators: `multi(iterator.collect::<Vec<_>>())`.
#[diagnostic::on_unimplemented(
    message = "`multi` cannot await `{Self}`",
    note = "it takes arrays, tuples, `Vec`s and maps of futures whose outputs are `Result`s with errors that can be displayed"
)]
pub trait Multi {
    /// The values in the shape of the futures.
    type Output;
    /// The error that the futures have in common.
    type Error;

    /// Awaits all of them: see [`multi`](super::multi).
    fn into_multi(self) -> impl Future<Output = Result<Self::Output, Self::Error>>;
}

/// Awaits all and gives the values in the order of the futures, or the first error in that order.
async fn all<F, T, E>(futures: impl IntoIterator<Item = F>) -> Result<Vec<T>, E>
where
    F: Future<Output = Result<T, E>>,
    E: Display,
{
    let mut children = Children::new(futures);
    let mut values: Vec<Option<T>> = Vec::new();
    values.resize_with(children.running(), || None);
    let mut errors = Errors::default();
    while let Some((index, result)) = std::future::poll_fn(|cx| children.poll_next(cx)).await {
        match result {
            Ok(value) => values[index] = Some(value),
            Err(err) => errors.add(index, err),
        }
    }
    errors.first()?;
    Ok(values.into_iter().flatten().collect())
}

/// The errors of the futures: the first in their order is given back, the others are logged.
struct Errors<E> {
    first: Option<(usize, E)>,
}

impl<E> Default for Errors<E> {
    fn default() -> Self {
        Self { first: None }
    }
}

impl<E: Display> Errors<E> {
    fn add(&mut self, index: usize, err: E) {
        let later = match self.first.take() {
            Some((first, known)) if first < index => {
                self.first = Some((first, known));
                Some(err)
            }
            known => {
                self.first = Some((index, err));
                known.map(|(_, err)| err)
            }
        };
        if let Some(err) = later {
            tracing::error!(target: "squall::ioloop", "one more of the futures given to `multi` failed: {err}");
        }
    }

    fn first(self) -> Result<(), E> {
        match self.first {
            Some((_, err)) => Err(err),
            None => Ok(()),
        }
    }
}

impl<F, T, E, const N: usize> Multi for [F; N]
where
    F: Future<Output = Result<T, E>>,
    E: Display,
{
    type Output = [T; N];
    type Error = E;

    async fn into_multi(self) -> Result<[T; N], E> {
        let values = all(self).await?;
        let mut values = values.into_iter();
        Ok(std::array::from_fn(|_| {
            values
                .next()
                .expect("without an error there is a value for each future")
        }))
    }
}

macro_rules! sequences {
    ($([$($parameter:tt)*] $sequence:ty),* $(,)?) => {$(
        impl<F, T, E, $($parameter)*> Multi for $sequence
        where
            F: Future<Output = Result<T, E>>,
            E: Display,
        {
            type Output = Vec<T>;
            type Error = E;

            async fn into_multi(self) -> Result<Vec<T>, E> {
                all(self).await
            }
        }
    )*};
}

sequences!(
    [] Vec<F>,
    [] std::vec::IntoIter<F>,
    [I: Iterator, M: FnMut(I::Item) -> F] std::iter::Map<I, M>,
    [I: Iterator, M: FnMut(I::Item) -> Option<F>] std::iter::FilterMap<I, M>,
);

impl<K, F, T, E, S> Multi for HashMap<K, F, S>
where
    K: Eq + Hash,
    F: Future<Output = Result<T, E>>,
    E: Display,
    S: BuildHasher + Default,
{
    type Output = HashMap<K, T, S>;
    type Error = E;

    async fn into_multi(self) -> Result<HashMap<K, T, S>, E> {
        let (keys, futures): (Vec<K>, Vec<F>) = self.into_iter().unzip();
        Ok(keys.into_iter().zip(all(futures).await?).collect())
    }
}

impl<K, F, T, E> Multi for BTreeMap<K, F>
where
    K: Ord,
    F: Future<Output = Result<T, E>>,
    E: Display,
{
    type Output = BTreeMap<K, T>;
    type Error = E;

    async fn into_multi(self) -> Result<BTreeMap<K, T>, E> {
        let (keys, futures): (Vec<K>, Vec<F>) = self.into_iter().unzip();
        Ok(keys.into_iter().zip(all(futures).await?).collect())
    }
}

/// A future of a tuple, and its value once it is done.
enum Member<F: Future> {
    Running(F),
    Done(Option<F::Output>),
}

impl<F: Future> Member<F> {
    /// Polls it unless it is done; true when it is.
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> bool {
        // SAFETY: a running future is not moved, only dropped in its place.
        let this = unsafe { self.get_unchecked_mut() };
        let Self::Running(future) = this else {
            return true;
        };
        // SAFETY: pinned together with the member.
        match unsafe { Pin::new_unchecked(future) }.poll(cx) {
            Poll::Ready(output) => {
                *this = Self::Done(Some(output));
                true
            }
            Poll::Pending => false,
        }
    }

    fn take(self: Pin<&mut Self>) -> F::Output {
        // SAFETY: only the output, which is not pinned, is moved.
        match unsafe { self.get_unchecked_mut() } {
            Self::Done(output) => output.take().expect("each output is taken once"),
            Self::Running(_) => unreachable!("outputs are taken when all members are done"),
        }
    }
}

macro_rules! tuples {
    ($($name:ident $future:ident $value:ident $index:tt),*) => {
        impl<$($future, $value,)* E> Multi for ($($future,)*)
        where
            $($future: Future<Output = Result<$value, E>>,)*
            E: Display,
        {
            type Output = ($($value,)*);
            type Error = E;

            async fn into_multi(self) -> Result<Self::Output, E> {
                let ($($name,)*) = self;
                $(let mut $name = pin!(Member::Running($name));)*
                std::future::poll_fn(|cx| {
                    let mut done = true;
                    $(done &= $name.as_mut().poll(cx);)*
                    if done { Poll::Ready(()) } else { Poll::Pending }
                })
                .await;
                let mut errors = Errors::default();
                $(
                    let $name = match $name.take() {
                        Ok(value) => Some(value),
                        Err(err) => {
                            errors.add($index, err);
                            None
                        }
                    };
                )*
                errors.first()?;
                Ok(($($name.expect("without an error there is a value for each future"),)*))
            }
        }
    };
}

tuples!(a A TA 0);
tuples!(a A TA 0, b B TB 1);
tuples!(a A TA 0, b B TB 1, c C TC 2);
tuples!(a A TA 0, b B TB 1, c C TC 2, d D TD 3);
tuples!(a A TA 0, b B TB 1, c C TC 2, d D TD 3, e E5 TE 4);
tuples!(a A TA 0, b B TB 1, c C TC 2, d D TD 3, e E5 TE 4, f F TF 5);
tuples!(a A TA 0, b B TB 1, c C TC 2, d D TD 3, e E5 TE 4, f F TF 5, g G TG 6);
tuples!(a A TA 0, b B TB 1, c C TC 2, d D TD 3, e E5 TE 4, f F TF 5, g G TG 6, h H TH 7);
tuples!(a A TA 0, b B TB 1, c C TC 2, d D TD 3, e E5 TE 4, f F TF 5, g G TG 6, h H TH 7, i I TI 8);
tuples!(a A TA 0, b B TB 1, c C TC 2, d D TD 3, e E5 TE 4, f F TF 5, g G TG 6, h H TH 7, i I TI 8, j J TJ 9);
tuples!(a A TA 0, b B TB 1, c C TC 2, d D TD 3, e E5 TE 4, f F TF 5, g G TG 6, h H TH 7, i I TI 8, j J TJ 9, k K TK 10);
tuples!(a A TA 0, b B TB 1, c C TC 2, d D TD 3, e E5 TE 4, f F TF 5, g G TG 6, h H TH 7, i I TI 8, j J TJ 9, k K TK 10, l L TL 11);
