//! Fetches that fail, and what they say.

use http::Method;
use squall_client::{ClientConfig, Error, HttpClient, HttpRequest};
use squall_http::h1::Limits;
use squall_http::{Body, BodyError};

use crate::on_loop;
use crate::peer::{Act, Peer};

async fn failure(request: impl squall_client::IntoRequest) -> Error {
    HttpClient::new()
        .fetch(request)
        .await
        .expect_err("it cannot succeed")
}

#[test]
fn a_refused_connection_says_so_and_may_be_tried_again() {
    on_loop(async {
        let addr = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let err = failure(HttpRequest::post(format!("http://{addr}/x"), "body")).await;
        assert_eq!(
            err.to_string(),
            format!("POST http://{addr}/x: connection refused, nothing listens there")
        );
        assert!(err.is_connect() && err.may_retry() && !err.is_timeout());
        Ok(())
    });
}

#[test]
fn a_name_that_does_not_resolve_is_named() {
    on_loop(async {
        let err = failure("http://no-such-host.invalid/").await;
        assert!(err.is_connect(), "{err}");
        assert!(
            err.to_string()
                .contains("cannot connect: the name no-such-host.invalid does not resolve"),
            "{err}"
        );
        Ok(())
    });
}

#[test]
fn a_bad_url_says_what_was_expected() {
    on_loop(async {
        for url in [
            "",
            "nonsense",
            "/path",
            "ftp://h/",
            "http://h/ü",
            "http://",
            "http://u:p@h/",
        ] {
            let err = failure(url).await;
            assert!(
                err.is_bad_url() && err.is_bad_request() && !err.may_retry(),
                "{err}"
            );
            let text = err.to_string();
            let shown = url.replace("u:p", "***");
            assert!(
                text.starts_with(&format!("GET {shown:?}: bad url: ")),
                "{text}"
            );
            assert!(
                text.ends_with("(expected http://host[:port]/path)"),
                "{text}"
            );
        }
        Ok(())
    });
}

#[cfg(not(feature = "tls"))]
#[test]
fn https_says_that_it_is_not_built_in() {
    on_loop(async {
        let err = failure("https://example.com/").await;
        assert!(err.is_bad_url());
        assert!(
            err.to_string()
                .ends_with("TLS is not built in; turn the feature tls on, or use http"),
            "{err}"
        );
        Ok(())
    });
}

#[test]
fn a_bad_request_sends_no_byte() {
    on_loop(async {
        let peer = Peer::start(&[&[Act::Close]])?;
        let url = &peer.url;
        for request in [
            HttpRequest::get(url).header("Bad Name", "x"),
            HttpRequest::get(url).header("X", "a\r\nY: b"),
            HttpRequest::get(url).header("X", "a\rb"),
            HttpRequest::new(Method::CONNECT, url),
            HttpRequest::post(url, "abc").header("Content-Length", "7"),
            HttpRequest::post(url, "abc").header("Transfer-Encoding", "chunked"),
            HttpRequest::new(Method::TRACE, url).body("abc"),
        ] {
            let err = failure(request).await;
            assert!(
                err.is_bad_request() && !err.is_bad_url() && !err.may_retry(),
                "{err}"
            );
        }
        assert_eq!(peer.heads(), [""; 0]);
        Ok(())
    });
}

#[test]
fn a_body_that_fails_fails_the_fetch() {
    on_loop(async {
        let peer = Peer::start(&[&[Act::Sulk]])?;
        let (sender, body) = Body::channel(16, None);
        sender.fail(BodyError::other("the disk is gone"));
        let err = failure(HttpRequest::post(&peer.url, body)).await;
        assert!(
            err.to_string().contains("the request's body failed: "),
            "{err}"
        );
        assert!(!err.may_retry());
        Ok(())
    });
}

#[test]
fn unusable_answers_are_errors_and_never_cut_short() {
    type Question = fn(&Error) -> bool;
    const CASES: [(&[&[Act]], Question); 6] = [
        (&[&[Act::Say("nonsense\r\n\r\n")]], Error::is_malformed),
        (
            &[&[Act::Say(
                "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
            )]],
            Error::is_closed,
        ),
        (
            &[&[Act::Say(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n",
            )]],
            Error::is_closed,
        ),
        (
            &[&[Act::Say("HTTP/1.1 200 OK\r\nContent-Le")]],
            Error::is_closed,
        ),
        (
            &[&[Act::Say(
                "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            )]],
            Error::is_malformed,
        ),
        (
            &[&[Act::Say(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            )]],
            Error::is_malformed,
        ),
    ];
    for (scripts, question) in CASES {
        on_loop(async {
            let peer = Peer::start(scripts)?;
            let err = failure(&peer.url).await;
            assert!(question(&err), "{scripts:?}: {err}");
            assert!(!err.may_retry(), "something of an answer came: {err}");
            assert_eq!(peer.accepted(), 1);
            Ok(())
        });
    }
}

#[test]
fn a_body_over_the_limit_is_an_error_however_it_is_framed() {
    const CASES: [&[&[Act]]; 3] = [
        &[&[Act::Say(
            "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabcdef",
        )]],
        &[&[Act::Say(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n0\r\n\r\n",
        )]],
        &[&[Act::Say("HTTP/1.0 200 OK\r\n\r\nabcdef")]],
    ];
    for scripts in CASES {
        on_loop(async {
            let peer = Peer::start(scripts)?;
            let err = failure(HttpRequest::get(&peer.url).max_body_size(5)).await;
            assert!(err.is_body_too_large(), "{err}");
            let limits = Limits {
                body_bytes: 5,
                ..Limits::default()
            };
            let client = HttpClient::with_config(ClientConfig {
                limits,
                ..ClientConfig::default()
            });
            assert!(
                client
                    .fetch(&peer.url)
                    .await
                    .expect_err("too large")
                    .is_body_too_large()
            );
            let enough = HttpRequest::get(&peer.url).max_body_size(6);
            assert_eq!(client.fetch(enough).await?.text(), "abcdef");
            Ok(())
        });
    }
}

#[test]
fn an_error_can_cross_threads_and_become_one_of_io() {
    fn sendable<T: Send + Sync + 'static>(_: &T) {}
    on_loop(async {
        let err = failure("nonsense").await;
        sendable(&err);
        assert_eq!(
            std::io::Error::from(err).kind(),
            std::io::ErrorKind::InvalidInput
        );
        Ok(())
    });
}
