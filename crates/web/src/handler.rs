//! What answers a route.

use std::future::Future;
use std::rc::Rc;

use crate::context::Context;
use crate::extract::{FromRequest, Needs};
use crate::response::{IntoResponse, Response};

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
    label = "not a handler",
    note = "a handler is an `async fn` of at most 8 arguments that implement `FromRequest`, whose output implements \
            `IntoResponse`",
    note = "arguments can be `Path<T>`, `Query<T>`, `Json<T>`, `State<T>`, `Bytes`, `String`, `Method`, `Uri`, \
            `HeaderMap`, `http::Request<Body>`, `ConnectInfo`",
    note = "outputs can be `&'static str`, `String`, `Bytes`, `Html<T>`, `Json<T>`, `StatusCode`, `EventStream`, \
            `http::Response<Body>`, `(StatusCode, T)`, `Result<T, HttpError>`"
)]
pub trait Handler<Args>: 'static {
    /// Makes the arguments and calls the function.
    fn call(self: Rc<Self>, cx: Context) -> impl Future<Output = Response> + 'static;

    /// Tells what the arguments depend on.
    fn needs(needs: &mut Needs);
}

macro_rules! handler {
    ($($argument:ident)*) => {
        impl<F, Fut, $($argument,)*> Handler<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> Fut + 'static,
            Fut: Future<Output: IntoResponse> + 'static,
            $($argument: FromRequest + 'static,)*
        {
            #[allow(non_snake_case, reason = "an argument's variable is called like its type")]
            #[allow(unused_mut, reason = "without arguments the context is not read")]
            async fn call(self: Rc<Self>, mut cx: Context) -> Response {
                $(
                    let $argument = match $argument::from_request(&mut cx).await {
                        Ok(argument) => argument,
                        Err(rejection) => return rejection.into_response(),
                    };
                )*
                // A handler that waits for long should not keep the head of its request.
                drop(cx);
                self($($argument),*).await.into_response()
            }

            #[allow(unused_variables, reason = "without arguments there are no needs")]
            fn needs(needs: &mut Needs) {
                $($argument::needs(needs);)*
            }
        }
    };
}

handler!();
handler!(A);
handler!(A B);
handler!(A B C);
handler!(A B C D);
handler!(A B C D E);
handler!(A B C D E G);
handler!(A B C D E G H);
handler!(A B C D E G H I);
