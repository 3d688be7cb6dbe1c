//! What answers a route: functions, and the arguments they are called with.
//!
//! Three traits, so that the compiler can say what is wrong with a function: [`Function`] finds its arguments,
//! [`Arguments`] makes each of them, and [`Handler`] is what has both and returns a response.

use std::future::Future;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context as TaskContext, Poll, Waker};

use pin_project_lite::pin_project;

use crate::HttpError;
use crate::context::Context;
use crate::extract::{FromRequest, Needs};
use crate::response::{IntoResponse, Response};

/// Why a handler could not be begun in place.
const PROMISE_BROKEN: &str = "an extractor waits though its `is_ready` said that it would not";

/// A function that answers requests: an `async fn` of up to eight arguments.
///
/// Each argument implements [`FromRequest`], the output implements [`IntoResponse`]. Closures that return a future
/// are handlers too. Neither the function nor its future must be `Send` or `Clone`: the future runs on the loop that
/// accepted the connection, and `Rc` and `RefCell` are at home in it. No borrow of a `RefCell` may be held across an
/// `await`, as another request can run meanwhile.
///
/// # Panics
///
/// A panic in a handler ends its request alone: the peer gets a 500, the log gets the method, the route and the
/// panic's message.
///
/// # Cancel safety
///
/// When the peer leaves, the handler's future is dropped at the `await` it stands at. What must be finished
/// nevertheless is spawned on the loop.
///
/// # Examples
///
/// ```
/// use std::cell::RefCell;
/// use std::rc::Rc;
///
/// use squall_web::{Application, Path};
///
/// async fn hello(Path(name): Path<String>) -> String {
///     format!("Hello, {name}")
/// }
///
/// let names = Rc::new(RefCell::new(Vec::new()));
/// let app = Application::new()
///     .get("/hello/{name}", hello)
///     .put("/names/{name}", move |Path(name): Path<String>| {
///         let names = Rc::clone(&names);
///         async move { names.borrow_mut().push(name) }
///     });
/// # app.check().unwrap();
/// ```
///
/// An argument that is no extractor is told at the route:
///
/// ```compile_fail,E0277
/// struct Session;
///
/// async fn home(session: Session) -> &'static str {
///     "home"
/// }
///
/// squall_web::Application::new().get("/", home);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler",
    label = "not an `async fn` of at most 8 arguments",
    note = "a handler is an `async fn` of at most 8 arguments that implement `FromRequest`, whose output implements \
            `IntoResponse`"
)]
pub trait Handler<Args>: 'static {
    /// What the function does once it has its arguments.
    type Begun: Future<Output = Response> + 'static;

    /// Makes the arguments at once and calls the function; `None` if one of them would have to wait. An argument that
    /// cannot be made is the error.
    fn begin(&self, cx: &mut Context) -> Option<Result<Self::Begun, Response>>;

    /// Makes the arguments and calls the function.
    fn call(self: Rc<Self>, cx: Context) -> impl Future<Output = Response> + 'static;

    /// Tells what the arguments depend on.
    fn needs(needs: &mut Needs);
}

impl<F, Args> Handler<Args> for F
where
    F: Function<Args>,
    Args: Arguments + 'static,
    <F::Future as Future>::Output: IntoResponse,
{
    type Begun = Begun<F::Future>;

    fn begin(&self, cx: &mut Context) -> Option<Result<Begun<F::Future>, Response>> {
        if !Args::are_ready(cx) {
            return None;
        }
        let extracting = pin!(Args::extract(cx));
        Some(
            match extracting.poll(&mut TaskContext::from_waker(Waker::noop())) {
                Poll::Ready(Ok(arguments)) => Ok(Begun {
                    future: self.apply(arguments),
                }),
                Poll::Ready(Err(rejection)) => Err(rejection),
                Poll::Pending => Err(HttpError::from(PROMISE_BROKEN).into_response()),
            },
        )
    }

    async fn call(self: Rc<Self>, mut cx: Context) -> Response {
        let arguments = match Args::extract(&mut cx).await {
            Ok(arguments) => arguments,
            Err(rejection) => return rejection,
        };
        // A handler that waits for long should not keep the head of its request.
        drop(cx);
        self.apply(arguments).await.into_response()
    }

    fn needs(needs: &mut Needs) {
        Args::needs(needs);
    }
}

pin_project! {
    /// A function at work, whose output becomes a response.
    #[derive(Debug)]
    pub struct Begun<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future<Output: IntoResponse>> Future for Begun<F> {
    type Output = Response;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Response> {
        self.project()
            .future
            .poll(cx)
            .map(IntoResponse::into_response)
    }
}

/// A function of at most eight arguments that returns a future; the compiler finds `Args`, a tuple.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler",
    label = "not an `async fn` of at most 8 arguments",
    note = "a handler is an `async fn` of at most 8 arguments that implement `FromRequest`, whose output implements \
            `IntoResponse`"
)]
pub trait Function<Args>: 'static {
    /// What the function returns.
    type Future: Future + 'static;

    /// Calls the function.
    fn apply(&self, arguments: Args) -> Self::Future;
}

/// A tuple of at most eight extractors.
pub trait Arguments: Sized {
    /// Makes the members in their order.
    ///
    /// # Errors
    ///
    /// The response of the first that cannot be made.
    fn extract(cx: &mut Context) -> impl Future<Output = Result<Self, Response>>;

    /// Says whether none of them would have to wait for anything.
    fn are_ready(cx: &Context) -> bool;

    /// Tells what the members depend on.
    fn needs(needs: &mut Needs);
}

macro_rules! arguments {
    ($($argument:ident)*) => {
        impl<F, Fut, $($argument,)*> Function<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> Fut + 'static,
            Fut: Future + 'static,
        {
            type Future = Fut;

            #[allow(non_snake_case, reason = "an argument's variable is called like its type")]
            fn apply(&self, ($($argument,)*): ($($argument,)*)) -> Fut {
                self($($argument),*)
            }
        }

        impl<$($argument: FromRequest,)*> Arguments for ($($argument,)*) {
            #[allow(unused_variables, reason = "without arguments the context is not read")]
            async fn extract(cx: &mut Context) -> Result<Self, Response> {
                Ok(($(
                    match $argument::from_request(cx).await {
                        Ok(argument) => argument,
                        Err(rejection) => return Err(rejection.into_response()),
                    },
                )*))
            }

            #[allow(unused_variables, reason = "without arguments the context is not read")]
            fn are_ready(cx: &Context) -> bool {
                true $(&& $argument::is_ready(cx))*
            }

            #[allow(unused_variables, reason = "without arguments there are no needs")]
            fn needs(needs: &mut Needs) {
                $($argument::needs(needs);)*
            }
        }
    };
}

arguments!();
arguments!(A);
arguments!(A B);
arguments!(A B C);
arguments!(A B C D);
arguments!(A B C D E);
arguments!(A B C D E G);
arguments!(A B C D E G H);
arguments!(A B C D E G H I);
