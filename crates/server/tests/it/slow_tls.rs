//! Clients that read slowly over TLS, which holds back some of what it was given.

use std::rc::Rc;
use std::time::Duration;

use http::Response;
use squall_http::Body;
use squall_ioloop::{IoLoop, sleep, spawn, spawn_callback, with_timeout};
use squall_net::tls::{ClientTls, Pem, ServerTls};
use squall_net::{IoStream, duplex};
use squall_server::{Request, Service, serve_connection};
use tokio::io::{AsyncReadExt, AsyncWriteExt, split};

use crate::log::Log;
use crate::on_paused_loop;

/// Bytes that the network holds, and those of the answer, for which TLS has room.
const PIPE: usize = 1024;
const ANSWER: usize = 60_000;

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

fn both_ends() -> Result<(ClientTls, ServerTls), Box<dyn std::error::Error>> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let chain = Pem::bytes(made.cert.pem());
    let server = ServerTls::new(chain.clone(), Pem::bytes(made.key_pair.serialize_pem()))?;
    Ok((ClientTls::trusting(chain)?, server))
}

/// Answers everything with so many bytes.
fn answering(bytes: usize) -> Rc<dyn Service> {
    Rc::new(move |_: Request| async move { Response::new(Body::from(vec![b'x'; bytes])) })
}

/// Passes on what comes, one way at once and the other way so many bytes a second.
async fn relay(client: IoStream, server: IoStream, bytes: usize) {
    let (mut from_client, mut to_client) = split(client);
    let (mut from_server, mut to_server) = split(server);
    spawn_callback(async move {
        let _ = tokio::io::copy(&mut from_client, &mut to_server).await;
    });
    let mut buffer = vec![0; bytes];
    while let Ok(count) = from_server.read(&mut buffer).await {
        if count == 0 || to_client.write_all(&buffer[..count]).await.is_err() {
            break;
        }
        sleep(Duration::from_secs(1)).await;
    }
    let _ = to_client.shutdown().await;
}

/// Asks for the answer at so many bytes a second; how many came, and how long that took.
async fn fetch(bytes: usize) -> Result<(usize, Duration), Box<dyn std::error::Error>> {
    let (client_tls, server_tls) = both_ends()?;
    let (client, near) = duplex(PIPE);
    let (far, server) = duplex(PIPE);
    spawn_callback(relay(near, far, bytes));
    spawn_callback(async move {
        let stream = server_tls.accept(server).await.expect("a handshake");
        serve_connection(stream, answering(ANSWER), Rc::default()).await;
    });
    let mut stream = client_tls.connect("localhost", client).await?;
    let begin = IoLoop::current().time();
    stream.write_all(REQUEST).await?;
    let reading = spawn(async move {
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        answer.iter().filter(|byte| **byte == b'x').count()
    });
    let count = reading.await?;
    Ok((count, IoLoop::current().time() - begin))
}

#[test]
fn a_reader_who_takes_what_tls_holds_back_slower_than_in_30_s_gets_it_all() {
    on_paused_loop(async {
        let log = Log::catch();
        let (count, took) = fetch(500).await?;
        assert_eq!(count, ANSWER);
        assert!(took > Duration::from_secs(100), "{took:?}");
        assert_eq!(log.at("INFO"), [""; 0]);
        Ok(())
    });
}

#[test]
fn a_reader_who_takes_next_to_nothing_of_what_tls_holds_back_is_cut() {
    on_paused_loop(async {
        let log = Log::catch();
        let (count, _) = fetch(100).await?;
        assert!(count < ANSWER, "{count}");
        let lines = log.at("INFO");
        let [line] = &lines[..] else {
            return Err(format!("{lines:?}").into());
        };
        assert!(
            line.ends_with("in 30s (write_timeout) peer=memory"),
            "{line}"
        );
        Ok(())
    });
}

#[test]
fn a_reader_who_has_no_room_for_the_closing_alert_is_cut() {
    on_paused_loop(async {
        let (client_tls, server_tls) = both_ends()?;
        // Of one of these sizes the answer leaves less room than the alert needs, wherever the handshake has left it.
        for size in (0..PIPE).step_by(16) {
            let (client, server) = duplex(PIPE);
            let tls = server_tls.clone();
            let serving = spawn(async move {
                let stream = tls.accept(server).await.expect("a handshake");
                serve_connection(stream, answering(size), Rc::default()).await;
            });
            let mut stream = client_tls.connect("localhost", client).await?;
            stream.write_all(REQUEST).await?;
            let served = with_timeout(Duration::from_secs(100), serving).await;
            assert!(served.is_ok(), "an answer of {size} bytes is waited for");
        }
        Ok(())
    });
}
