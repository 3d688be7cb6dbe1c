//! Routes, methods, fallbacks, and applications that are put together wrongly.

use http::Method;
use squall_http::Body;
use squall_web::testing::TestClient;
use squall_web::{Application, Context, PatternError, Problem, Request, State};
use tracing::Level;

use crate::logs::Logs;
use crate::run;

async fn say(cx: Seen) -> String {
    cx.0
}

/// The method and the route that a handler sees.
struct Seen(String);

impl squall_web::FromRequest for Seen {
    type Rejection = std::convert::Infallible;

    async fn from_request(cx: &mut Context) -> Result<Self, Self::Rejection> {
        Ok(Self(format!("{} {}", cx.method(), cx.route())))
    }
}

fn client() -> TestClient {
    let purge = Method::from_bytes(b"PURGE").expect("a token");
    TestClient::new(
        Application::new()
            .get("/", say)
            .get("/things/{id}", say)
            .put("/things/{id}", say)
            .delete("/things/{other}", say)
            .post("/things", say)
            .patch("/patched", say)
            .options("/options", say)
            .head("/head", say)
            .get("/head", say)
            .route(purge, "/cache", say)
            .get("/files/{*path}", say),
    )
}

#[test]
fn a_request_and_its_route() {
    run(async {
        let client = client();
        for (method, target, status, text, allow) in [
            ("GET", "/", 200, "GET /", ""),
            ("GET", "/?query", 200, "GET /", ""),
            (
                "GET",
                "http://other.example/things/1",
                200,
                "GET /things/{id}",
                "",
            ),
            ("PUT", "/things/1", 200, "PUT /things/{id}", ""),
            ("DELETE", "/things/1", 200, "DELETE /things/{other}", ""),
            ("POST", "/things", 200, "POST /things", ""),
            ("PATCH", "/patched", 200, "PATCH /patched", ""),
            ("PURGE", "/cache", 200, "PURGE /cache", ""),
            ("GET", "/files/a/b", 200, "GET /files/{*path}", ""),
            ("OPTIONS", "/options", 200, "OPTIONS /options", ""),
            // HEAD is answered by GET's handler, and has no body.
            ("HEAD", "/", 200, "", ""),
            // Nothing of that path.
            ("GET", "/none", 404, "404 Not Found\n", ""),
            ("GET", "/things/", 404, "404 Not Found\n", ""),
            ("PURGE", "/none", 404, "404 Not Found\n", ""),
            ("OPTIONS", "/none", 404, "404 Not Found\n", ""),
            // Nothing of that method.
            (
                "POST",
                "/",
                405,
                "405 Method Not Allowed\n",
                "GET, HEAD, OPTIONS",
            ),
            (
                "POST",
                "/things/1",
                405,
                "405 Method Not Allowed\n",
                "GET, HEAD, PUT, DELETE, OPTIONS",
            ),
            ("HEAD", "/things", 405, "", "POST, OPTIONS"),
            (
                "TRACE",
                "/",
                405,
                "405 Method Not Allowed\n",
                "GET, HEAD, OPTIONS",
            ),
            (
                "PURGE",
                "/",
                405,
                "405 Method Not Allowed\n",
                "GET, HEAD, OPTIONS",
            ),
            (
                "GET",
                "/options",
                405,
                "405 Method Not Allowed\n",
                "OPTIONS",
            ),
            (
                "POST",
                "/head",
                405,
                "405 Method Not Allowed\n",
                "HEAD, GET, OPTIONS",
            ),
            // A method that nothing here knows.
            ("BREW", "/", 501, "501 Not Implemented\n", ""),
            // OPTIONS answers by itself.
            ("OPTIONS", "/", 204, "", "GET, HEAD, OPTIONS"),
            ("OPTIONS", "/things", 204, "", "POST, OPTIONS"),
        ] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let response = client.request(method.clone(), target).await;
            assert_eq!(response.status(), status, "{method} {target}");
            assert_eq!(response.text(), text, "{method} {target}");
            assert_eq!(response.header("allow"), allow, "{method} {target}");
        }
    });
}

#[test]
fn options_of_the_whole_server() {
    run(async {
        let response = client().options("*").await;
        assert_eq!(response.status(), 204);
        let mut allowed: Vec<&str> = response.header("allow").split(", ").collect();
        allowed.sort_unstable();
        assert_eq!(
            allowed,
            [
                "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PURGE", "PUT"
            ]
        );
        assert_eq!(client().get("*").await.status(), 404);
    });
}

#[test]
fn head_keeps_the_length_of_get() {
    run(async {
        let response = client().head("/things/1").await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.header("content-length"), "17");
        assert_eq!(response.text(), "");
    });
}

#[test]
fn the_fallback_answers_what_no_route_does() {
    run(async {
        let app = Application::new().get("/here", say).fallback(say);
        let client = TestClient::new(app);
        assert_eq!(client.get("/here").await.text(), "GET /here");
        assert_eq!(client.get("/there").await.text(), "GET (fallback)");
        assert_eq!(client.delete("/there").await.text(), "DELETE (fallback)");
        assert_eq!(client.post("/here").await.status(), 405);
    });
}

#[test]
fn a_closure_with_what_it_captured() {
    run(async {
        let count = std::rc::Rc::new(std::cell::Cell::new(0));
        let app = Application::new().get("/", move || {
            count.set(count.get() + 1);
            let count = count.clone();
            async move { count.get().to_string() }
        });
        let client = TestClient::new(app);
        assert_eq!(client.get("/").await.text(), "1");
        assert_eq!(client.get("/").await.text(), "2");
    });
}

#[test]
fn eight_arguments() {
    type M = Method;
    #[allow(clippy::too_many_arguments, reason = "as many as there can be")]
    async fn all(_: M, _: M, _: M, _: M, _: M, _: M, _: M, last: Method) -> String {
        last.to_string()
    }
    run(async {
        let client = TestClient::new(Application::new().get("/", all));
        assert_eq!(client.get("/").await.text(), "GET");
    });
}

#[test]
fn mistakes_are_collected_and_name_their_places() {
    crate::logs::install();
    let app = Application::new()
        .get("/a/{x}", say)
        .get("/a/{y}", say)
        .post("/a/{z}", say)
        .get("/b/{*x}", say)
        .get("/b/{*y}", say)
        .get("/v{n}", say)
        .state(1_u8)
        .state(2_u8)
        .fallback(say)
        .fallback(say);
    let error = app.check().expect_err("there are mistakes");
    let place = |text: &str| text.contains("application.rs:");
    match error.problems() {
        [
            Problem::Conflict { added, first },
            Problem::Conflict { added: tail, .. },
            Problem::Path { route, error },
            Problem::StateTwice { type_name },
            Problem::FallbackTwice { .. },
        ] => {
            assert!(added.starts_with("GET /a/{y} (") && place(added), "{added}");
            assert!(first.starts_with("GET /a/{x} (") && place(first), "{first}");
            assert_ne!(added, first);
            assert!(tail.starts_with("GET /b/{*y} ("), "{tail}");
            assert!(route.starts_with("GET /v{n} (") && place(route), "{route}");
            assert_eq!(*error, PatternError::PartOfSegment);
            assert_eq!(*type_name, "u8");
        }
        other => panic!("unexpected: {other:?}"),
    }
    let text = error.to_string();
    assert!(
        text.contains(") conflicts with route GET /a/{x} ("),
        "{text}"
    );
}

#[test]
fn an_application_with_mistakes_serves_nothing_and_says_why() {
    run(async {
        let logs = Logs::capture();
        let app = Application::new().get("/", say).get("/", say);
        let line = "route GET / (";
        let [added] = &logs.take(Level::ERROR)[..] else {
            panic!("one line when the route is added");
        };
        assert!(added.starts_with(line), "{added}");
        let response = TestClient::new(app).get("/").await;
        assert_eq!(response.status(), 500);
        assert_eq!(response.text(), "500 Internal Server Error\n");
        let [served] = &logs.take(Level::ERROR)[..] else {
            panic!("one line when it is asked");
        };
        assert!(served.contains(line), "{served}");
    });
}

#[test]
fn what_a_handler_asks_for_is_checked() {
    async fn twice(_text: String, _state: State<u16>, _all: Request) {}
    let app = Application::new().post("/x", twice).state(1_u8);
    let error = app.check().expect_err("there are mistakes");
    match error.problems() {
        [
            Problem::BodyTwice { route, arguments },
            Problem::StateMissing { type_name, .. },
        ] => {
            assert!(route.starts_with("POST /x ("), "{route}");
            assert_eq!(arguments.len(), 2);
            assert_eq!(*type_name, "u16");
        }
        other => panic!("unexpected: {other:?}"),
    }
    async fn fine(_text: Result<String, squall_web::extract::BodyRejection>, _: State<u8>) {}
    let app = Application::new().post("/x", fine).state(1_u8);
    assert_eq!(app.check(), Ok(()));
}

#[test]
fn a_body_taken_twice_is_the_applications_mistake() {
    async fn twice(_text: String, _all: Request) {}
    run(async {
        let logs = Logs::capture();
        let client = TestClient::new(Application::new().post("/x", twice));
        let response = client.post("/x").body(Body::from("text")).await;
        assert_eq!(response.status(), 500);
        let lines = logs.take(Level::ERROR);
        let cause = "two extractors of one handler take the body";
        assert_eq!(
            lines,
            [format!("POST /x: 500 Internal Server Error: {cause}")]
        );
    });
}
