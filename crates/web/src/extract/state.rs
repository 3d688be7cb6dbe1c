//! What all requests of one loop share.

use std::any::type_name;
use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::ops::Deref;
use std::rc::Rc;

use http::StatusCode;

use super::Needs;
use crate::{Context, Failure, FromRequest};

/// The value of type `T` that was given to [`Application::state`](crate::Application::state), as an `Rc<T>`.
///
/// An application is made once on every loop, so each loop has a value of its own: cells and reference counts need no
/// locks. What loops must share is shared inside `T`, by an `Arc`.
///
/// # Examples
///
/// ```
/// use std::cell::Cell;
///
/// use squall_web::{Application, State};
///
/// #[derive(Default)]
/// struct Hits(Cell<u64>);
///
/// async fn count(State(hits): State<Hits>) -> String {
///     hits.0.set(hits.0.get() + 1);
///     format!("{} so far on this loop", hits.0.get())
/// }
///
/// let app = Application::new().state(Hits::default()).get("/", count);
/// # app.check().unwrap();
/// ```
pub struct State<T>(pub Rc<T>);

impl<T: 'static> FromRequest for State<T> {
    type Rejection = MissingState;

    async fn from_request(cx: &mut Context) -> Result<Self, MissingState> {
        cx.state().map(Self)
    }

    fn is_ready(_cx: &Context) -> bool {
        true
    }

    fn needs(needs: &mut Needs) {
        needs.state::<T>();
    }
}

impl<T> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Clone for State<T> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<T: fmt::Debug> fmt::Debug for State<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("State").field(&self.0).finish()
    }
}

/// The application has no state of the type that a handler asked for: status 500, the type's name is for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MissingState {
    type_name: &'static str,
}

impl MissingState {
    pub(crate) fn of<T>() -> Self {
        Self {
            type_name: type_name::<T>(),
        }
    }
}

impl Failure for MissingState {
    fn status(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }

    fn message(&self) -> Cow<'static, str> {
        Cow::Borrowed("")
    }
}

impl fmt::Display for MissingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the application has no state of type `{}`",
            self.type_name
        )
    }
}

impl Error for MissingState {}
