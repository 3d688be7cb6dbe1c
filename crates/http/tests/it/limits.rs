//! Each limit: what just fits, and what just does not, whichever way the bytes come.

use http::Method;
use squall_http::h1::{Limits, RequestDecoder};

use crate::drive::{everywhere, response_decoder, text};

fn requests(limits: Limits, input: &[u8]) -> String {
    everywhere(|| RequestDecoder::new(limits), input).summary()
}

/// The last word: how it ended.
fn end_of(summary: &str) -> &str {
    summary.rsplit(" ; ").next().unwrap_or(summary)
}

#[test]
fn head_bytes() {
    let head = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for (head_bytes, end) in [
        (head.len(), "clean"),
        (head.len() - 1, "HeadTooLarge"),
        (5, "HeadTooLarge"),
        (0, "HeadTooLarge"),
    ] {
        let limits = Limits {
            head_bytes,
            ..Limits::default()
        };
        assert_eq!(end_of(&requests(limits, head)), end, "{head_bytes}");
        // What follows the head is not counted.
        let two = [&head[..], head].concat();
        assert_eq!(end_of(&requests(limits, &two)), end, "{head_bytes}");
    }
}

#[test]
fn a_head_without_end_is_refused_at_the_limit() {
    let limits = Limits {
        head_bytes: 1000,
        ..Limits::default()
    };
    let mut input = b"GET / HTTP/1.1\r\nHost: a\r\nX: ".to_vec();
    input.resize(999, b'x');
    assert_eq!(requests(limits, &input), "Truncated");
    input.push(b'x');
    assert_eq!(requests(limits, &input), "HeadTooLarge");
}

#[test]
fn target_bytes() {
    let rows = [
        (10, 10, "clean"),
        (10, 11, "TargetTooLong"),
        (8192, 8192, "clean"),
        (8192, 8193, "TargetTooLong"),
        (usize::MAX, 20_000, "clean"),
    ];
    for (target_bytes, length, end) in rows {
        let limits = Limits {
            target_bytes,
            ..Limits::default()
        };
        let input = format!(
            "GET /{} HTTP/1.1\r\nHost: a\r\n\r\n",
            "x".repeat(length - 1)
        );
        assert_eq!(
            end_of(&requests(limits, input.as_bytes())),
            end,
            "{target_bytes} {length}"
        );
    }
    // No `Uri` holds more than 65,534 bytes, whatever the setting.
    let limits = Limits {
        target_bytes: usize::MAX,
        head_bytes: 100_000,
        ..Limits::default()
    };
    for (length, end) in [(65_534, "clean"), (65_535, "TargetTooLong")] {
        let input = format!(
            "GET /{} HTTP/1.1\r\nHost: a\r\n\r\n",
            "x".repeat(length - 1)
        );
        let decoder = || RequestDecoder::new(limits);
        assert_eq!(
            end_of(&crate::drive::run(decoder(), &[input.as_bytes()]).summary()),
            end
        );
    }
}

#[test]
fn a_first_line_without_end_is_refused_before_the_head_is_full() {
    let limits = Limits {
        target_bytes: 100,
        ..Limits::default()
    };
    let longest = 32 + 1 + 100 + 1 + 8 + 2;
    let rows: [(&[u8], &str); 5] = [
        (b"GET /", "TargetTooLong"),
        (b"GET", "MethodTooLong"),
        (b"GET / ", "Version"),
        (b"GET / HTTP/1.1", "Version"),
        (b"GET / HTTP/1.1 ", "Version"),
    ];
    for (start, error) in rows {
        let mut input = start.to_vec();
        input.resize(longest - 1, b'x');
        let early = requests(limits, &input);
        assert!(["Truncated", error].contains(&early.as_str()), "{early}");
        input.resize(longest, b'x');
        assert_eq!(requests(limits, &input), error, "{}", text(start));
        // A later line end does not change the verdict.
        input.resize(3 * longest, b'x');
        input.extend_from_slice(b"\n");
        assert_eq!(requests(limits, &input), error, "{}", text(start));
    }
}

#[test]
fn method_bytes() {
    for (length, end) in [(32, "clean"), (33, "MethodTooLong"), (500, "MethodTooLong")] {
        let input = format!("{} / HTTP/1.1\r\nHost: a\r\n\r\n", "M".repeat(length));
        assert_eq!(
            end_of(&requests(Limits::default(), input.as_bytes())),
            end,
            "{length}"
        );
    }
}

#[test]
fn header_count() {
    for (headers, lines, end) in [
        (3, 3, "clean"),
        (3, 4, "TooManyHeaders"),
        (100, 100, "clean"),
        (100, 101, "TooManyHeaders"),
    ] {
        let limits = Limits {
            headers,
            ..Limits::default()
        };
        let input = format!(
            "GET / HTTP/1.1\r\nHost: a\r\n{}\r\n",
            "X: y\r\n".repeat(lines - 1)
        );
        assert_eq!(
            end_of(&requests(limits, input.as_bytes())),
            end,
            "{headers} {lines}"
        );
    }
}

#[test]
fn a_hundred_thousand_fields_are_no_more_than_the_map_takes() {
    let limits = Limits {
        headers: usize::MAX,
        head_bytes: usize::MAX,
        ..Limits::default()
    };
    let mut input = b"GET / HTTP/1.1\r\nHost: a\r\n".to_vec();
    for number in 0..100_000 {
        input.extend_from_slice(format!("x{number}: y\r\n").as_bytes());
    }
    let mut decoder = RequestDecoder::new(limits);
    assert_eq!(
        decoder.decode(&input).map(|_| ()),
        Err(squall_http::h1::ParseError::TooManyHeaders)
    );
}

#[test]
fn body_bytes() {
    let limits = Limits {
        body_bytes: 10,
        ..Limits::default()
    };
    let rows = [
        ("Content-Length: 10\r\n\r\n0123456789", "clean"),
        ("Content-Length: 11\r\n\r\n", "BodyTooLarge"),
        (
            "Transfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\n0\r\n\r\n",
            "clean",
        ),
        ("Transfer-Encoding: chunked\r\n\r\nb\r\n", "BodyTooLarge"),
        (
            "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n",
            "clean",
        ),
        (
            "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n6\r\n",
            "BodyTooLarge",
        ),
        (
            "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n7fffffffffffffff\r\n",
            "BodyTooLarge",
        ),
    ];
    for (rest, end) in rows {
        let request = format!("POST / HTTP/1.1\r\nHost: a\r\n{rest}");
        assert_eq!(end_of(&requests(limits, request.as_bytes())), end, "{rest}");
        let response = format!("HTTP/1.1 200 OK\r\n{rest}");
        let decoded = everywhere(
            || response_decoder(&[Method::GET], limits),
            response.as_bytes(),
        );
        assert_eq!(end_of(&decoded.summary()), end, "{rest}");
    }
}

#[test]
fn body_bytes_of_a_response_that_lasts_until_the_end() {
    let limits = Limits {
        body_bytes: 10,
        ..Limits::default()
    };
    for (body, end) in [
        ("", "end of body"),
        ("0123456789", "end of body"),
        ("0123456789a", "BodyTooLarge"),
        ("0123456789abcdefghij", "BodyTooLarge"),
    ] {
        let response = format!("HTTP/1.1 200 OK\r\n\r\n{body}");
        let decoder = || response_decoder(&[Method::GET], limits);
        let summary = everywhere(decoder, response.as_bytes()).summary();
        assert_eq!(end_of(&summary), end, "{body}");
        let most = &body[..body.len().min(10)];
        assert!(summary.contains(most), "{summary}");
    }
}

#[test]
fn no_body_limit_at_all() {
    let limits = Limits {
        body_bytes: u64::MAX,
        ..Limits::default()
    };
    let start = "POST / HTTP/1.1\r\nHost: a\r\n";
    let rows = [
        ("Content-Length: 9999999999999999999\r\n\r\nx", "Truncated"),
        (
            "Transfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\nx",
            "Truncated",
        ),
    ];
    for (rest, end) in rows {
        assert_eq!(
            end_of(&requests(limits, format!("{start}{rest}").as_bytes())),
            end
        );
    }
}

#[test]
fn chunk_extension_bytes() {
    let limits = Limits {
        chunk_extension_bytes: 10,
        ..Limits::default()
    };
    let rows = [
        ("1;23456789a\r\nx\r\n0\r\n\r\n", "clean"),
        ("1;23456789ab\r\nx\r\n0\r\n\r\n", "ChunkExtensionsTooLong"),
        // All of a body together.
        ("1;2345\r\nx\r\n1;2345\r\nx\r\n0\r\n\r\n", "clean"),
        (
            "1;2345\r\nx\r\n1;23456\r\nx\r\n0\r\n\r\n",
            "ChunkExtensionsTooLong",
        ),
        ("1;2345\r\nx\r\n0;23456\r\n\r\n", "ChunkExtensionsTooLong"),
    ];
    for (chunks, end) in rows {
        let input =
            format!("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
        assert_eq!(end_of(&requests(limits, input.as_bytes())), end, "{chunks}");
    }
}

#[test]
fn trailer_bytes_and_count() {
    let limits = Limits {
        trailer_bytes: 12,
        headers: 2,
        ..Limits::default()
    };
    let rows = [
        ("\r\n", "clean"),
        ("a: 456\r\n\r\n", "clean"),
        ("a: 45678\r\n\r\n", "clean"),
        ("a: 456789\r\n\r\n", "TrailersTooLarge"),
        ("a: 4567890123", "TrailersTooLarge"),
        ("a:\r\nb:\r\n\r\n", "clean"),
        ("a:\r\n:\r\n:\r\n", "TooManyHeaders"),
    ];
    for (trailers, end) in rows {
        let input = format!(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n{trailers}"
        );
        assert_eq!(
            end_of(&requests(limits, input.as_bytes())),
            end,
            "{trailers:?}"
        );
    }
}

#[test]
fn interim_responses() {
    let limits = Limits {
        interim_responses: 2,
        ..Limits::default()
    };
    let two = "HTTP/1.1 100 Continue\r\n\r\n".repeat(2);
    let last = "HTTP/1.1 204 No Content\r\n\r\n";
    let rows = [
        (format!("{two}{last}"), "clean"),
        (format!("{two}{two}{last}"), "TooManyInterim"),
        // Each request has its own.
        (format!("{two}{last}{two}{last}"), "clean"),
    ];
    for (input, end) in rows {
        let decoder = || response_decoder(&[Method::GET, Method::GET], limits);
        assert_eq!(
            end_of(&everywhere(decoder, input.as_bytes()).summary()),
            end
        );
    }
    let many = "HTTP/1.1 100 C\r\n\r\n".repeat(1000);
    let decoder = || response_decoder(&[Method::GET], Limits::default());
    let transcript = everywhere(decoder, many.as_bytes());
    assert_eq!(transcript.messages.len(), 10);
    assert_eq!(end_of(&transcript.summary()), "TooManyInterim");
}
