//! Clients behind proxies: PROXY headers and forwarding fields, on real sockets.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::Response;
use squall_http::Body;
use squall_ioloop::{moment, sleep};
use squall_net::IoStream;
use squall_server::{Config, Forwarding, HttpServer, Request, Serving};

use tokio::io::AsyncReadExt;

use crate::log::Log;
use crate::on_loop;
use crate::wire::Wire;

async fn client(request: Request) -> Response<Body> {
    let client = request.client_info().expect("it came over a connection");
    let host = client.host.unwrap_or_default();
    let told = format!("{} by {} to {host}.", client.address, client.scheme);
    Response::new(Body::from(told))
}

fn serve(config: Config) -> io::Result<Serving> {
    HttpServer::new(|| client)
        .config(config)
        .listen("127.0.0.1:0")?
        .serve()
}

fn proxied(trusted: &str) -> Config {
    Config {
        proxy_protocol: Some(trusted.parse().expect("a list")),
        handshake_timeout: Duration::from_millis(200),
        ..Config::default()
    }
}

async fn connect(serving: &Serving) -> io::Result<Wire> {
    IoStream::connect_addr(serving.local_addr())
        .await
        .map(Wire::new)
}

/// What comes until the end; closing on unread bytes makes that a reset.
async fn end_of(mut wire: Wire) -> String {
    let mut text = Vec::new();
    match wire.stream.read_to_end(&mut text).await {
        Err(err) if err.kind() != io::ErrorKind::ConnectionReset => panic!("{err}"),
        _ => String::from_utf8_lossy(&text).into_owned(),
    }
}

const GET: &str = "GET / HTTP/1.1\r\nHost: site.test\r\n\r\n";

#[test]
fn the_header_tells_the_client_for_all_requests_of_the_connection() {
    on_loop(async {
        let serving = serve(proxied("127.0.0.0/8"))?;
        let v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\x12\x34\0\x50";
        for (header, told) in [
            (
                &b"PROXY TCP4 192.0.2.1 192.0.2.2 4660 80\r\n"[..],
                "192.0.2.1:4660",
            ),
            (v2, "192.0.2.1:4660"),
        ] {
            let mut wire = connect(&serving).await?;
            wire.send(header).await;
            for _ in 0..2 {
                wire.send(GET).await;
                wire.until(&format!("{told} by http to site.test.")).await;
            }
            // With the request in the same packet.
            let mut wire = connect(&serving).await?;
            wire.send([header, GET.as_bytes()].concat()).await;
            wire.until(&format!("{told} by http to site.test.")).await;
        }
        let mut wire = connect(&serving).await?;
        let here = wire.stream.local_addr()?;
        wire.send(format!("PROXY UNKNOWN\r\n{GET}")).await;
        wire.until(&format!("{here} by http to site.test.")).await;
        Ok(())
    });
}

#[test]
fn who_is_not_trusted_or_has_no_header_is_refused() {
    on_loop(async {
        let log = Log::catch();
        let header = "PROXY TCP4 192.0.2.1 192.0.2.2 4660 80\r\n";
        let serving = serve(proxied("10.0.0.0/8"))?;
        let mut wire = connect(&serving).await?;
        wire.send(format!("{header}{GET}")).await;
        assert_eq!(end_of(wire).await, "");
        let serving = serve(proxied("127.0.0.1"))?;
        let mut wire = connect(&serving).await?;
        wire.send(GET).await;
        assert_eq!(end_of(wire).await, "");
        // Nothing at all is refused when the time is over.
        let mut wire = connect(&serving).await?;
        wire.send("PROXY TCP4 ").await;
        assert_eq!(end_of(wire).await, "");
        sleep(Duration::from_millis(1)).await;
        assert_eq!(serving.counts().requests, 0);
        let lines = log.at("INFO");
        let expected = [
            "it is not from a proxy that is trusted (proxy_protocol)",
            "the connection does not begin with a PROXY header (proxy_protocol)",
            "no PROXY header within 200ms (handshake_timeout)",
        ];
        assert_eq!(lines.len(), expected.len(), "{lines:?}");
        for (line, reason) in lines.iter().zip(expected) {
            let expected = format!("INFO connection refused: {reason} peer=127.0.0.1:");
            assert!(line.starts_with(&expected), "{line}");
        }
        Ok(())
    });
}

#[test]
fn the_log_tells_who_had_to_give_way_from_who_was_here_at_the_stop() {
    on_loop(async {
        let serving = serve(Config {
            max_handshakes: 1,
            handshake_timeout: Duration::from_secs(60),
            ..proxied("127.0.0.1")
        })?;
        let log = Log::catch();
        let first = connect(&serving).await?;
        let first_addr = first.stream.local_addr()?;
        while serving.counts().accepted < 1 {
            moment().await;
        }
        let second = connect(&serving).await?;
        let second_addr = second.stream.local_addr()?;
        assert_eq!(end_of(first).await, "");
        serving.stop(Duration::from_millis(20)).await;
        let reasons = [
            format!(
                "it was the oldest of 1 without their PROXY header (max_handshakes) peer={first_addr}"
            ),
            format!("no PROXY header 20ms after the stop began (stop_timeout) peer={second_addr}"),
        ];
        let lines = reasons.map(|reason| format!("INFO connection refused: {reason}"));
        assert_eq!(log.at("INFO"), lines);
        Ok(())
    });
}

#[test]
fn each_address_has_its_own_proxies() {
    on_loop(async {
        let header = "PROXY TCP4 192.0.2.1 192.0.2.2 4660 80\r\n";
        let local = "127.0.0.0/8".parse()?;
        let serving = HttpServer::new(|| client)
            .config(proxied("10.0.0.0/8"))
            .listen("127.0.0.1:0")?
            .proxy_protocol(None)
            .listen("127.0.0.1:0")?
            .listen("127.0.0.1:0")?
            .proxy_protocol(Some(local))
            .listen("127.0.0.1:0")?
            .serve()?;
        let addrs = serving.local_addrs().to_vec();
        for (addr, with, without) in [
            (addrs[0], "", ""),
            (addrs[1], "HTTP/1.1 400 ", "HTTP/1.1 200 "),
            (addrs[2], "HTTP/1.1 400 ", "HTTP/1.1 200 "),
            (addrs[3], "HTTP/1.1 200 ", ""),
        ] {
            for (header, expected) in [(header, with), ("", without)] {
                let mut wire = Wire::new(IoStream::connect_addr(addr).await?);
                wire.send(format!(
                    "{header}GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                ))
                .await;
                let answer = end_of(wire).await;
                assert_eq!(answer.is_empty(), expected.is_empty(), "{answer}");
                assert!(answer.starts_with(expected), "{answer}");
            }
        }
        Ok(())
    });
}

#[test]
fn a_header_where_none_is_expected_is_a_bad_request() {
    on_loop(async {
        let serving = serve(Config::default())?;
        let mut wire = connect(&serving).await?;
        wire.send(format!("PROXY TCP4 192.0.2.1 192.0.2.2 4660 80\r\n{GET}"))
            .await;
        let answer = wire.rest().await;
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert_eq!(serving.counts().requests, 0);
        Ok(())
    });
}

#[test]
fn fields_are_believed_of_trusted_peers_alone() {
    on_loop(async {
        let request = "GET / HTTP/1.1\r\nHost: inner\r\nX-Forwarded-For: 6.6.6.6, 192.0.2.1\r\n\
            X-Forwarded-Proto: https\r\nX-Forwarded-Host: site.test\r\n\r\n";
        let config = |trusted: &str| -> Result<Config, Box<dyn std::error::Error>> {
            Ok(Config {
                forwarding: Some(Arc::new(Forwarding::new(trusted.parse()?))),
                ..Config::default()
            })
        };
        let serving = serve(config("127.0.0.1")?)?;
        let mut wire = connect(&serving).await?;
        wire.send(request).await;
        wire.until("192.0.2.1:0 by https to site.test.").await;
        for config in [config("10.0.0.1")?, Config::default()] {
            let serving = serve(config)?;
            let mut wire = connect(&serving).await?;
            let here = wire.stream.local_addr()?;
            wire.send(request).await;
            wire.until(&format!("{here} by http to inner.")).await;
        }
        Ok(())
    });
}
