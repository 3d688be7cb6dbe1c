//! Which path is answered with what.

use std::rc::Rc;
use std::time::Duration;

use serde_json::json;
use squall::http::header::{ALLOW, CONTENT_TYPE};
use squall::http::{
    Body, BodyError, HeaderMap, HeaderValue, Method, Request, Response, StatusCode,
};
use squall::sleep;
use squall::web::Files;

use super::inspect::inspect;

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
/// What an echo of nothing is.
const NOTHING_SENT: &str = "there was no body to echo\n";
/// The longest that `/slow` waits, in milliseconds.
const SLOWEST: u64 = 60_000;
/// The most pieces of `/stream`.
const MOST_PIECES: u64 = 1_000_000;

/// What the answers of one loop share.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) files: Option<Files>,
    /// Bytes of a body that are held for an echo; the server's limit, so that it is the one that is met.
    pub(super) body_limit: usize,
}

/// Answers a request.
pub(super) async fn answer(site: Rc<Site>, request: Request<Body>) -> Response<Body> {
    if request.method() == Method::CONNECT {
        return not_allowed("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE");
    }
    let (parts, body) = request.into_parts();
    let head = Request::from_parts(parts, ());
    match head.uri().path() {
        "/plaintext" => of_type(TEXT, "Hello, World!"),
        "/json" => of_type(JSON, json!({ "message": "Hello, World!" }).to_string()),
        "/inspect" => match whole(body, site.body_limit).await {
            Ok((body, trailers)) => {
                let seen = inspect(&head, &body, trailers.as_ref());
                of_type(JSON, format!("{seen}\n"))
            }
            Err(err) => failed(&err),
        },
        "/slow" => {
            let ms = number(&head, "ms", 100).min(SLOWEST);
            sleep(Duration::from_millis(ms)).await;
            of_type(TEXT, format!("this took {ms} ms\n"))
        }
        "/stream" => {
            let pieces = number(&head, "n", 10).min(MOST_PIECES);
            let lines = (1..=pieces).map(move |piece| format!("piece {piece} of {pieces}\n"));
            of_type(TEXT, Body::from_chunks(lines))
        }
        "/mirror" => typed(kind(&head), body),
        path => match (path.strip_prefix("/static/"), &site.files) {
            (Some(file), Some(files)) => match *head.method() {
                Method::GET | Method::HEAD => {
                    let asked = head.clone().into_parts().0.into();
                    with_text(files.answer(file, &asked).await.into())
                }
                _ => not_allowed("GET, HEAD"),
            },
            _ => echo(&head, body, site.body_limit).await,
        },
    }
}

async fn echo(head: &Request<()>, body: Body, limit: usize) -> Response<Body> {
    match whole(body, limit).await {
        Ok((body, _)) if body.is_empty() => of_type(TEXT, NOTHING_SENT),
        Ok((body, _)) => typed(kind(head), body),
        Err(err) => failed(&err),
    }
}

/// Reads a body and its trailer fields.
async fn whole(mut body: Body, limit: usize) -> Result<(Vec<u8>, Option<HeaderMap>), BodyError> {
    let mut all = Vec::new();
    while let Some(piece) = body.chunk().await {
        let piece = piece?;
        if piece.len() > limit - all.len() {
            return Err(BodyError::TooLarge { limit });
        }
        all.extend_from_slice(&piece);
    }
    Ok((all, body.take_trailers()))
}

/// The type of what is sent back: the one that it came with.
fn kind(head: &Request<()>) -> HeaderValue {
    let kind = head.headers().get(CONTENT_TYPE).cloned();
    kind.unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

/// A number in the query, or `default` when there is none.
fn number(head: &Request<()>, name: &str, default: u64) -> u64 {
    let pairs = head.uri().query().unwrap_or_default().split('&');
    let mut named = pairs.filter_map(|pair| pair.split_once('='));
    let value = named.find(|(known, _)| *known == name);
    value
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(default)
}

fn of_type(kind: &'static str, body: impl Into<Body>) -> Response<Body> {
    typed(HeaderValue::from_static(kind), body)
}

fn typed(kind: HeaderValue, body: impl Into<Body>) -> Response<Body> {
    let mut response = Response::new(body.into());
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}

/// An answer that is a status and its name.
fn plain(status: StatusCode) -> Response<Body> {
    let mut response = of_type(TEXT, format!("{status}\n"));
    *response.status_mut() = status;
    response
}

/// Adds the text that an application would add to an answer that is none of a file.
fn with_text(mut response: Response<Body>) -> Response<Body> {
    let status = response.status();
    if status.is_client_error() || status.is_server_error() {
        let (parts, body) = plain(status).into_parts();
        response.headers_mut().extend(parts.headers);
        *response.body_mut() = body;
    }
    response
}

fn failed(err: &BodyError) -> Response<Body> {
    plain(err.status())
}

fn not_allowed(methods: &'static str) -> Response<Body> {
    let mut response = plain(StatusCode::METHOD_NOT_ALLOWED);
    let methods = HeaderValue::from_static(methods);
    response.headers_mut().insert(ALLOW, methods);
    response
}
