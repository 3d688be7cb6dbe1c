//! WebSockets, in memory and over sockets.

use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::rc::Rc;
use std::time::Duration;

use http::Method;
use squall_ioloop::{IoLoop, moment, sleep, with_timeout};
use squall_server::{HttpServer, Serving};
use squall_web::testing::TestClient;
use squall_web::{Application, Context, HttpError, Path, Response, WebSocketUpgrade};
use squall_websocket::proto::deflate::DeflateOptions;
use squall_websocket::{
    CloseCode, CloseFrame, Group, Message, Result, SendError, Sent, SlowReader, WebSocket,
    WebSocketError, WebSocketHandler, WebSocketOptions, WebSocketStream,
};
use tracing::Level;

use crate::logs::Logs;

type Outcome = std::result::Result<(), Box<dyn std::error::Error>>;

/// What happened, in the order in which it did.
#[derive(Clone, Default)]
struct Diary(Rc<RefCell<Vec<String>>>);

impl Diary {
    fn note(&self, text: impl Into<String>) {
        self.0.borrow_mut().push(text.into());
    }

    fn read(&self) -> Vec<String> {
        self.0.borrow().clone()
    }
}

/// Echoes, and notes what happens; some messages have it do something else.
struct Echo {
    diary: Diary,
}

impl WebSocketHandler for Echo {
    fn open(&mut self, _ws: &WebSocket) -> Result {
        self.diary.note("open");
        Ok(())
    }

    async fn message(&mut self, ws: &WebSocket, message: Message<'_>) -> Result {
        match message.as_text() {
            Some("wait") => {
                ws.send("before")?;
                sleep(Duration::from_millis(5)).await;
            }
            Some("fail") => return Err("told to".into()),
            Some("panic") => panic!("told to"),
            Some("close") => ws.close(CloseCode::new(4000).expect("a code"), "told to"),
            _ => {}
        }
        if ws.is_open() {
            ws.send(message)?;
        }
        Ok(())
    }

    fn ping(&mut self, _ws: &WebSocket, payload: &[u8]) {
        self.diary.note(format!("ping {}", payload.escape_ascii()));
    }

    fn close(&mut self, _ws: &WebSocket, frame: &CloseFrame) {
        self.diary.note(format!("close {frame}"));
    }
}

fn echo(diary: &Diary) -> Application {
    let diary = diary.clone();
    Application::new().websocket("/echo", move |_: &mut Context| Echo {
        diary: diary.clone(),
    })
}

async fn open(app: Application, path: &str) -> WebSocketStream {
    match TestClient::new(app).websocket(path).await {
        Ok(ws) => ws,
        Err(response) => panic!("{}: {}", response.status(), response.text()),
    }
}

async fn closed(ws: &mut WebSocketStream) -> CloseFrame {
    while let Ok(Some(_)) = ws.next().await {}
    ws.close_frame().expect("it has ended")
}

#[test]
fn messages_are_answered_in_memory() -> Outcome {
    IoLoop::run_sync(async {
        let diary = Diary::default();
        let mut ws = open(echo(&diary), "/echo").await;
        assert_eq!(ws.send("hello")?, Sent::Now);
        ws.send(&[1, 2, 3])?;
        ws.ping(b"are you there")?;
        assert_eq!(ws.next().await?, Some("hello".into()));
        assert_eq!(ws.next().await?, Some((&[1, 2, 3]).into()));
        ws.send("wait")?;
        ws.send("after")?;
        assert_eq!(ws.next().await?, Some("before".into()));
        assert_eq!(ws.next().await?, Some("wait".into()));
        assert_eq!(ws.next().await?, Some("after".into()));
        let long = "long ".repeat(100_000);
        ws.send(&long)?;
        assert_eq!(ws.next().await?, Some((&long).into()));
        ws.close(CloseCode::NORMAL, "done");
        assert_eq!(ws.send("late"), Err(SendError::Closed));
        assert_eq!(ws.next().await?, None);
        assert_eq!(
            ws.close_frame().map(|frame| frame.code),
            Some(CloseCode::NORMAL)
        );
        moment().await;
        let told = ["open", "ping are you there", "close 1000 (done)"];
        assert_eq!(diary.read(), told);
        Ok(())
    })
}

#[test]
fn a_handler_that_fails_or_panics_ends_its_connection_alone() -> Outcome {
    IoLoop::run_sync(async {
        for word in ["fail", "panic"] {
            let app = Rc::new(echo(&Diary::default()));
            let client =
                TestClient::new(move |request| squall_server::Service::call(&*app, request));
            let mut one = client.websocket("/echo").await.expect("open");
            let mut other = client.websocket("/echo").await.expect("open");
            one.send(word)?;
            assert_eq!(
                closed(&mut one).await.code,
                CloseCode::INTERNAL_ERROR,
                "{word}"
            );
            other.send("still there")?;
            assert_eq!(other.next().await?, Some("still there".into()));
        }
        Ok(())
    })
}

#[test]
fn either_side_closes_with_a_code() -> Outcome {
    IoLoop::run_sync(async {
        let diary = Diary::default();
        let mut ws = open(echo(&diary), "/echo").await;
        ws.send("close")?;
        assert_eq!(ws.next().await?, None);
        let frame = ws.close_frame().expect("closed");
        assert_eq!((frame.code.get(), &*frame.reason), (4000, "told to"));
        moment().await;
        assert_eq!(diary.read(), ["open", "close 4000"]);
        Ok(())
    })
}

#[test]
fn a_lost_connection_is_an_error() -> Outcome {
    IoLoop::run_sync(async {
        let app = Application::new().websocket_stream("/", |ws: WebSocketStream| async move {
            drop(ws);
            Ok(())
        });
        let mut ws = open(app, "/").await;
        assert_eq!(ws.next().await?, None, "dropping says goodbye");
        let diary = Diary::default();
        let ws = open(echo(&diary), "/echo").await;
        drop(ws);
        while diary.read().len() < 2 {
            moment().await;
        }
        assert_eq!(diary.read(), ["open", "close 1000"]);
        Ok(())
    })
}

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
fn what_inflates_to_much_gives_others_a_turn() -> Outcome {
    struct Length;

    impl WebSocketHandler for Length {
        async fn message(&mut self, ws: &WebSocket, message: Message<'_>) -> Result {
            ws.send(message.len().to_string())?;
            Ok(())
        }
    }

    IoLoop::run_sync(async {
        let options = WebSocketOptions {
            compression: Some(DeflateOptions::default()),
            ..WebSocketOptions::default()
        };
        let app = Application::new().websocket_with("/", options.clone(), |_| Length);
        let client = TestClient::new(app);
        let mut ws = client.websocket("/").options(options).await.expect("open");
        // About 100 bytes each on the wire, so that one read brings hundreds.
        let lengths: Vec<usize> = (0..300).map(|number| 99_000 + number).collect();
        for length in &lengths {
            ws.send("a".repeat(*length))?;
        }
        for length in lengths {
            assert_eq!(ws.next().await?, Some(length.to_string().into()));
        }
        Ok(())
    })
}

#[test]
fn the_silent_are_pinged_and_then_cut() -> Outcome {
    let io_loop = IoLoop::with_paused_clock()?;
    let diary = Diary::default();
    let app = echo(&diary);
    let (done, noted) = (Rc::new(Cell::new(false)), diary.clone());
    let finished = Rc::clone(&done);
    io_loop.spawn_callback(async move {
        // Nobody reads at the client's end, so that no pong comes.
        let ws = open(app, "/echo").await;
        let begin = IoLoop::current().time();
        while noted.read().len() < 2 {
            sleep(Duration::from_millis(100)).await;
        }
        let took = IoLoop::current().time() - begin;
        assert!(
            (41.0..=47.0).contains(&took.as_secs_f64()),
            "cut after {took:?}"
        );
        drop(ws);
        finished.set(true);
        IoLoop::current().stop();
    });
    io_loop.start();
    assert!(done.get());
    assert_eq!(diary.read(), ["open", "close 1006"]);
    Ok(())
}

#[test]
fn a_slow_reader_is_dealt_with_as_the_options_say() -> Outcome {
    struct Flood;

    impl WebSocketHandler for Flood {
        async fn message(&mut self, ws: &WebSocket, _message: Message<'_>) -> Result {
            for number in 0..100 {
                let text = format!("{number:03}{}", "x".repeat(10_000));
                if ws.send(text).is_err() && !ws.is_open() {
                    break;
                }
            }
            Ok(())
        }
    }

    async fn numbers(slow: SlowReader) -> std::result::Result<Vec<u32>, WebSocketError> {
        let options = WebSocketOptions {
            max_queued: 100_000,
            slow,
            ..WebSocketOptions::default()
        };
        let app = Application::new().websocket_with("/", options, |_| Flood);
        let mut ws = open(app, "/").await;
        let _ = ws.send("go");
        // Long enough for everything to be sent before anything is read.
        sleep(Duration::from_millis(50)).await;
        let mut numbers = Vec::new();
        while let Ok(next) = with_timeout(Duration::from_millis(50), ws.next()).await {
            let message = next?.expect("nobody says goodbye");
            let text = message.as_text().unwrap_or_default();
            numbers.push(text[..3].parse().expect("a number"));
        }
        Ok(numbers)
    }

    IoLoop::run_sync(async {
        let newest = numbers(SlowReader::DropNewest).await?;
        assert!(
            newest.is_sorted() && newest.starts_with(&[0, 1, 2, 3]),
            "{newest:?}"
        );
        assert!(newest.len() < 30, "{newest:?}");
        let oldest = numbers(SlowReader::DropOldest).await?;
        assert!(
            oldest.is_sorted() && oldest.ends_with(&[98, 99]),
            "{oldest:?}"
        );
        assert!(oldest.len() < 30, "{oldest:?}");
        assert!(numbers(SlowReader::Disconnect).await.is_err());
        Ok(())
    })
}

#[test]
fn nobody_is_woken_because_a_peer_is_slow_or_gone() -> Outcome {
    /// Sends more than may wait, and then to somebody who has been told goodbye.
    struct Talker;

    impl WebSocketHandler for Talker {
        async fn message(&mut self, ws: &WebSocket, message: Message<'_>) -> Result {
            if message.as_text() == Some("bye") {
                ws.close(CloseCode::NORMAL, "");
            }
            for _ in 0..100 {
                ws.send(vec![0; 10_000])?;
            }
            Ok(())
        }
    }

    for slow in [SlowReader::DropNewest, SlowReader::Disconnect] {
        for word in ["flood", "bye"] {
            let logs = Logs::capture();
            let code = IoLoop::run_sync(async {
                let options = WebSocketOptions {
                    max_queued: 100_000,
                    slow,
                    ..WebSocketOptions::default()
                };
                let app = Application::new().websocket_with("/", options, |_| Talker);
                let mut ws = open(app, "/").await;
                ws.send(word)?;
                // What was queued before comes first, and may be cut off.
                while let Ok(Some(_)) = ws.next().await {}
                let frame = ws.close_frame();
                Ok::<_, Box<dyn std::error::Error>>(frame.map(|frame| frame.code.get()))
            })?;
            let expected = match (word, slow) {
                ("bye", _) => 1000,
                (_, SlowReader::DropNewest) => 1008,
                // It is cut without another word, for there is no room for one.
                _ => 1006,
            };
            assert_eq!(code, Some(expected), "{word} {slow:?}");
            assert_eq!(logs.take(Level::ERROR), [""; 0], "{word} {slow:?}");
        }
    }
    Ok(())
}

#[test]
fn a_loop_that_passes_on_that_its_peer_is_gone_has_not_failed() -> Outcome {
    async fn listen(mut ws: WebSocketStream) -> Result {
        while let Some(message) = ws.next().await? {
            match message.as_text() {
                Some("fail") => return Err("told to".into()),
                _ => drop(ws.send(message)?),
            }
        }
        Ok(())
    }

    let logs = Logs::capture();
    IoLoop::run_sync(async {
        let client = TestClient::new(Application::new().websocket_stream("/", listen));
        let gone = client.websocket("/").await.expect("open");
        drop(gone);
        let mut told = client.websocket("/").await.expect("open");
        told.send("fail")?;
        while let Ok(Some(_)) = told.next().await {}
        sleep(Duration::from_millis(10)).await;
        Outcome::Ok(())
    })?;
    assert_eq!(logs.take(Level::ERROR), ["WebSocket ended: told to"]);
    Ok(())
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

#[test]
fn a_group_gets_everything_in_order() -> Outcome {
    struct Guest {
        room: Group,
    }

    impl WebSocketHandler for Guest {
        fn open(&mut self, ws: &WebSocket) -> Result {
            self.room.join(ws);
            Ok(())
        }

        async fn message(&mut self, ws: &WebSocket, message: Message<'_>) -> Result {
            self.room.send("to all 1");
            ws.send(&message)?;
            self.room.send("to all 2");
            self.room.send("to all 3");
            Ok(())
        }
    }

    IoLoop::run_sync(async {
        let room = Group::new();
        let guests = room.clone();
        let options = WebSocketOptions {
            compression: Some(DeflateOptions {
                threshold: 1,
                ..DeflateOptions::default()
            }),
            ..WebSocketOptions::default()
        };
        let app = Application::new().websocket_with("/", options.clone(), move |_| Guest {
            room: guests.clone(),
        });
        let client = TestClient::new(app);
        let mut plain = client.websocket("/").await.expect("open");
        let mut packed = client.websocket("/").options(options).await.expect("open");
        while room.len() < 2 {
            moment().await;
        }
        assert!(packed.is_compressed() && !plain.is_compressed());
        plain.send("to one")?;
        for text in ["to all 1", "to one", "to all 2", "to all 3"] {
            assert_eq!(plain.next().await?, Some(text.into()));
        }
        for text in ["to all 1", "to all 2", "to all 3"] {
            assert_eq!(packed.next().await?, Some(text.into()));
        }
        drop(plain);
        while room.len() > 1 {
            moment().await;
        }
        room.send("still here");
        assert_eq!(packed.next().await?, Some("still here".into()));
        Ok(())
    })
}

#[test]
fn other_threads_send_by_a_handle() -> Outcome {
    struct Remote;

    impl WebSocketHandler for Remote {
        fn open(&mut self, ws: &WebSocket) -> Result {
            let remote = ws.remote();
            std::thread::spawn(move || {
                for number in 0..3 {
                    remote
                        .send(format!("from afar {number}"))
                        .expect("the loop is there");
                }
                remote
                    .close(CloseCode::NORMAL, "that was all")
                    .expect("the loop is there");
            });
            Ok(())
        }

        async fn message(&mut self, _ws: &WebSocket, _message: Message<'_>) -> Result {
            Ok(())
        }
    }

    IoLoop::run_sync(async {
        let mut ws = open(Application::new().websocket("/", |_| Remote), "/").await;
        for number in 0..3 {
            let text = format!("from afar {number}");
            assert_eq!(ws.next().await?, Some(text.into()));
        }
        assert_eq!(ws.next().await?, None);
        Ok(())
    })
}

// Over sockets, where connections are parked.

fn serve(app: impl Fn() -> Application + Send + Clone + 'static) -> Serving {
    let server = HttpServer::new(app).listen("127.0.0.1:0").expect("a port");
    server.serve().expect("a server")
}

/// A client that blocks, on a thread of its own.
fn handshake(serving: &Serving, path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        serving.local_addr()
    )
}

/// Sends bytes in pieces, and reads until the end.
async fn exchange(serving: &Serving, pieces: Vec<Vec<u8>>) -> Vec<u8> {
    let addr = serving.local_addr();
    let talk = move || {
        let mut stream = TcpStream::connect(addr).expect("the server listens");
        stream.set_nodelay(true).expect("a socket");
        for piece in pieces {
            stream.write_all(&piece).expect("the server reads");
            std::thread::yield_now();
        }
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("the server ends");
        answer
    };
    let pool = squall_ioloop::ThreadPoolExecutor::new(1);
    pool.submit(talk).await.expect("the client does not panic")
}

fn masked(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mask = [0x12, 0x34, 0x56, 0x78];
    let mut frame = vec![0x80 | opcode, 0x80 | payload.len() as u8];
    frame.extend(mask);
    frame.extend(
        payload
            .iter()
            .zip(mask.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    frame
}

#[test]
fn frames_behind_the_handshake_and_cut_anywhere_are_answered() -> Outcome {
    IoLoop::run_sync(async {
        let serving = serve(|| echo(&Diary::default()));
        let mut request = handshake(&serving, "/echo").into_bytes();
        request.extend(masked(1, b"first"));
        request.extend(masked(1, b"wait"));
        request.extend(masked(2, b"last"));
        request.extend(masked(8, &[0x03, 0xe8]));
        let expected = b"\x81\x05first\x81\x06before\x81\x04wait\x82\x04last\x88\x02\x03\xe8";
        for step in [1, 7, 50, request.len()] {
            let pieces = request.chunks(step).map(<[u8]>::to_vec).collect();
            let answer = exchange(&serving, pieces).await;
            let text = answer.escape_ascii().to_string();
            assert!(answer.starts_with(b"HTTP/1.1 101 "), "{text}");
            assert!(answer.ends_with(expected), "{step}: {text}");
        }
        Ok(())
    })
}

#[test]
fn a_panic_gives_the_place_of_a_parked_connection_back() -> Outcome {
    IoLoop::run_sync(async {
        let serving = serve(|| echo(&Diary::default()));
        for word in ["fail", "panic"] {
            let mut request = handshake(&serving, "/echo").into_bytes();
            request.extend(masked(1, b"hello"));
            // In a segment of its own, so that it comes when the connection is parked.
            let pieces = vec![request, masked(1, word.as_bytes())];
            let answer = exchange(&serving, pieces).await;
            assert!(
                answer.ends_with(b"\x88\x02\x03\xf3"),
                "{}",
                answer.escape_ascii()
            );
        }
        while serving.counts().open > 0 {
            moment().await;
        }
        Ok(())
    })
}

#[test]
fn a_stop_says_goodbye_and_waits() -> Outcome {
    IoLoop::run_sync(async {
        let serving = serve(|| echo(&Diary::default()));
        let mut request = handshake(&serving, "/echo").into_bytes();
        request.extend(masked(1, b"hello"));
        let addr = serving.local_addr();
        let pool = squall_ioloop::ThreadPoolExecutor::new(1);
        let (told, opened) = std::sync::mpsc::channel();
        let talk = pool.submit(move || {
            let mut stream = TcpStream::connect(addr).expect("the server listens");
            stream.write_all(&request).expect("the server reads");
            let mut seen = Vec::new();
            let mut byte = [0];
            while !seen.ends_with(b"hello") {
                stream.read_exact(&mut byte).expect("the server answers");
                seen.push(byte[0]);
            }
            told.send(()).expect("the test waits");
            let mut goodbye = [0; 20];
            stream
                .read_exact(&mut goodbye)
                .expect("the server says goodbye");
            stream
                .write_all(&masked(8, &goodbye[2..4]))
                .expect("the server reads");
            let mut rest = Vec::new();
            stream.read_to_end(&mut rest).expect("the server ends");
            (goodbye, rest)
        });
        while opened.try_recv().is_err() {
            sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(serving.counts().open, 1, "it still counts");
        let report = serving.stop(Duration::from_secs(10)).await;
        let (goodbye, rest) = talk.await.expect("no panic");
        assert_eq!(&goodbye, b"\x88\x12\x03\xe9the server stops");
        assert_eq!(rest, b"");
        assert_eq!((report.finished, report.cut), (1, 0));
        Ok(())
    })
}

#[test]
fn a_stop_does_not_wait_for_ever() -> Outcome {
    IoLoop::run_sync(async {
        let serving = serve(|| echo(&Diary::default()));
        let mut request = handshake(&serving, "/echo").into_bytes();
        request.extend(masked(1, b"hello"));
        let mut stream = TcpStream::connect(serving.local_addr())?;
        stream.write_all(&request)?;
        while serving.counts().requests == 0 {
            moment().await;
        }
        let report = serving.stop(Duration::from_millis(50)).await;
        assert_eq!((report.finished, report.cut), (0, 1));
        drop(stream);
        Ok(())
    })
}
