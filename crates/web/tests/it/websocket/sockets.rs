//! Over sockets, where connections are parked.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use squall_ioloop::{IoLoop, moment, sleep};
use squall_server::{HttpServer, Serving};
use squall_web::Application;

use super::{Diary, Outcome, echo};

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
