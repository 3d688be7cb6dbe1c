//! Opening: what is refused, by whom, and what is agreed on.

use std::cell::Cell;
use std::rc::Rc;

use http::Method;
use squall_ioloop::IoLoop;
use squall_web::testing::TestClient;
use squall_web::{Application, Context, HttpError, Path, Response, WebSocketUpgrade};
use squall_websocket::proto::deflate::DeflateOptions;
use squall_websocket::{WebSocketOptions, WebSocketStream};

use super::{Diary, Echo, Outcome, echo};

#[test]
fn a_request_that_is_no_handshake_is_refused() -> Outcome {
    IoLoop::run_sync(async {
        let client = TestClient::new(echo(&Diary::default()));
        let response = client.get("/echo").await;
        assert_eq!(response.status(), 426);
        assert_eq!(response.headers()["sec-websocket-version"], "13");
        let foreign = client
            .websocket("/echo")
            .header("origin", "http://elsewhere.example");
        let response = foreign.await.expect_err("a page of another origin");
        assert_eq!(response.status(), 403);
        Ok(())
    })
}

#[test]
fn a_route_may_refuse_and_a_handler_may_decide() -> Outcome {
    fn guarded(cx: &mut Context) -> squall_web::Result<Echo> {
        if cx.headers().contains_key("authorization") {
            return Ok(Echo {
                diary: Diary::default(),
            });
        }
        Err(HttpError::forbidden("who are you?"))
    }
    async fn room(upgrade: WebSocketUpgrade, Path(room): Path<String>) -> Response {
        upgrade.stream(move |ws: WebSocketStream| async move {
            ws.send(format!("welcome to {room}"))?;
            Ok(())
        })
    }
    async fn parked(upgrade: WebSocketUpgrade) -> Response {
        upgrade.handler(Echo {
            diary: Diary::default(),
        })
    }
    IoLoop::run_sync(async {
        let app = Application::new()
            .websocket("/guarded", guarded)
            .get("/rooms/{room}", room)
            .get("/parked", parked);
        app.check()?;
        let client = TestClient::new(app);
        let refused = client.websocket("/guarded").await.expect_err("refused");
        assert_eq!(refused.status(), 403);
        assert!(
            refused.text().contains("who are you?"),
            "{}",
            refused.text()
        );
        let guarded = client.websocket("/guarded").header("authorization", "me");
        let mut ws = guarded.await.expect("open");
        ws.send("hello")?;
        assert_eq!(ws.next().await?, Some("hello".into()));
        let mut ws = client.websocket("/rooms/green").await.expect("open");
        assert_eq!(ws.next().await?, Some("welcome to green".into()));
        assert_eq!(ws.next().await?, None);
        let mut ws = client.websocket("/parked").await.expect("open");
        ws.send("hello")?;
        assert_eq!(ws.next().await?, Some("hello".into()));
        Ok(())
    })
}

#[test]
fn subprotocols_and_compression_are_agreed_on() -> Outcome {
    IoLoop::run_sync(async {
        let options = |names: &[&str]| WebSocketOptions {
            subprotocols: names.iter().map(|name| (*name).to_owned()).collect(),
            compression: Some(DeflateOptions::default()),
            ping_interval: None,
            ..WebSocketOptions::default()
        };
        let app = Application::new().websocket_with("/", options(&["v2", "v1"]), |_| Echo {
            diary: Diary::default(),
        });
        let client = TestClient::new(app);
        let ws = client
            .websocket("/")
            .options(options(&["v1", "v2", "v3"]))
            .await;
        let mut ws = ws.expect("open");
        assert_eq!(ws.subprotocol(), Some("v2"));
        assert!(ws.is_compressed());
        for length in [0, 10, 100, 10_000, 1_000_000] {
            let text = "abcde ".repeat(length / 6);
            ws.send(&text)?;
            assert_eq!(ws.next().await?, Some((&text).into()));
        }
        let mut ws = client.websocket("/").await.expect("open");
        assert_eq!((ws.subprotocol(), ws.is_compressed()), (None, false));
        ws.send("plain")?;
        assert_eq!(ws.next().await?, Some("plain".into()));
        Ok(())
    })
}

#[test]
fn no_handler_is_made_for_a_request_that_opens_nothing() -> Outcome {
    IoLoop::run_sync(async {
        let made = Rc::new(Cell::new(0));
        let count = Rc::clone(&made);
        let app = Application::new().websocket("/", move |_| {
            count.set(count.get() + 1);
            Echo {
                diary: Diary::default(),
            }
        });
        let client = TestClient::new(app);
        assert_eq!(client.get("/").await.status(), 426);
        let refused = client.websocket("/").header("Origin", "http://other");
        let refused = refused.await.expect_err("another origin");
        assert_eq!(refused.status(), 403);
        assert_eq!(made.get(), 0);
        let _open = client.websocket("/").await.expect("open");
        assert_eq!(made.get(), 1);
        Ok(())
    })
}

#[test]
fn a_route_for_websockets_answers_get_alone() -> Outcome {
    IoLoop::run_sync(async {
        let client = TestClient::new(
            Application::new()
                .websocket("/handler", |_| Echo {
                    diary: Diary::default(),
                })
                .websocket_stream("/stream", async |_| Ok(()))
                .websocket_stream("/page", async |_| Ok(()))
                .head("/page", async || "a page"),
        );
        for (method, path, status, allow) in [
            (Method::GET, "/handler", 426, ""),
            (Method::HEAD, "/handler", 405, "GET, OPTIONS"),
            (Method::POST, "/handler", 405, "GET, OPTIONS"),
            (Method::OPTIONS, "/handler", 204, "GET, OPTIONS"),
            (Method::HEAD, "/stream", 405, "GET, OPTIONS"),
            (Method::OPTIONS, "/stream", 204, "GET, OPTIONS"),
            (Method::HEAD, "/page", 200, ""),
            (Method::POST, "/page", 405, "GET, HEAD, OPTIONS"),
        ] {
            let response = client.request(method.clone(), path).await;
            assert_eq!(response.status(), status, "{method} {path}");
            assert_eq!(response.header("allow"), allow, "{method} {path}");
        }
        Ok(())
    })
}
