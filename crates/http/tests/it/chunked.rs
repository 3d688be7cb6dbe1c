//! The chunked coding (RFC 9112 §7.1): the same rows from a client and from a server.

use http::Method;
use squall_http::h1::{Event, Limits, RequestDecoder};

use crate::drive::{requests, responses, wire};

/// Decodes a chunked body in a request and in a response, which must agree: the body and trailers, or the error.
fn body(chunks: &str) -> String {
    let request = requests(&format!(
        "POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎{chunks}"
    ));
    let response = responses(
        &[Method::GET],
        &format!("HTTP/1.1 200 OK⏎Transfer-Encoding: chunked⏎⏎{chunks}"),
    );
    let request = request
        .strip_prefix("POST / 1.1 keep Chunked")
        .expect("a head");
    let response = response
        .strip_prefix("1.1 200 \"OK\" keep Chunked")
        .expect("a head");
    assert_eq!(request, response);
    request.trim_start().to_string()
}

#[test]
fn well_formed() {
    let rows = [
        ("0⏎⏎", "; clean"),
        ("5⏎hello⏎0⏎⏎", "=hello ; clean"),
        ("2⏎he⏎3⏎llo⏎0⏎⏎", "=hello ; clean"),
        ("a⏎0123456789⏎0⏎⏎", "=0123456789 ; clean"),
        ("A⏎0123456789⏎0⏎⏎", "=0123456789 ; clean"),
        ("0005⏎hello⏎000⏎⏎", "=hello ; clean"),
        ("0000000000000005⏎hello⏎0⏎⏎", "=hello ; clean"),
        ("2⏎⏎⏎0⏎⏎", "=⏎ ; clean"),
        ("7⏎0⏎⏎\0\u{ff}⏎0⏎⏎", "=0⏎⏎\0\u{ff} ; clean"),
        // Extensions are skipped.
        ("5;a=b⏎hello⏎0;last⏎⏎", "=hello ; clean"),
        ("5;a=\"b;c\"\t; d⏎hello⏎0⏎⏎", "=hello ; clean"),
        ("5;a ; b;c = d⏎hello⏎0;e\t⏎⏎", "=hello ; clean"),
        ("5;a=\"\\\"\\;\u{ff}\"⏎hello⏎0⏎⏎", "=hello ; clean"),
        // Trailers are kept apart.
        ("0⏎A: b⏎⏎", "+a:b ; clean"),
        (
            "1⏎x⏎0⏎Checksum: 7⏎x-y:\tz ⏎⏎",
            "=x +checksum:7 +x-y:z ; clean",
        ),
    ];
    for (chunks, expected) in rows {
        assert_eq!(body(chunks), expected, "{chunks:?}");
    }
}

#[test]
fn malformed() {
    let rows = [
        // Sizes.
        ("⏎", "ChunkSize"),
        ("⏎0⏎⏎", "ChunkSize"),
        ("g⏎", "ChunkSize"),
        ("0x2⏎hi⏎", "ChunkSize"),
        ("1_a⏎", "ChunkSize"),
        ("+2⏎hi⏎", "ChunkSize"),
        ("-1⏎", "ChunkSize"),
        (" 2⏎hi⏎", "ChunkSize"),
        ("2 ⏎hi⏎", "ChunkSize"),
        ("2\t⏎hi⏎", "ChunkSize"),
        ("2 ;a⏎hi⏎", "ChunkSize"),
        ("2,⏎hi⏎", "ChunkSize"),
        (";a=b⏎", "ChunkSize"),
        ("\u{b2}⏎", "ChunkSize"),
        ("2\0⏎hi⏎", "ChunkSize"),
        ("10000000000000000⏎", "ChunkSizeOverflow"),
        ("fffffffffffffffff⏎", "ChunkSizeOverflow"),
        ("00000000000000005⏎hello⏎", "ChunkSizeOverflow"),
        ("ffffffffffffffff⏎", "ChunkSizeOverflow"),
        ("fffffffffffffffe⏎", "ChunkSizeOverflow"),
        ("fffffffffffffffd⏎", "ChunkSizeOverflow"),
        ("8000000000000000⏎", "ChunkSizeOverflow"),
        ("7fffffffffffffff⏎", "BodyTooLarge"),
        // Line ends.
        ("2\nhi⏎0⏎⏎", "BareLf"),
        ("2\rhi⏎0⏎⏎", "BareCr"),
        ("2\r\r\nhi⏎0⏎⏎", "BareCr"),
        ("2;a\nb⏎hi⏎0⏎⏎", "BareLf"),
        ("2;a\rb⏎hi⏎0⏎⏎", "BareCr"),
        ("2;a\0⏎hi⏎0⏎⏎", "ChunkExtension"),
        ("2;\u{7f}⏎hi⏎0⏎⏎", "ChunkExtension"),
        // What only looks like an extension.
        ("2;⏎hi⏎0⏎⏎", "ChunkExtension"),
        ("2; ⏎hi⏎0⏎⏎", "ChunkExtension"),
        ("2;;a⏎hi⏎0⏎⏎", "ChunkExtension"),
        ("2;=a⏎hi⏎0⏎⏎", "ChunkExtension"),
        ("2;a b⏎hi⏎0⏎⏎", "ChunkExtension"),
        ("2;a=⏎hi⏎0⏎⏎", "ChunkExtension"),
        ("2;a=b=c⏎hi⏎0⏎⏎", "ChunkExtension"),
        ("2;a=b c⏎hi⏎0⏎⏎", "ChunkExtension"),
        ("2;a=\"b⏎hi⏎0⏎⏎", "ChunkExtension"),
        ("2;a=\"b\\⏎hi⏎0⏎⏎", "ChunkExtension"),
        ("2;a=\"b\"c⏎hi⏎0⏎⏎", "ChunkExtension"),
        ("2;a=\"\0\"⏎hi⏎0⏎⏎", "ChunkExtension"),
        ("2;\u{e9}⏎hi⏎0⏎⏎", "ChunkExtension"),
        ("0⏎\n", "BareLf"),
        ("0⏎\rx", "BareCr"),
        ("0\n\n", "BareLf"),
        // Trailers.
        ("0⏎Content-Length: 5⏎⏎", "ForbiddenTrailer"),
        ("0⏎Transfer-Encoding: chunked⏎⏎", "ForbiddenTrailer"),
        ("0⏎Host: a⏎⏎", "ForbiddenTrailer"),
        ("0⏎A: b⏎Authorization: x⏎⏎", "ForbiddenTrailer"),
        ("0⏎A : b⏎⏎", "WhitespaceBeforeColon"),
        ("0⏎ A: b⏎⏎", "ObsFold"),
        ("0⏎A: b⏎ c⏎⏎", "ObsFold"),
        ("0⏎A⏎⏎", "MissingColon"),
        ("0⏎A: \0⏎⏎", "FieldValue"),
        ("0⏎A: b\n⏎", "BareLf"),
        ("0⏎GET / HTTP/1.1⏎Host: a⏎⏎", "MissingColon"),
        // Cut off.
        ("", "Truncated"),
        ("5", "Truncated"),
        ("0⏎", "Truncated"),
        ("0⏎A: b⏎", "Truncated"),
        ("5;a", "Truncated"),
    ];
    for (chunks, error) in rows {
        assert_eq!(body(chunks), format!("... ; {error}"), "{chunks:?}");
    }
}

#[test]
fn data_must_be_as_long_as_its_size() {
    let rows = [
        ("5⏎abcdeXX0⏎⏎", "=abcde ... ; ChunkEnd"),
        ("5⏎abcdef⏎0⏎⏎", "=abcde ... ; ChunkEnd"),
        ("5⏎abcde\n0⏎⏎", "=abcde ... ; ChunkEnd"),
        ("5⏎abcde\rX0⏎⏎", "=abcde ... ; ChunkEnd"),
        ("5⏎abcde0⏎⏎", "=abcde ... ; ChunkEnd"),
        ("5⏎abcd⏎0⏎⏎", "=abcd\r ... ; ChunkEnd"),
        ("5⏎abc", "=abc ... ; Truncated"),
    ];
    for (chunks, expected) in rows {
        assert_eq!(body(chunks), expected, "{chunks:?}");
    }
}

#[test]
fn nothing_but_trailers_is_left_with_the_caller() {
    // So a body of tiny chunks in tiny pieces costs its bytes and no more.
    let mut input = wire("POST / HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎");
    let mut decoder = RequestDecoder::new(Limits::default());
    let (used, _) = decoder.decode(&input).expect("a head");
    assert_eq!(used, input.len());
    input.clear();
    for _ in 0..50_000 {
        input.extend_from_slice(b"1\r\n-\r\n");
    }
    input.extend_from_slice(b"0\r\n");
    let mut data = 0;
    for byte in input.chunks(1) {
        let (used, event) = match decoder.decode(byte).expect("well-formed") {
            // The CR of the first trailer line must stay until its LF is here.
            (0, None) => panic!("the byte was not consumed"),
            step => step,
        };
        assert_eq!(used, 1);
        if let Some(Event::Data(piece)) = event {
            data += piece.len();
        }
    }
    assert_eq!(data, 50_000);
    let (used, end) = decoder.decode(b"\r\n").expect("the end");
    assert_eq!(used, 2);
    assert!(matches!(end, Some(Event::End(_))));
}
