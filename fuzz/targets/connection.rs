//! Whatever a client sends to a server in memory: it does not panic, each of its answers is one that a strict client
//! reads, the connection ends, and no answer is one too many.

#![no_main]

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use http::{Method, Response};
use libfuzzer_sys::fuzz_target;
use squall_fuzz::Input;
use squall_http::Body;
use squall_http::h1::{Event, Limits, ResponseDecoder};
use squall_ioloop::{IoLoop, sleep, spawn};
use squall_server::{Config, Request, Service, serve_connection};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Bytes that the duplex holds in each direction: more than any input, so that nobody waits for the other to read.
const ROOM: usize = 1 << 20;

thread_local! {
    /// Whose clock jumps over waiting.
    static LOOP: IoLoop = IoLoop::with_paused_clock().expect("a loop");
}

fuzz_target!(|data: &[u8]| {
    LOOP.with(|_| {});
    let input = Input::new(data);
    let requests = Rc::new(Cell::new(0));
    let answers = exchange(&input, &requests).expect("the connection ends");
    check(&answers, requests.get());
});

/// Sends the bytes in two pieces and returns what is answered until the connection ends.
fn exchange(input: &Input<'_>, requests: &Rc<Cell<usize>>) -> Result<Vec<u8>, std::io::Error> {
    let (first, second) = input.bytes.split_at(input.cut());
    let (first, second) = (first.to_vec(), second.to_vec());
    let (ends, limits) = (input.control[1] & 1 == 1, input.limits());
    let service = service(requests);
    IoLoop::run_sync(async move {
        let (mut near, far) = squall_net::duplex(ROOM);
        let config = Config {
            limits,
            unread_bytes: 20,
            ..Config::default()
        };
        let served = spawn(serve_connection(far, Rc::new(service), Rc::new(config)));
        // Writing fails once the server has heard enough.
        let _ = near.write_all(&first).await;
        sleep(Duration::from_millis(1)).await;
        let _ = near.write_all(&second).await;
        if ends {
            near.shutdown().await?;
        }
        let mut answers = Vec::new();
        near.read_to_end(&mut answers).await?;
        drop(near);
        served.await.expect("no panic");
        Ok::<_, std::io::Error>(answers)
    })
}

/// Answers each request with one character for its method, so that the answers can be read without the requests.
fn service(requests: &Rc<Cell<usize>>) -> impl Service + use<> {
    let requests = Rc::clone(requests);
    move |request: Request| {
        requests.set(requests.get() + 1);
        async move { answer(request).await }
    }
}

/// Early for a path that begins with `/e`; else with the length of the body.
async fn answer(request: Request) -> Response<Body> {
    let bodiless = [Method::HEAD, Method::CONNECT].contains(request.method());
    let mut response = if request.uri().path().starts_with("/e") {
        Response::new(Body::from("early"))
    } else {
        match request.into_body().collect(1 << 16).await {
            Ok(body) => Response::new(Body::from(body.len().to_string())),
            Err(err) => {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = err.status();
                response
            }
        }
    };
    if bodiless {
        // So that whoever reads the answers need not know the methods.
        *response.status_mut() = http::StatusCode::NO_CONTENT;
        *response.body_mut() = Body::empty();
    }
    response
}

/// Reads the answers as a strict client does; there is one for each request that the service saw, and at most one for
/// what was refused.
fn check(answers: &[u8], requests: usize) {
    let mut decoder = ResponseDecoder::new(Limits::default());
    (0..=requests).for_each(|_| decoder.expect(&Method::GET));
    let mut rest = answers;
    let shown = || answers.escape_ascii().to_string();
    let (mut heads, mut ends) = (0, 0);
    loop {
        let (used, event) = match decoder.decode(rest) {
            Ok(step) => step,
            Err(err) => panic!("{err}: {}", shown()),
        };
        rest = &rest[used..];
        match event {
            Some(Event::Head(head)) if head.is_interim() => {}
            Some(Event::Head(head)) => {
                heads += 1;
                assert!(head.headers.contains_key("date"), "{}", shown());
                assert!(heads <= requests || head.status.as_u16() >= 400);
            }
            Some(Event::Data(_)) => {}
            Some(Event::End(_)) => ends += 1,
            None => break,
        }
    }
    assert!(rest.is_empty(), "bytes behind the last answer: {}", shown());
    assert!(heads == ends && heads <= requests + 1, "{}", shown());
    assert!(decoder.finish().is_ok(), "{}", shown());
}
