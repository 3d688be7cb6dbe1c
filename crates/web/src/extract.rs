//! Extractors: what a handler's arguments are made of.
//!
//! An argument of a handler is any type that implements [`FromRequest`]. The arguments are made in their order; the
//! first that cannot be made ends the request with its failure. At most one of them may take the body.
//!
//! | argument | what it is | when it cannot be made |
//! |---|---|---|
//! | [`Path<T>`] | the parameters of the route | 400 |
//! | [`Query<T>`] | the query of the URI | 400 |
//! | [`Json<T>`](crate::Json) | the body, as JSON | 400, 413, 415, 422 |
//! | [`Bytes`](bytes::Bytes), `String` | the body | 400, 413 |
//! | `http::Request<Body>` | all of it, the body as it arrives | |
//! | [`State<T>`] | what was given to `Application::state` | 500 |
//! | `Method`, `Uri`, `HeaderMap` | that part of the request | |
//! | [`ConnectInfo`](squall_server::ConnectInfo) | the two ends of the connection | 500 |
//! | [`ClientInfo`](squall_server::ClientInfo) | the client, also behind proxies that the server trusts | 500 |
//! | `Result<T, T::Rejection>` | `T` or why not | |
//!
//! Nothing here must be `Send`.

mod body;
mod path;
mod query;
mod request;
mod state;
mod values;

use std::any::TypeId;
use std::error::Error;
use std::future::Future;

use crate::context::Context;
use crate::error::Failure;
use crate::response::{IntoResponse, JsonRejection};

pub use body::BodyRejection;
pub use path::{Path, PathRejection};
pub use query::{Query, QueryRejection};
pub use request::MissingConnectInfo;
pub use state::{MissingState, State};

pub(crate) use body::collect;

/// A type that a handler can have as an argument.
///
/// # Examples
///
/// ```
/// use std::convert::Infallible;
///
/// use squall_web::{Context, FromRequest};
///
/// /// Whether the request came from a script of a page.
/// struct FromScript(bool);
///
/// impl FromRequest for FromScript {
///     type Rejection = Infallible;
///
///     async fn from_request(cx: &mut Context) -> Result<Self, Infallible> {
///         Ok(Self(cx.headers().contains_key("x-requested-with")))
///     }
/// }
///
/// async fn page(FromScript(script): FromScript) -> &'static str {
///     if script { "fragment" } else { "page" }
/// }
/// # let _ = page;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an argument of a handler",
    label = "not an extractor",
    note = "arguments of handlers are `Path<T>`, `Query<T>`, `Json<T>`, `State<T>`, `Bytes`, `String`, `Method`, `Uri`, \
            `HeaderMap`, `http::Request<Body>`, `ClientInfo`, `ConnectInfo`, or types that implement `FromRequest`"
)]
pub trait FromRequest: Sized {
    /// What is sent when the value cannot be made.
    type Rejection: IntoResponse;

    /// Makes the value.
    ///
    /// # Errors
    ///
    /// The rejection, which ends the request.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the request, so nothing needs to be kept.
    fn from_request(cx: &mut Context) -> impl Future<Output = Result<Self, Self::Rejection>>;

    /// Says whether [`from_request`](Self::from_request), called now, would end without waiting for anything.
    ///
    /// The default does not promise it. A handler whose arguments all do is begun in place, which saves memory and time.
    /// Whoever promises must keep it: an extractor that waits all the same fails with a 500.
    fn is_ready(cx: &Context) -> bool {
        let _ = cx;
        false
    }

    /// Tells what the extractor depends on, so that [`Application::check`](crate::Application::check) can find
    /// mistakes before the first request; nothing by default.
    fn needs(needs: &mut Needs) {
        let _ = needs;
    }
}

/// Gives the handler the failure instead of ending the request.
impl<T: FromRequest> FromRequest for Result<T, T::Rejection> {
    type Rejection = std::convert::Infallible;

    async fn from_request(cx: &mut Context) -> Result<Self, Self::Rejection> {
        Ok(T::from_request(cx).await)
    }

    fn is_ready(cx: &Context) -> bool {
        T::is_ready(cx)
    }

    fn needs(needs: &mut Needs) {
        T::needs(needs);
    }
}

/// What the arguments of one handler depend on.
#[derive(Debug, Default)]
pub struct Needs {
    /// The arguments that take the body.
    pub(crate) bodies: Vec<&'static str>,
    pub(crate) states: Vec<(TypeId, &'static str)>,
    /// The handler answers no HEAD, though it answers GET.
    pub(crate) no_head: bool,
}

impl Needs {
    /// The extractor `T` takes the body of the request.
    pub fn body<T>(&mut self) {
        self.bodies.push(std::any::type_name::<T>());
    }

    /// The extractor reads the state of type `T`.
    pub fn state<T: 'static>(&mut self) {
        let name = std::any::type_name::<T>();
        self.states.push((TypeId::of::<T>(), name));
    }
}

/// The failure that this error is, if it is one of this crate's own.
pub(crate) fn known_failure<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e dyn Failure> {
    fn of<'e, F: Failure + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e dyn Failure> {
        error.downcast_ref::<F>().map(|err| err as &dyn Failure)
    }
    of::<PathRejection>(error)
        .or_else(|| of::<QueryRejection>(error))
        .or_else(|| of::<JsonRejection>(error))
        .or_else(|| of::<BodyRejection>(error))
        .or_else(|| of::<MissingState>(error))
        .or_else(|| of::<MissingConnectInfo>(error))
}
