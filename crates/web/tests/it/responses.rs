//! What handlers return.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use squall_http::Body;
use squall_web::testing::TestClient;
use squall_web::{Application, Html, HttpError, IntoResponse, Json, Redirect, Response};

use crate::run;

const TEXT: &str = "text/plain; charset=utf-8";
const BYTES: &str = "application/octet-stream";

/// The status, content type and body of a value.
async fn seen(value: impl IntoResponse + 'static) -> (u16, String, String) {
    let response = one(value).await;
    let kind = response.header("content-type").to_owned();
    (response.status().as_u16(), kind, response.text().to_owned())
}

async fn one(value: impl IntoResponse + 'static) -> squall_web::testing::TestResponse {
    let value = std::cell::Cell::new(Some(value));
    let handler = move || {
        let value = value.take().expect("asked once");
        async { value }
    };
    TestClient::new(Application::new().get("/", handler))
        .get("/")
        .await
}

fn is(status: u16, kind: &str, text: &str) -> (u16, String, String) {
    (status, kind.to_owned(), text.to_owned())
}

#[test]
fn values_as_responses() {
    run(async {
        assert_eq!(seen("a").await, is(200, TEXT, "a"));
        assert_eq!(seen(String::from("a")).await, is(200, TEXT, "a"));
        assert_eq!(seen(Cow::Borrowed("a")).await, is(200, TEXT, "a"));
        assert_eq!(
            seen(Cow::<str>::Owned("a".into())).await,
            is(200, TEXT, "a")
        );
        assert_eq!(seen(Bytes::from_static(b"a")).await, is(200, BYTES, "a"));
        assert_eq!(seen(vec![b'a']).await, is(200, BYTES, "a"));
        assert_eq!(seen(&b"a"[..]).await, is(200, BYTES, "a"));
        assert_eq!(
            seen(Body::from_chunks(["a", "b"])).await,
            is(200, BYTES, "ab")
        );
        assert_eq!(seen(()).await, is(204, "", ""));
        assert_eq!(
            seen(Html("<p>")).await,
            is(200, "text/html; charset=utf-8", "<p>")
        );
        assert_eq!(
            seen(Json([1, 2])).await,
            is(200, "application/json", "[1,2]")
        );
        assert_eq!(seen(Response::new("a")).await, is(200, "", "a"));
        assert_eq!(seen(StatusCode::ACCEPTED).await, is(202, "", ""));
        assert_eq!(seen(StatusCode::GONE).await, is(410, TEXT, "410 Gone\n"));
        assert_eq!(seen((StatusCode::CREATED, "a")).await, is(201, TEXT, "a"));
        assert_eq!(seen((StatusCode::GONE, "a")).await, is(410, TEXT, "a"));
        let ok: Result<&str, HttpError> = Ok("a");
        assert_eq!(seen(ok).await, is(200, TEXT, "a"));
        let err: Result<(), (StatusCode, &str)> = Err((StatusCode::CONFLICT, "a"));
        assert_eq!(seen(err).await, is(409, TEXT, "a"));
        let unwritable = Json(BTreeMap::from([((1, 2), 3)]));
        let text = "500 Internal Server Error\n";
        assert_eq!(seen(unwritable).await, is(500, TEXT, text));
    });
}

#[test]
fn header_fields_replace_those_of_the_value() {
    run(async {
        let response = one(([("content-type", "text/css"), ("x", "y")], "a")).await;
        assert_eq!(response.header("content-type"), "text/css");
        assert_eq!(response.header("x"), "y");
        assert_eq!(response.headers().get_all("content-type").iter().count(), 1);

        let mut headers = HeaderMap::new();
        headers.append("set-cookie", HeaderValue::from_static("a=1"));
        headers.append("set-cookie", HeaderValue::from_static("b=2"));
        headers.append("content-type", HeaderValue::from_static("text/css"));
        let response = one((headers, "a")).await;
        assert_eq!(response.headers().get_all("set-cookie").iter().count(), 2);
        assert_eq!(response.header("content-type"), "text/css");

        let response = one((StatusCode::CREATED, [("location", "/a")], ())).await;
        assert_eq!(response.status(), 201);
        assert_eq!(response.header("location"), "/a");

        let split = String::from("a\r\nset-cookie: b");
        let response = one(([("x", split)], "a")).await;
        assert_eq!(response.status(), 500);
        assert_eq!(response.header("set-cookie"), "");
    });
}

#[test]
fn redirects() {
    run(async {
        let target = || Uri::from_static("/a?b=c");
        for (redirect, status) in [
            (Redirect::to(target()), 303),
            (Redirect::temporary(target()), 307),
            (Redirect::permanent(target()), 308),
        ] {
            let response = one(redirect).await;
            assert_eq!(response.status(), status);
            assert_eq!(response.header("location"), "/a?b=c");
        }
    });
}
