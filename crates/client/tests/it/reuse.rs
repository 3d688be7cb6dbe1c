//! Connections that are kept and used again.

use std::time::Duration;

use http::Response;
use squall_client::{ClientConfig, HttpClient, HttpRequest};
use squall_http::Body;
use squall_ioloop::{moment, multi};
use squall_server::{HttpServer, Serving};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::on_loop;
use crate::peer::{Act, Peer};

const OK: Act = Act::Say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");

fn serve() -> std::io::Result<(Serving, String)> {
    let hello = |_request: squall_server::Request| async { Response::new(Body::from("hello")) };
    let serving = HttpServer::new(move || hello)
        .listen("127.0.0.1:0")?
        .serve()?;
    let url = format!("http://{}", serving.local_addr());
    Ok((serving, url))
}

#[test]
fn one_after_another_share_a_connection() {
    on_loop(async {
        let (serving, url) = serve()?;
        let client = HttpClient::new();
        for _ in 0..5 {
            client.clone().fetch(&url).await?;
        }
        client.fetch(HttpRequest::post(&url, "body")).await?;
        assert_eq!(serving.counts().accepted, 1);
        Ok(())
    });
}

#[test]
fn side_by_side_they_have_one_each_and_keep_as_many_as_may_be() {
    on_loop(async {
        let (serving, url) = serve()?;
        let client = HttpClient::with_config(ClientConfig {
            idle_connections: 2,
            ..ClientConfig::default()
        });
        multi([client.fetch(&url), client.fetch(&url), client.fetch(&url)]).await?;
        assert_eq!(serving.counts().accepted, 3);
        while serving.counts().open > 2 {
            moment().await;
        }
        multi([client.fetch(&url), client.fetch(&url)]).await?;
        assert_eq!(serving.counts().accepted, 3);
        Ok(())
    });
}

#[test]
fn keeping_none_closes_each() {
    on_loop(async {
        let (serving, url) = serve()?;
        let client = HttpClient::with_config(ClientConfig {
            idle_connections: 0,
            ..ClientConfig::default()
        });
        for _ in 0..3 {
            client.fetch(&url).await?;
        }
        assert_eq!(serving.counts().accepted, 3);
        Ok(())
    });
}

#[test]
fn dropping_the_client_closes_what_it_kept() {
    on_loop(async {
        let (serving, url) = serve()?;
        HttpClient::new().fetch(&url).await?;
        while serving.counts().open > 0 {
            moment().await;
        }
        Ok(())
    });
}

#[test]
fn a_cancelled_fetch_leaves_no_connection_behind() {
    on_loop(async {
        let peer = Peer::start(&[&[Act::Sulk], &[OK]])?;
        let client = HttpClient::new();
        let fetch = squall_ioloop::spawn(client.fetch(&peer.url));
        while peer.heads().is_empty() {
            moment().await;
        }
        fetch.cancel();
        assert_eq!(client.fetch(&peer.url).await?.text(), "ok");
        assert_eq!(peer.accepted(), 2);
        Ok(())
    });
}

#[test]
fn a_connection_that_the_server_closed_is_not_used_again() {
    on_loop(async {
        let peer = Peer::start(&[&[OK]])?;
        let client = HttpClient::new();
        for _ in 0..3 {
            assert_eq!(client.fetch(&peer.url).await?.text(), "ok");
            // The peer's task ends, and with it the connection.
            for _ in 0..10 {
                moment().await;
            }
        }
        assert_eq!(peer.accepted(), 3);
        assert_eq!(peer.heads().len(), 3, "nothing was sent in vain");
        Ok(())
    });
}

#[test]
fn a_connection_that_dies_with_the_request_is_replaced_once() {
    on_loop(async {
        let peer = Peer::start(&[&[OK, Act::Close], &[OK, Act::Close]])?;
        let client = HttpClient::new();
        for _ in 0..3 {
            assert_eq!(client.fetch(&peer.url).await?.text(), "ok");
        }
        // Each but the first was sent twice: in vain on the old connection, then on a new one.
        assert_eq!((peer.accepted(), peer.heads().len()), (3, 5));
        Ok(())
    });
}

#[test]
fn what_is_not_idempotent_is_not_sent_twice() {
    on_loop(async {
        let peer = Peer::start(&[&[OK, Act::Close]])?;
        let client = HttpClient::new();
        client.fetch(&peer.url).await?;
        let err = client
            .fetch(HttpRequest::post(&peer.url, "once"))
            .await
            .expect_err("it died");
        assert!(err.is_closed() && !err.may_retry(), "{err}");
        assert_eq!(peer.heads().len(), 2);
        Ok(())
    });
}

#[test]
fn a_new_connection_that_dies_is_an_error_at_once() {
    on_loop(async {
        let peer = Peer::start(&[&[Act::Close]])?;
        let err = HttpClient::new()
            .fetch(&peer.url)
            .await
            .expect_err("it died");
        assert!(err.is_closed() && err.may_retry(), "{err}");
        assert!(
            err.to_string()
                .ends_with("closed the connection without an answer"),
            "{err}"
        );
        assert_eq!(peer.accepted(), 1);
        Ok(())
    });
}

#[test]
fn what_comes_after_an_answer_ends_the_connection() {
    on_loop(async {
        const SCRIPT: [Act; 2] = [
            Act::Say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n\r\n"),
            Act::Sulk,
        ];
        let peer = Peer::start(&[&SCRIPT])?;
        let client = HttpClient::new();
        for _ in 0..2 {
            assert_eq!(client.fetch(&peer.url).await?.text(), "ok");
        }
        assert_eq!(peer.accepted(), 2);
        Ok(())
    });
}

#[test]
fn what_was_kept_too_long_is_closed_though_nobody_fetches() {
    on_loop(async {
        let (serving, url) = serve()?;
        let idle_timeout = Duration::from_millis(20);
        let client = HttpClient::with_config(ClientConfig {
            idle_timeout,
            ..ClientConfig::default()
        });
        client.fetch(&url).await?;
        assert_eq!(serving.counts().open, 1);
        while serving.counts().open > 0 {
            moment().await;
        }
        drop(client);
        Ok(())
    });
}

#[test]
fn a_request_that_was_half_answered_is_not_sent_again() {
    on_loop(async {
        let peer = Peer::start(&[&[
            OK,
            Act::Say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"),
        ]])?;
        let client = HttpClient::new();
        client.fetch(&peer.url).await?;
        // Too large for the connection, so the peer's end makes the upload fail.
        let put = HttpRequest::new(http::Method::PUT, &peer.url).body(vec![b'x'; 8 << 20]);
        let err = client.fetch(put).await.expect_err("half is not whole");
        assert!(err.is_closed() && !err.may_retry(), "{err}");
        assert_eq!(peer.accepted(), 1);
        Ok(())
    });
}

#[test]
fn a_large_answer_is_read_to_its_end_though_the_upload_failed() {
    const BYTES: usize = 4 << 20;
    on_loop(async {
        let listener = squall_net::TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}/", listener.local_addr()?);
        squall_ioloop::spawn_callback(async move {
            let (mut stream, _) = listener.accept().await?;
            stream.read_u8().await?;
            let head = format!("HTTP/1.1 413 No\r\nContent-Length: {BYTES}\r\n\r\n");
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&vec![b'x'; BYTES]).await?;
            // What was not read makes this a reset.
            Ok::<_, std::io::Error>(())
        });
        let put = HttpRequest::new(http::Method::PUT, url).body(vec![b'x'; 32 << 20]);
        let answer = HttpClient::new().fetch(put).await?;
        assert_eq!((answer.code, answer.body.len()), (413, BYTES));
        Ok(())
    });
}
