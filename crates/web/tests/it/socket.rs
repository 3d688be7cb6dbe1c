//! The same over a socket: what only a server can show.

use std::cell::RefCell;
use std::error::Error;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use squall_ioloop::{IoLoop, ThreadPoolExecutor, spawn_callback};
use squall_server::{ClientInfo, Config, ConnectInfo, Forwarding, HttpServer};
use squall_web::sse::{EventSender, EventStream};
use squall_web::{Application, Path, Result, State};

/// After this long the test has failed.
const LIMIT: Duration = Duration::from_secs(10);

/// Serves an application while the peer, which blocks, talks to it from a thread.
fn serve<T: Send + 'static>(
    app: impl Fn() -> Application + Send + Clone + 'static,
    peer: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> T {
    serve_with(Config::default(), app, peer)
}

fn serve_with<T: Send + 'static>(
    config: Config,
    app: impl Fn() -> Application + Send + Clone + 'static,
    peer: impl FnOnce(TcpStream) -> T + Send + 'static,
) -> T {
    crate::logs::install();
    let served = IoLoop::run_sync(async move {
        let server = HttpServer::new(app).config(config);
        let server = server.listen("127.0.0.1:0")?.serve()?;
        let address = server.local_addr();
        let pool = ThreadPoolExecutor::new(1);
        let said = pool.submit(move || peer(connect(address))).await?;
        server.stop(Duration::from_secs(5)).await;
        Ok::<_, Box<dyn Error>>(said)
    });
    served.expect("the peer spoke to its end")
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).expect("the server listens");
    stream.set_read_timeout(Some(LIMIT)).expect("a limit");
    stream
}

fn ask(stream: &mut TcpStream, request: &str) {
    stream.write_all(request.as_bytes()).expect("sent");
}

/// Reads until the text ends so.
fn read_to(stream: &mut TcpStream, end: &str) -> String {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(end.as_bytes()) {
        let read = stream.read(&mut byte).expect("the server goes on");
        assert_ne!(read, 0, "closed after {:?}", String::from_utf8_lossy(&text));
        text.push(byte[0]);
    }
    String::from_utf8(text).expect("UTF-8")
}

async fn hello(Path(name): Path<String>, info: ConnectInfo) -> String {
    let port = info.peer.socket_addr().map_or(0, |address| address.port());
    format!("Hello, {name} from {port}.")
}

async fn panics() {
    panic!("as wished")
}

async fn client(client: ClientInfo) -> String {
    let host = client.host.unwrap_or_default();
    format!("{} by {} to {host}.", client.address, client.scheme)
}

#[test]
fn a_client_behind_a_proxy_is_told_to_a_handler() {
    const FIELDS: &str =
        "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: site.test\r\n";
    let forwarding = Forwarding::new("127.0.0.0/8".parse().expect("a network"));
    let trusting = Config {
        forwarding: Some(forwarding.into()),
        ..Config::default()
    };
    for (config, proxied) in [(trusting, true), (Config::default(), false)] {
        let app = || Application::new().get("/client", client);
        serve_with(config, app, move |mut stream| {
            let own = stream.local_addr().expect("bound");
            ask(
                &mut stream,
                &format!("GET /client HTTP/1.1\r\nHost: a\r\n{FIELDS}\r\n"),
            );
            let text = read_to(&mut stream, ".");
            let text = text + &read_to(&mut stream, " to ") + &read_to(&mut stream, ".");
            let expected = if proxied {
                "192.0.2.7:0 by https to site.".to_owned()
            } else {
                format!("{own} by http to a.")
            };
            assert!(text.ends_with(&expected), "{expected} is not in {text}");
        });
    }
}

#[test]
fn requests_on_one_connection() {
    let app = || {
        Application::new()
            .get("/hello/{name}", hello)
            .get("/panics", panics)
    };
    serve(app, |mut stream| {
        let port = stream.local_addr().expect("bound").port();
        ask(&mut stream, "GET /panics HTTP/1.1\r\nHost: a\r\n\r\n");
        let text = read_to(&mut stream, "Error\n");
        assert!(
            text.starts_with("HTTP/1.1 500 Internal Server Error\r\n"),
            "{text}"
        );
        ask(&mut stream, "HEAD /hello/you HTTP/1.1\r\nHost: a\r\n\r\n");
        let text = read_to(&mut stream, "\r\n\r\n").to_ascii_lowercase();
        let length = format!("Hello, you from {port}.").len();
        assert!(
            text.contains(&format!("content-length: {length}\r\n")),
            "{text}"
        );
        ask(
            &mut stream,
            "GET /hello/caf%C3%A9 HTTP/1.1\r\nHost: a\r\n\r\n",
        );
        read_to(&mut stream, &format!("Hello, caf\u{e9} from {port}."));
    });
}

/// The sender of the only stream.
#[derive(Default)]
struct Open(RefCell<Option<EventSender>>);

async fn events(State(open): State<Open>) -> EventStream {
    let (sender, stream) = EventStream::channel();
    open.0.replace(Some(sender));
    stream
}

/// Sends an event, and tells the test when the page has gone.
async fn say(State(open): State<Open>, gone: State<Sender<()>>) -> Result<()> {
    let sender = open.0.take().ok_or("no page is open")?;
    sender.send("hello").await?;
    spawn_callback(async move {
        sender.closed().await;
        gone.send(())
    });
    Ok(())
}

#[test]
fn a_page_gets_its_head_at_once_and_its_leaving_is_noticed() {
    let (told, gone) = channel::<()>();
    let app = move || {
        Application::new()
            .state(Open::default())
            .state(told.clone())
            .get("/events", events)
            .post("/say", say)
    };
    serve(app, move |mut page| {
        ask(&mut page, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
        let head = read_to(&mut page, "\r\n\r\n").to_ascii_lowercase();
        assert!(
            head.contains("content-type: text/event-stream\r\n"),
            "{head}"
        );
        assert!(head.contains("transfer-encoding: chunked\r\n"), "{head}");
        let mut other = connect(page.peer_addr().expect("connected"));
        ask(
            &mut other,
            "POST /say HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        );
        let head = read_to(&mut other, "\r\n\r\n");
        assert!(head.starts_with("HTTP/1.1 204 No Content\r\n"), "{head}");
        read_to(&mut page, "data: hello\n\n");
        drop(page);
        gone.recv_timeout(LIMIT).expect("the sender is told");
    });
}

#[test]
fn a_page_is_told_of_the_end_when_the_server_stops() {
    crate::logs::install();
    let outcome = IoLoop::run_sync(async move {
        let listener = HttpServer::new(|| {
            Application::new()
                .state(Open::default())
                .get("/events", events)
                .post("/say", say_twice)
        });
        let serving = listener.listen("127.0.0.1:0")?.serve()?;
        let address = serving.local_addr();
        let pool = ThreadPoolExecutor::new(1);
        let mut page = pool
            .submit(move || {
                let mut page = connect(address);
                ask(&mut page, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
                read_to(&mut page, "\r\n\r\n");
                let mut other = connect(address);
                ask(
                    &mut other,
                    "POST /say HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
                );
                read_to(&mut other, "\r\n\r\n");
                page
            })
            .await?;
        let report = serving.stop(Duration::from_secs(3600)).await;
        assert_eq!(report.cut, 0, "{report}");
        let text = pool
            .submit(move || {
                let mut text = String::new();
                page.read_to_string(&mut text).map(|_| text)
            })
            .await??;
        assert!(text.ends_with("data: two\n\n\r\n0\r\n\r\n"), "{text:?}");
        Ok::<_, Box<dyn Error>>(())
    });
    outcome.expect("the server stops without delay");
}

async fn say_twice(State(open): State<Open>) -> Result<()> {
    let sender = open.0.borrow().clone().ok_or("no page is open")?;
    sender.send("one").await?;
    Ok(sender.send("two").await?)
}

#[test]
fn a_server_does_not_start_with_an_application_that_has_mistakes() {
    crate::logs::install();
    async fn needy(_state: State<Open>) {}
    let outcome = IoLoop::run_sync(async {
        let app = || Application::new().get("/needy", needy);
        let server = HttpServer::new(app).listen("127.0.0.1:0")?;
        server.serve().map(|_| ())
    });
    let text = outcome.expect_err("there is no such state").to_string();
    assert!(text.starts_with("route GET /needy ("), "{text}");
    assert!(text.contains("there is no state of type `"), "{text}");
}
