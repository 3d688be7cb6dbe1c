//! Requests: what is asked for, and the bytes that go out.

use http::{HeaderMap, Method, Request, Uri};
use squall_http::h1::{RequestEncoder, RequestStart, TargetForm, WriteError};

use crate::drive::text;
use crate::write_response::fields;

fn start<'a>(method: &'a Method, target: &'a Uri, headers: &'a HeaderMap) -> RequestStart<'a> {
    RequestStart {
        method,
        target,
        form: TargetForm::Origin,
        headers,
        length: Some(0),
        keep_alive: true,
    }
}

/// Writes a request with the body in these pieces.
fn write(
    method: &str,
    target: &str,
    form: TargetForm,
    lines: &str,
    length: Option<u64>,
    pieces: &[&str],
) -> Result<String, WriteError> {
    let (method, target) = (
        method.parse().expect("a method"),
        target.parse().expect("a target"),
    );
    let headers = fields(lines);
    let mut encoder = RequestEncoder::new();
    let mut out = Vec::new();
    let start = RequestStart {
        form,
        length,
        ..start(&method, &target, &headers)
    };
    encoder.head(&mut out, &start)?;
    for piece in pieces {
        encoder.data(&mut out, piece.as_bytes())?;
    }
    encoder.end(&mut out)?;
    Ok(text(&out))
}

#[test]
fn targets_in_each_form() {
    use TargetForm::{Absolute, Asterisk, Authority, Origin};
    let rows = [
        ("GET", "http://a/", Origin, "GET / HTTP/1.1⏎host: a⏎⏎"),
        ("GET", "http://a", Origin, "GET / HTTP/1.1⏎host: a⏎⏎"),
        (
            "GET",
            "http://a:8888/x?y=z",
            Origin,
            "GET /x?y=z HTTP/1.1⏎host: a:8888⏎⏎",
        ),
        ("GET", "http://a?y", Origin, "GET /?y HTTP/1.1⏎host: a⏎⏎"),
        ("GET", "http://u:p@a/x", Origin, "GET /x HTTP/1.1⏎host: a⏎⏎"),
        (
            "GET",
            "http://[::1]:1/x",
            Origin,
            "GET /x HTTP/1.1⏎host: [::1]:1⏎⏎",
        ),
        (
            "GET",
            "http://a/x?y",
            Absolute,
            "GET http://a/x?y HTTP/1.1⏎host: a⏎⏎",
        ),
        (
            "GET",
            "http://u:p@a",
            Absolute,
            "GET http://a/ HTTP/1.1⏎host: a⏎⏎",
        ),
        (
            "OPTIONS",
            "http://a/x",
            Asterisk,
            "OPTIONS * HTTP/1.1⏎host: a⏎⏎",
        ),
        (
            "CONNECT",
            "a:443",
            Authority,
            "CONNECT a:443 HTTP/1.1⏎host: a:443⏎⏎",
        ),
        (
            "CONNECT",
            "a:443",
            Origin,
            "CONNECT a:443 HTTP/1.1⏎host: a:443⏎⏎",
        ),
        (
            "CONNECT",
            "https://a/x",
            Authority,
            "CONNECT a:443 HTTP/1.1⏎host: a⏎⏎",
        ),
        (
            "CONNECT",
            "http://a",
            Authority,
            "CONNECT a:80 HTTP/1.1⏎host: a⏎⏎",
        ),
        (
            "CONNECT",
            "https://a:/x",
            Authority,
            "CONNECT a:443 HTTP/1.1⏎host: a:⏎⏎",
        ),
        (
            "CONNECT",
            "https://[::1]",
            Authority,
            "CONNECT [::1]:443 HTTP/1.1⏎host: [::1]⏎⏎",
        ),
    ];
    for (method, target, form, bytes) in rows {
        let got = write(method, target, form, "", Some(0), &[]);
        assert_eq!(got.as_deref(), Ok(bytes), "{method} {target}");
    }
    let bad = [
        ("GET", "http://a/", Authority),
        ("GET", "http://a/", Asterisk),
        ("GET", "/x", Absolute),
        ("GET", "*", Origin),
        ("CONNECT", "a", Authority),
        ("CONNECT", "/x", Authority),
        ("GET", "http://a/\u{e4}", Origin),
    ];
    for (method, target, form) in bad {
        let got = write(method, target, form, "host: a", Some(0), &[]);
        assert_eq!(got, Err(WriteError::Target), "{method} {target} {form:?}");
    }
}

#[test]
fn hosts() {
    let origin =
        |target: &str, lines: &str| write("GET", target, TargetForm::Origin, lines, Some(0), &[]);
    assert_eq!(
        origin("/x", "host: b|a: c").as_deref(),
        Ok("GET /x HTTP/1.1⏎host: b⏎a: c⏎⏎")
    );
    assert_eq!(
        origin("http://a/x", "a: c|host: b").as_deref(),
        Ok("GET /x HTTP/1.1⏎host: b⏎a: c⏎⏎")
    );
    assert_eq!(origin("/x", "a: c"), Err(WriteError::HostMissing));
    assert_eq!(
        origin("/x", "host: a|host: a"),
        Err(WriteError::HostRepeated)
    );
    for host in ["a b", "a/b", "u@a", "a:x", "a:99999", "[::1"] {
        assert_eq!(
            origin("/x", &format!("host: {host}")),
            Err(WriteError::HostInvalid),
            "{host}"
        );
    }
    assert_eq!(origin("http://a:99999/x", ""), Err(WriteError::HostInvalid));
}

/// Method, fields, length, pieces, what comes of it.
type Row<T> = (
    &'static str,
    &'static str,
    Option<u64>,
    &'static [&'static str],
    T,
);

#[test]
fn bodies_are_always_framed() {
    let rows: [Row<&str>; 10] = [
        ("GET", "", Some(0), &[], "⏎"),
        ("GET", "", Some(2), &["hi"], "content-length: 2⏎⏎hi"),
        (
            "GET",
            "",
            None,
            &["hi"],
            "transfer-encoding: chunked⏎⏎2⏎hi⏎0⏎⏎",
        ),
        ("DELETE", "", Some(0), &[], "⏎"),
        ("POST", "", Some(0), &[], "content-length: 0⏎⏎"),
        ("PUT", "", Some(0), &[], "content-length: 0⏎⏎"),
        ("PATCH", "", Some(1), &["x"], "content-length: 1⏎⏎x"),
        ("POST", "", None, &[], "transfer-encoding: chunked⏎⏎0⏎⏎"),
        (
            "POST",
            "content-length: 1|a: b",
            None,
            &["x"],
            "a: b⏎content-length: 1⏎⏎x",
        ),
        ("TRACE", "", Some(0), &[], "⏎"),
    ];
    for (method, lines, length, pieces, rest) in rows {
        let got = write(
            method,
            "http://a/",
            TargetForm::Origin,
            lines,
            length,
            pieces,
        );
        assert_eq!(
            got,
            Ok(format!("{method} / HTTP/1.1⏎host: a⏎{rest}")),
            "{method} {length:?}"
        );
    }
    let bad: [Row<WriteError>; 9] = [
        ("TRACE", "", Some(1), &[], WriteError::BodyForbidden),
        ("TRACE", "", None, &[], WriteError::BodyForbidden),
        (
            "CONNECT",
            "content-length: 5",
            None,
            &[],
            WriteError::BodyForbidden,
        ),
        (
            "POST",
            "content-length: 1",
            Some(2),
            &[],
            WriteError::ContentLengthMismatch,
        ),
        (
            "POST",
            "content-length: x",
            Some(2),
            &[],
            WriteError::ContentLength,
        ),
        (
            "POST",
            "transfer-encoding: chunked",
            None,
            &[],
            WriteError::TransferEncodingSet,
        ),
        ("POST", "", Some(2), &["hi!"], WriteError::BodyTooLong),
        ("POST", "", Some(2), &["h"], WriteError::BodyTooShort),
        ("GET", "", Some(0), &["h"], WriteError::BodyTooLong),
    ];
    for (method, lines, length, pieces, error) in bad {
        let got = write(
            method,
            "http://a:1/",
            TargetForm::Origin,
            lines,
            length,
            pieces,
        );
        assert_eq!(got, Err(error), "{method} {lines} {length:?}");
    }
}

#[test]
fn connections_close_when_asked() {
    let request = Request::builder()
        .uri("http://a/")
        .header("connection", "te, close")
        .body(())
        .expect("valid");
    let mut encoder = RequestEncoder::default();
    let mut out = Vec::new();
    encoder
        .head(&mut out, &RequestStart::of(&request, Some(0)))
        .expect("a head");
    assert_eq!(
        text(&out),
        "GET / HTTP/1.1⏎host: a⏎connection: te⏎connection: close⏎⏎"
    );
    encoder.end(&mut out).expect("the end");
    assert!(!encoder.keep_alive());
    let again = encoder.head(&mut out, &RequestStart::of(&request, Some(0)));
    assert_eq!(again, Err(WriteError::OutOfOrder));

    let request = Request::get("http://a/").body(()).expect("valid");
    let mut encoder = RequestEncoder::new();
    out.clear();
    let start = RequestStart {
        keep_alive: false,
        ..RequestStart::of(&request, Some(0))
    };
    encoder.head(&mut out, &start).expect("a head");
    assert_eq!(text(&out), "GET / HTTP/1.1⏎host: a⏎connection: close⏎⏎");
}

#[test]
fn the_form_follows_from_the_request() {
    let form = |method: &str, target: &str| {
        let request = Request::builder()
            .method(method)
            .uri(target)
            .body(())
            .expect("valid");
        RequestStart::of(&request, None).form
    };
    assert_eq!(form("GET", "http://a/x"), TargetForm::Origin);
    assert_eq!(form("CONNECT", "a:1"), TargetForm::Authority);
    assert_eq!(form("OPTIONS", "*"), TargetForm::Asterisk);
}

#[test]
fn an_error_leaves_everything_as_it_was() {
    let (method, target) = (Method::GET, Uri::from_static("http://a/"));
    let (bad, good) = (fields("a: b|transfer-encoding: x"), HeaderMap::new());
    let mut encoder = RequestEncoder::new();
    let mut out = b"before".to_vec();
    let refused = encoder.head(&mut out, &start(&method, &target, &bad));
    assert_eq!(refused, Err(WriteError::TransferEncodingSet));
    assert_eq!(out, b"before");
    assert_eq!(encoder.end(&mut out), Err(WriteError::OutOfOrder));
    let mut encoder = RequestEncoder::new();
    encoder
        .head(&mut out, &start(&method, &target, &good))
        .expect("a head");
    let twice = encoder.head(&mut out, &start(&method, &target, &good));
    assert_eq!(twice, Err(WriteError::OutOfOrder));
}

#[test]
fn requests_can_end_with_trailers_and_leave_large_pieces_to_the_caller() {
    let request = Request::post("http://a/").body(()).expect("valid");
    let mut encoder = RequestEncoder::new();
    let mut out = Vec::new();
    encoder
        .head(&mut out, &RequestStart::of(&request, None))
        .expect("a head");
    out.clear();
    encoder.data_start(&mut out, 3).expect("the size");
    out.extend_from_slice(b"abc");
    encoder.data_end(&mut out);
    encoder
        .end_with(&mut out, Some(&fields("a: b")))
        .expect("the end");
    assert_eq!(text(&out), "3⏎abc⏎0⏎a: b⏎⏎");
}
