//! The service under attack: it writes down what it sees, and makes the mistakes that it is asked for.

use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;

use http::{HeaderName, HeaderValue, Response, StatusCode};
use squall_http::Body;
use squall_server::{Request, Service};

use crate::status;

/// Bytes of a body that the service takes; more than any row has.
const ENOUGH: usize = 1 << 24;

/// One request as it reached the service.
#[derive(Clone, Eq, PartialEq)]
pub(super) struct Seen {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) content: Content,
}

#[derive(Clone, Eq, PartialEq)]
pub(super) enum Content {
    /// The service was dropped while it waited for it.
    Dropped,
    /// It ended with an error that has this status.
    Failed(u16),
    Unread,
    Whole(Vec<u8>),
}

pub(super) type Book = Rc<RefCell<Vec<Seen>>>;

/// What the service does with a request, by the first part of its path.
///
/// | path | answer |
/// |---|---|
/// | `/early` | 200, without a look at the body |
/// | `/set/NAME/VALUE` | 200 with this field, both percent-decoded; 400 where that makes no field |
/// | `/status/N` | this status, and a body |
/// | anything else | 200, and the body's length |
pub(super) fn victim(book: &Book) -> impl Service + use<> {
    let book = Rc::clone(book);
    move |request: Request| {
        let (method, target, body) = taken(request);
        let number = book.borrow().len();
        book.borrow_mut().push(Seen {
            method: method.clone(),
            target: target.clone(),
            content: Content::Dropped,
        });
        let book = Rc::clone(&book);
        async move {
            if target.starts_with("/early") {
                book.borrow_mut()[number].content = Content::Unread;
                return Response::new(Body::from("early"));
            }
            let collected = body.collect(ENOUGH).await;
            let content = &mut book.borrow_mut()[number].content;
            match collected {
                Ok(bytes) => {
                    let answer = answer(&method, &target, bytes.len());
                    *content = Content::Whole(bytes.to_vec());
                    answer
                }
                Err(err) => {
                    *content = Content::Failed(err.status().as_u16());
                    status(err.status())
                }
            }
        }
    }
}

/// Takes a request apart; the only place that knows its type.
fn taken(request: Request) -> (String, String, Body) {
    let method = request.method().to_string();
    let target = request.uri().to_string();
    (method, target, request.into_body())
}

fn answer(method: &str, target: &str, length: usize) -> Response<Body> {
    if method == "CONNECT" {
        return status(StatusCode::NOT_IMPLEMENTED);
    }
    if let Some(code) = target.strip_prefix("/status/") {
        let code = code.parse().unwrap_or(StatusCode::BAD_REQUEST);
        let mut response = Response::new(Body::from("a body"));
        *response.status_mut() = code;
        return response;
    }
    let mut response = Response::new(Body::from(format!("{length} bytes")));
    if let Some(field) = target.strip_prefix("/set/") {
        let (name, value) = field.split_once('/').unwrap_or((field, ""));
        let name = HeaderName::from_bytes(&decoded(name));
        let value = HeaderValue::from_bytes(&decoded(value));
        let (Ok(name), Ok(value)) = (name, value) else {
            return status(StatusCode::BAD_REQUEST);
        };
        response.headers_mut().insert(name, value);
    }
    response
}

/// Takes percent-encoding off, as a careless service would.
fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((plain, after)) = rest.split_once('%') {
        bytes.extend_from_slice(plain.as_bytes());
        let (digits, after) = after.split_at(2.min(after.len()));
        bytes.push(u8::from_str_radix(digits, 16).unwrap_or(b'?'));
        rest = after;
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, target, .. } = self;
        match &self.content {
            Content::Dropped => write!(f, "{method} {target} !dropped"),
            Content::Failed(status) => write!(f, "{method} {target} !{status}"),
            Content::Unread => write!(f, "{method} {target} !unread"),
            Content::Whole(bytes) => write!(f, "{method} {target} {}", bytes.escape_ascii()),
        }
    }
}
