//! Fetches that succeed.

use http::{Method, Response, StatusCode, Uri};
use squall_client::{HttpClient, HttpRequest};
use squall_http::Body;
use squall_ioloop::{IoLoop, spawn};
use squall_server::{HttpServer, Serving};

use crate::on_loop;
use crate::peer::{Act, Peer};

/// Answers with the request as text; `/status/N` with that status, `/stream` in pieces.
async fn mirror(request: squall_server::Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    if let Some(code) = parts.path().strip_prefix("/status/") {
        let mut response = Response::new(Body::from("a status"));
        *response.status_mut() = code.parse().unwrap_or(StatusCode::IM_A_TEAPOT);
        return response;
    }
    if parts.path() == "/stream" {
        return Response::new(Body::from_chunks(["one ", "two ", "three"]));
    }
    let body = body.collect(1 << 24).await.expect("the upload is whole");
    let mut fields: Vec<String> = parts
        .headers()
        .iter()
        .map(|(name, value)| format!("{name}={}", value.to_str().unwrap_or("?")))
        .collect();
    fields.sort();
    let text = format!(
        "{} {} {} {}",
        parts.method(),
        parts.uri(),
        fields.join(","),
        body.len()
    );
    Response::new(Body::from(text))
}

fn serve() -> std::io::Result<(Serving, String)> {
    let serving = HttpServer::new(|| mirror).listen("127.0.0.1:0")?.serve()?;
    let url = format!("http://{}", serving.local_addr());
    Ok((serving, url))
}

#[test]
fn a_url_is_a_get_and_the_answer_knows_its_request() {
    on_loop(async {
        let (_serving, url) = serve()?;
        let host = url.trim_start_matches("http://");
        let response = HttpClient::new().fetch(format!("{url}/a?b=c#d")).await?;
        assert_eq!((response.code, response.reason.as_str()), (200, "OK"));
        let agent = concat!("Squall/", env!("CARGO_PKG_VERSION"));
        assert_eq!(
            response.text(),
            format!("GET /a?b=c host={host},user-agent={agent} 0")
        );
        assert_eq!(response.request.method(), Method::GET);
        assert_eq!(response.effective_url, format!("{url}/a?b=c#d"));
        assert!(response.headers.contains_key("date"));
        assert!(response.is_success());
        response.rethrow()?;
        Ok(())
    });
}

#[test]
fn text_strings_uris_and_requests_are_all_accepted() {
    on_loop(async {
        let (_serving, url) = serve()?;
        let client = HttpClient::new();
        let uri: Uri = url.parse()?;
        let codes = [
            client.fetch(url.as_str()).await?.code,
            client.fetch(&url).await?.code,
            client.fetch(url.clone()).await?.code,
            client.fetch(&uri).await?.code,
            client.fetch(uri).await?.code,
            client.fetch(HttpRequest::get(&url)).await?.code,
        ];
        assert_eq!(codes, [200; 6]);
        Ok(())
    });
}

#[test]
fn a_post_sends_its_headers_and_its_length() {
    on_loop(async {
        let (_serving, url) = serve()?;
        let request = HttpRequest::post(format!("{url}/p"), "12345")
            .header("X-One", "1")
            .header("User-Agent", "me");
        let response = HttpClient::new().fetch(request).await?;
        let text = response.text();
        assert!(text.starts_with("POST /p content-length=5,host="), "{text}");
        assert!(text.ends_with(",user-agent=me,x-one=1 5"), "{text}");
        Ok(())
    });
}

#[test]
fn a_stream_is_sent_in_chunks() {
    on_loop(async {
        let (_serving, url) = serve()?;
        let body = Body::from_chunks(["ab", "", "cde"]);
        let response = HttpClient::new()
            .fetch(HttpRequest::post(&url, body))
            .await?;
        let text = response.text();
        assert!(
            text.contains("transfer-encoding=chunked") && text.ends_with(" 5"),
            "{text}"
        );
        assert!(response.request.headers().is_empty());
        Ok(())
    });
}

#[test]
fn large_bodies_pass_both_ways() {
    on_loop(async {
        let echo = |request: squall_server::Request| async { Response::new(request.into_body()) };
        let serving = HttpServer::new(move || echo)
            .listen("127.0.0.1:0")?
            .serve()?;
        let body: Vec<u8> = (0..3_000_000_u32).map(|number| number as u8).collect();
        let request = HttpRequest::post(format!("http://{}", serving.local_addr()), body.clone());
        let response = HttpClient::new().fetch(request).await?;
        assert!(response.body == body);
        Ok(())
    });
}

#[test]
fn a_head_has_no_body_and_a_stream_is_put_together() {
    on_loop(async {
        let (serving, url) = serve()?;
        let client = HttpClient::new();
        let head = client.fetch(HttpRequest::head(&url)).await?;
        assert_eq!((head.code, head.body.len()), (200, 0));
        assert!(head.headers.contains_key("content-length"));
        assert_eq!(
            client.fetch(format!("{url}/stream")).await?.text(),
            "one two three"
        );
        assert_eq!(serving.counts().accepted, 1);
        Ok(())
    });
}

#[test]
fn a_status_is_an_error_only_when_asked() {
    on_loop(async {
        let (_serving, url) = serve()?;
        let client = HttpClient::new();
        let response = client.fetch(format!("{url}/status/404")).await?;
        assert_eq!(
            (response.code, response.reason.as_str()),
            (404, "Not Found")
        );
        let err = response.rethrow().expect_err("404 is an error");
        assert_eq!(err.status(), Some(404));
        assert!(!err.may_retry());
        assert_eq!(
            err.to_string(),
            format!("GET {url}/status/404: the server answered 404 Not Found")
        );
        client.fetch(format!("{url}/status/204")).await?.rethrow()?;
        client.fetch(format!("{url}/status/304")).await?.rethrow()?;
        Ok(())
    });
}

#[test]
fn a_status_that_http_does_not_have_is_an_error_of_the_server() {
    on_loop(async {
        let peer = Peer::start(&[&[Act::Say(
            "HTTP/1.1 999 Request denied\r\nContent-Length: 4\r\n\r\nnope",
        )]])?;
        let response = HttpClient::new().fetch(&peer.url).await?;
        assert_eq!((response.code, &*response.text()), (999, "nope"));
        assert!(!response.is_success());
        let err = response.rethrow().expect_err("it is beyond 599");
        assert_eq!(err.status(), Some(999));
        Ok(())
    });
}

#[test]
fn a_fetch_can_be_spawned_though_its_url_was_borrowed() {
    on_loop(async {
        let (_serving, url) = serve()?;
        let client = HttpClient::new();
        let task = {
            let borrowed = url.clone();
            spawn(client.fetch(&borrowed))
        };
        assert_eq!(task.await??.code, 200);
        Ok(())
    });
}

#[test]
fn the_client_may_be_made_and_asked_before_there_is_a_loop() {
    let closed =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    let fetch = HttpClient::new().fetch(format!("http://{}/", closed.expect("a free port")));
    let err = IoLoop::run_sync(async move { fetch.await.map_err(std::io::Error::from) })
        .expect_err("nobody listens");
    assert_eq!(err.kind(), std::io::ErrorKind::ConnectionRefused);
}

#[test]
fn answers_of_every_framing_are_understood() {
    const CASES: [(&[&[Act]], u16, &str, &str); 5] = [
        (
            &[&[Act::Say("HTTP/1.1 200 Fine\r\nContent-Length: 2\r\n\r\nab")]],
            200,
            "Fine",
            "ab",
        ),
        (
            &[&[Act::Say(
                "HTTP/1.1 200\x20\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
            )]],
            200,
            "OK",
            "ab",
        ),
        (
            &[&[Act::Say("HTTP/1.0 200 OK\r\n\r\nuntil the end")]],
            200,
            "OK",
            "until the end",
        ),
        (
            &[&[Act::Say(
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n",
            )]],
            201,
            "Made",
            "",
        ),
        (
            &[&[Act::Say(
                "HTTP/1.1 404 Nope\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx",
            )]],
            404,
            "Nope",
            "x",
        ),
    ];
    for (scripts, code, reason, body) in CASES {
        on_loop(async {
            let peer = Peer::start(scripts)?;
            let response = HttpClient::new().fetch(&peer.url).await?;
            assert_eq!((response.code, response.reason.as_str()), (code, reason));
            assert_eq!(response.text(), body);
            Ok(())
        });
    }
}

#[test]
fn an_answer_before_the_end_of_the_upload_is_taken() {
    on_loop(async {
        let refuse = |_request: squall_server::Request| async {
            let mut response = Response::new(Body::from("too much"));
            *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
            response
        };
        let serving = HttpServer::new(move || refuse)
            .listen("127.0.0.1:0")?
            .serve()?;
        let url = format!("http://{}", serving.local_addr());
        let response = HttpClient::new()
            .fetch(HttpRequest::post(url, vec![b'x'; 20_000_000]))
            .await?;
        assert_eq!((response.code, response.text().as_ref()), (413, "too much"));
        Ok(())
    });
}
