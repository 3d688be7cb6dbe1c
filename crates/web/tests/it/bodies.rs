//! Extractors that take the body.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Method, Uri};
use serde::{Deserialize, Serialize};
use squall_http::{Body, BodyError};
use squall_server::ConnectInfo;
use squall_web::testing::TestClient;
use squall_web::{Application, Json, JsonRejection, Request};
use tracing::Level;

use crate::logs::Logs;
use crate::run;

#[derive(Debug, Deserialize, Serialize, PartialEq)]
struct Order {
    article: String,
    count: u8,
}

async fn order(Json(order): Json<Order>) -> Json<Order> {
    Json(Order {
        count: order.count + 1,
        ..order
    })
}

async fn text(body: String) -> String {
    body
}

async fn length(body: Bytes) -> String {
    body.len().to_string()
}

fn client() -> TestClient {
    TestClient::new(
        Application::new()
            .body_limit(64)
            .post("/json", order)
            .post("/text", text)
            .post("/bytes", length),
    )
}

#[test]
fn json_there_and_back() {
    run(async {
        let sent = Order {
            article: "tea".into(),
            count: 1,
        };
        let response = client().post("/json").json(&sent).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.header("content-type"), "application/json");
        assert_eq!(response.text(), r#"{"article":"tea","count":2}"#);
        let back: Order = response.json();
        assert_eq!(back.count, 2);
    });
}

#[test]
fn json_that_is_refused() {
    const JSON: &str = "application/json";
    run(async {
        for (kind, body, status, text) in [
            (JSON, "{", 400, "the body is not JSON at line 1, column 1"),
            (JSON, "", 400, "the body is not JSON at line 1, column 0"),
            (
                JSON,
                "{\n  no}",
                400,
                "the body is not JSON at line 2, column 3",
            ),
            (
                JSON,
                r#"{"article":"a","count":1} {}"#,
                400,
                "line 1, column 27",
            ),
            (
                JSON,
                "\u{feff}{}",
                400,
                "the body is not JSON at line 1, column 1",
            ),
            (
                JSON,
                "{}",
                422,
                "the JSON body does not fit at line 1, column 2",
            ),
            (
                JSON,
                r#"{"article":"a","count":256}"#,
                422,
                "the JSON body does not fit at line 1, column 26",
            ),
            (JSON, "[1]", 422, ""),
            (
                "text/plain",
                "{}",
                415,
                "the body must be `application/json`",
            ),
            ("", "{}", 415, "the body must be `application/json`"),
            ("application/vnd.x+json; a=b", "{}", 422, ""),
        ] {
            let request = client().post("/json").header("content-type", kind);
            let response = request.body(body).await;
            assert_eq!(response.status(), status, "{body}");
            assert!(
                response.text().contains(text),
                "{body}: {}",
                response.text()
            );
        }
        assert_eq!(client().post("/json").body("{}").await.status(), 415);
    });
}

#[test]
fn why_json_does_not_fit_is_for_the_log_alone() {
    run(async {
        let logs = Logs::capture();
        let response = client().post("/json").json(&["secret"]).await;
        assert_eq!(response.status(), 422);
        assert!(!response.text().contains("string"), "{}", response.text());
        let [line] = &logs.take(Level::DEBUG)[..] else {
            panic!("one line");
        };
        let begin = "POST /json: 422 Unprocessable Entity: the JSON body does not fit: ";
        assert!(line.starts_with(begin), "{line}");
        assert!(line.len() > begin.len(), "{line}");
        assert!(logs.take(Level::ERROR).is_empty());
    });
}

#[test]
fn json_nested_without_end() {
    run(async {
        let app = Application::new().post("/", |_: Json<serde_json::Value>| async {});
        let body = "[".repeat(100_000);
        let request = TestClient::new(app).post("/");
        let response = request
            .header("content-type", "application/json")
            .body(body);
        assert_eq!(response.await.status(), 400);
    });
}

#[test]
fn a_handler_that_wants_to_know_why() {
    async fn lenient(order: Result<Json<Order>, JsonRejection>) -> String {
        match order {
            Ok(Json(order)) => order.article,
            Err(JsonRejection::ContentType) => "no type".into(),
            Err(err) => err.to_string(),
        }
    }
    run(async {
        let client = TestClient::new(Application::new().post("/", lenient));
        assert_eq!(client.post("/").body("{}").await.text(), "no type");
        let response = client.post("/").json(&0).await;
        assert_eq!(response.text(), "the JSON body does not fit");
    });
}

#[test]
fn text_and_bytes() {
    run(async {
        let client = client();
        assert_eq!(
            client.post("/text").body("caf\u{e9}").await.text(),
            "caf\u{e9}"
        );
        let chunks = Body::from_chunks(["caf\u{c3}".as_bytes().to_vec(), vec![b'!']]);
        assert_eq!(client.post("/text").body(chunks).await.text(), "caf\u{c3}!");
        let response = client.post("/text").body(vec![0xff]).await;
        assert_eq!(response.status(), 400);
        assert_eq!(response.text(), "400 Bad Request: the body is not UTF-8\n");
        assert_eq!(client.post("/bytes").body(vec![0xff, 0]).await.text(), "2");
        assert_eq!(client.post("/bytes").await.text(), "0");
    });
}

#[test]
fn a_body_over_the_limit() {
    run(async {
        let client = client();
        let fits = "x".repeat(64);
        assert_eq!(client.post("/bytes").body(fits).await.text(), "64");
        let known = Body::from("x".repeat(65));
        let unknown = Body::from_chunks(std::iter::repeat("endless"));
        for body in [known, unknown] {
            let response = client.post("/bytes").body(body).await;
            assert_eq!(response.status(), 413);
            let text = "413 Payload Too Large: the body may have at most 64 bytes\n";
            assert_eq!(response.text(), text);
        }
        let app = Application::new().post("/", length);
        let client = TestClient::new(app);
        let two = vec![0; 2 * 1024 * 1024];
        assert_eq!(client.post("/").body(two.clone()).await.status(), 200);
        let more = [two, vec![0]].concat();
        assert_eq!(client.post("/").body(more).await.status(), 413);
    });
}

#[test]
fn the_log_says_who_broke_which_limit() {
    run(async {
        let logs = Logs::capture();
        let (here, there) = (([127, 0, 0, 1], 80), ([203, 0, 113, 9], 4711));
        let info = ConnectInfo::new(SocketAddr::from(here), SocketAddr::from(there));
        let request = client().post("/bytes").body("x".repeat(65)).extension(info);
        assert_eq!(request.await.status(), 413);
        let [line] = &logs.take(Level::DEBUG)[..] else {
            panic!("one line");
        };
        let begin = "POST /bytes: 413 Payload Too Large: the body is larger than `Application::body_limit`, 64 bytes";
        assert_eq!(*line, format!("{begin} peer=203.0.113.9:4711"));
    });
}

#[test]
fn a_body_that_breaks_off() {
    run(async {
        let (mut sender, body) = Body::channel(64, None);
        sender.try_send("half".into()).unwrap();
        sender.fail(BodyError::TimedOut);
        let response = client().post("/text").body(body).await;
        assert_eq!(response.status(), 408);
        let (sender, body) = Body::channel(64, None);
        drop(sender);
        let response = client().post("/text").body(body).await;
        assert_eq!(response.status(), 400);
        let text = "400 Bad Request: the body did not arrive whole\n";
        assert_eq!(response.text(), text);
    });
}

#[test]
fn the_parts_and_the_whole() {
    async fn parts(method: Method, uri: Uri, headers: HeaderMap, request: Request) -> String {
        let (head, body) = request.into_parts();
        assert_eq!(head.method, method);
        assert_eq!(head.uri, uri);
        assert_eq!(head.headers, headers);
        let body = body.collect(1024).await.unwrap();
        let x = headers["x"].to_str().unwrap();
        format!("{method} {uri} {x} {}", String::from_utf8_lossy(&body))
    }
    run(async {
        let client = TestClient::new(Application::new().put("/{a}", parts));
        let request = client.put("/a?b=c").header("x", "y").body("z");
        assert_eq!(request.await.text(), "PUT /a?b=c y z");
    });
}
