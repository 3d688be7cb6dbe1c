//! Errors and panics of handlers: what the peer reads and what the log says.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::io;

use http::{Method, StatusCode};
use serde_json::{Value, json};
use squall_ioloop::sleep;
use squall_web::testing::TestClient;
use squall_web::{Application, Failure, HttpError, Json, JsonRejection, Result};
use tracing::Level;

use crate::logs::Logs;
use crate::run;

#[derive(Debug)]
struct Outer(io::Error);

impl fmt::Display for Outer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot read the table")
    }
}

impl Error for Outer {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

#[derive(Debug)]
struct SoldOut;

impl fmt::Display for SoldOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("article 7 is sold out")
    }
}

impl Error for SoldOut {}

impl Failure for SoldOut {
    fn status(&self) -> StatusCode {
        StatusCode::CONFLICT
    }

    fn message(&self) -> Cow<'static, str> {
        "sold <out>".into()
    }
}

async fn fails() -> Result<()> {
    Err(Outer(io::Error::other("disk on fire")))?
}

async fn boxed() -> Result<()> {
    Err(Box::<dyn Error>::from("no table"))?
}

async fn public() -> Result<()> {
    let error = HttpError::new(StatusCode::SERVICE_UNAVAILABLE);
    Err(error.message("back at noon").cause("the pool is empty"))
}

async fn sold_out() -> Result<(), SoldOut> {
    Err(SoldOut)
}

async fn panics() -> &'static str {
    panic!("the sky fell on {}", "us")
}

async fn panics_late() -> &'static str {
    sleep(std::time::Duration::from_secs(1)).await;
    panic!("late")
}

async fn panics_oddly() -> &'static str {
    std::panic::panic_any(7)
}

fn client() -> TestClient {
    TestClient::new(
        Application::new()
            .get("/fails", fails)
            .get("/boxed", boxed)
            .get("/public", public)
            .get("/sold-out", sold_out)
            .get("/panics/{id}", panics)
            .get("/panics-late", panics_late)
            .get("/panics-oddly", panics_oddly)
            .get("/panics-early", || -> std::future::Ready<()> {
                panic!("early")
            }),
    )
}

#[test]
fn the_peer_reads_the_message_and_the_log_the_cause() {
    let internal = "500 Internal Server Error";
    run(async move {
        for (path, text, level, line) in [
            (
                "/fails",
                format!("{internal}\n"),
                Level::ERROR,
                format!("GET /fails: {internal}: cannot read the table: disk on fire"),
            ),
            (
                "/boxed",
                format!("{internal}\n"),
                Level::ERROR,
                format!("GET /boxed: {internal}: no table"),
            ),
            (
                "/public",
                "503 Service Unavailable: back at noon\n".into(),
                Level::ERROR,
                "GET /public: 503 Service Unavailable: the pool is empty".into(),
            ),
            (
                "/sold-out",
                "409 Conflict: sold <out>\n".into(),
                Level::DEBUG,
                "GET /sold-out: 409 Conflict: article 7 is sold out".into(),
            ),
        ] {
            let logs = Logs::capture();
            let response = client().get(path).await;
            assert_eq!(response.text(), text);
            assert_eq!(response.header("content-type"), "text/plain; charset=utf-8");
            assert_eq!(response.header("x-content-type-options"), "nosniff");
            assert_eq!(logs.take(level), [line]);
        }
    });
}

#[test]
fn what_peers_make_up_is_no_error_of_the_application() {
    run(async {
        for (method, path, line) in [
            ("BREW", "/fails", "BREW (no route): 501 Not Implemented: "),
            ("BREW", "/nowhere", "BREW (no route): 404 Not Found: "),
            ("PUT", "/fails", "PUT (no route): 405 Method Not Allowed: "),
        ] {
            let logs = Logs::capture();
            let method = Method::from_bytes(method.as_bytes()).expect("a token");
            client().request(method.clone(), path).await;
            assert_eq!(logs.take(Level::ERROR), [""; 0], "{method} {path}");
            assert_eq!(logs.take(Level::DEBUG), [line]);
        }
    });
}

#[test]
fn a_panic_is_a_500_and_the_application_goes_on() {
    run(async {
        let client = client();
        for (path, route, message) in [
            ("/panics/7", "/panics/{id}", "the sky fell on us"),
            ("/panics-late", "/panics-late", "late"),
            (
                "/panics-oddly",
                "/panics-oddly",
                "(a value that is no text)",
            ),
            ("/panics-early", "/panics-early", "early"),
        ] {
            let logs = Logs::capture();
            let response = client.get(path).await;
            assert_eq!(response.status(), 500);
            assert_eq!(response.text(), "500 Internal Server Error\n");
            let line = format!("GET {route}: handler panicked: {message}");
            assert_eq!(logs.take(Level::ERROR), [line]);
        }
        assert_eq!(client.get("/sold-out").await.status(), 409);
    });
}

#[test]
fn json_for_those_who_prefer_it() {
    run(async {
        for (path, body) in [
            (
                "/sold-out",
                json!({"status": 409, "title": "Conflict", "detail": "sold <out>"}),
            ),
            ("/none", json!({"status": 404, "title": "Not Found"})),
            (
                "/panics/7",
                json!({"status": 500, "title": "Internal Server Error"}),
            ),
        ] {
            let request = client().get(path).header("accept", "application/json");
            let response = request.await;
            assert_eq!(response.header("content-type"), "application/json");
            assert_eq!(response.json::<Value>(), body);
        }
        let request = client().get("/none");
        let response = request.header("accept", "application/problem+json").await;
        assert_eq!(response.header("content-type"), "application/problem+json");
        let request = client().post("/fails").header("accept", "application/json");
        let response = request.await;
        assert_eq!(response.json::<Value>()["status"], 405);
        assert_eq!(response.header("allow"), "GET, HEAD, OPTIONS");
    });
}

#[test]
fn a_body_of_ones_own_stays() {
    async fn own() -> (StatusCode, &'static str) {
        (StatusCode::NOT_FOUND, "gone fishing")
    }
    run(async {
        let client = TestClient::new(Application::new().get("/", own));
        let response = client.get("/").header("accept", "application/json").await;
        assert_eq!(response.status(), 404);
        assert_eq!(response.text(), "gone fishing");
    });
}

#[test]
fn a_rejection_passed_on_keeps_its_status() {
    async fn lenient(order: Result<Json<u8>, JsonRejection>) -> Result<String> {
        let Json(number) = order?;
        Ok(number.to_string())
    }
    run(async {
        let client = TestClient::new(Application::new().post("/", lenient));
        assert_eq!(client.post("/").json(&7).await.text(), "7");
        assert_eq!(client.post("/").json("seven").await.status(), 422);
        assert_eq!(client.post("/").body("7").await.status(), 415);
    });
}

#[test]
fn a_peer_cannot_forge_lines_of_the_log() {
    async fn quotes(text: String) -> Result<()> {
        Err(HttpError::bad_request("no").cause(format!("cannot read `{text}`")))
    }
    run(async {
        let logs = Logs::capture();
        let client = TestClient::new(Application::new().post("/", quotes));
        client.post("/").body("\x1b[2J\n\u{85}GET caf\u{e9}").await;
        let quoted = "\\u{1b}[2J\\n\\u{85}GET caf\u{e9}";
        let line = format!("POST /: 400 Bad Request: cannot read `{quoted}`");
        assert_eq!(logs.take(Level::DEBUG), [line]);
    });
}

#[test]
fn neither_in_a_panic_nor_in_a_text_that_quotes_it() {
    async fn panics(body: String) {
        panic!("what is {body}?")
    }
    async fn refuses(body: String) -> Result<()> {
        let text = format!("what is {body}?");
        Err(HttpError::new(StatusCode::SERVICE_UNAVAILABLE).message(text))
    }
    run(async {
        let logs = Logs::capture();
        let app = Application::new()
            .post("/panics", panics)
            .post("/refuses", refuses);
        let client = TestClient::new(app);
        for path in ["/panics", "/refuses"] {
            client.post(path).body("a\r\nERROR b\u{1b}[2J").await;
            let lines = logs.take(Level::ERROR);
            let end = r"what is a\r\nERROR b\u{1b}[2J?";
            assert!(lines[0].ends_with(end), "{lines:?}");
        }
    });
}
