use super::*;

const DATED: &str =
    "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 3\r\n\r\nabc";

/// Reads `wire` in pieces that end at `cuts`.
fn read(wire: &[u8], cuts: &[usize], to_head: bool) -> Result<(Reader, usize), String> {
    let mut reader = Reader::new(to_head);
    let mut used = 0;
    for (from, to) in std::iter::once(&0)
        .chain(cuts)
        .zip(cuts.iter().chain([&wire.len()]))
    {
        let (taken, whole) = reader.feed(&wire[*from..*to])?;
        used += taken;
        if whole {
            break;
        }
        assert_eq!(taken, to - from, "an unfinished answer takes everything");
    }
    Ok((reader, used))
}

#[test]
fn answers_are_read_alike_wherever_they_are_cut() {
    for (wire, body) in [
        (DATED, "abc"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0a\r\n0123456789\r\n0\r\nT: x\r\n\r\n",
            "abc0123456789",
        ),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 \r\ncontent-length:0\r\n\r\n",
            "",
        ),
        ("HTTP/1.0 204 No Content\r\nContent-Length: 5\r\n\r\n", ""),
    ] {
        let mut pipelined = wire.as_bytes().to_vec();
        pipelined.extend_from_slice(b"HTTP/1.1 ");
        for first in 0..wire.len() {
            for second in first..wire.len() {
                let (reader, used) = read(&pipelined, &[first, second], false).unwrap();
                assert_eq!(used, wire.len(), "{wire:?} cut at {first} and {second}");
                let answer = reader.into_answer().unwrap();
                assert_eq!(answer.body, body.as_bytes());
                assert_eq!(answer.raw, wire.as_bytes());
            }
        }
    }
}

#[test]
fn an_unfinished_answer_is_none() {
    for cut in 0..DATED.len() {
        let (mut reader, _) = read(&DATED.as_bytes()[..cut], &[], false).unwrap();
        assert!(!reader.end(), "cut at {cut}");
        assert_eq!(reader.length(), cut);
        assert!(reader.into_answer().is_none(), "cut at {cut}");
    }
}

#[test]
fn a_body_without_length_ends_with_the_connection() {
    let (mut reader, _) = read(b"HTTP/1.0 200 OK\r\n\r\nall of it", &[], false).unwrap();
    assert!(reader.end());
    let answer = reader.into_answer().unwrap();
    assert_eq!(answer.body, b"all of it");
    assert!(answer.head.closes && !answer.repeatable);
}

#[test]
fn an_answer_to_head_has_no_body() {
    let (reader, used) = read(DATED.as_bytes(), &[], true).unwrap();
    assert_eq!(used, DATED.len() - 3);
    assert!(reader.into_answer().unwrap().repeatable);
}

#[test]
fn broken_answers_are_named() {
    for (wire, words) in [
        ("SSH-2.0-server\r\n", "does not begin with HTTP/1."),
        ("HTTP/1.2 200 OK\r\n\r\n", "status line"),
        ("HTTP/1.1 2000 OK\r\n\r\n", "status line"),
        ("HTTP/1.1 20\r\n\r\n", "status line"),
        ("HTTP/1.1 099 Low\r\n\r\n", "status line"),
        ("HTTP/1.1 200\r\n\r\n", "status line"),
        ("HTTP/1.1 200 OK\r\nA : b\r\n\r\n", "a field is malformed"),
        ("HTTP/1.1 200 OK\r\n folded\r\n\r\n", "a field is malformed"),
        (
            "HTTP/1.1 200 OK\r\nnothing\r\n\r\n",
            "a field is malformed: \"nothing\"",
        ),
        ("HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n", "stray byte"),
        ("HTTP/1.1 200 OK\r\nA: b\rc\r\n\r\n", "stray byte"),
        ("HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n", "stray byte"),
        (
            "HTTP/1.1 200 OK\r\nDate: today\r\n\r\n",
            "date is malformed: \"today\"",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: +3\r\n\r\n",
            "Content-Length is malformed",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
            "Content-Length is malformed",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
            "more than one",
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
            "both",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            "not `chunked`",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n",
            "longer than its size",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-3\r\n",
            "size is malformed",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc",
            "bare line feed",
        ),
        (
            "HTTP/1.1 101 Switching Protocols\r\n\r\n",
            "101 was not asked for",
        ),
    ] {
        for cut in 0..wire.len() {
            let err = read(wire.as_bytes(), &[cut], false).expect_err(wire);
            assert!(err.contains(words), "{wire:?} cut at {cut} gave: {err}");
        }
    }
}

#[test]
fn endless_heads_lines_and_interims_end() {
    let head = [b"HTTP/1.1 200 OK\r\nA: ".to_vec(), vec![b'x'; 70_000]].concat();
    let err = read(&head, &[30_000], false).unwrap_err();
    assert!(err.contains("more than 65536 bytes"), "{err}");
    let mut line = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;".to_vec();
    line.resize(10_000, b'x');
    assert!(
        read(&line, &[100], false)
            .unwrap_err()
            .contains("4096 bytes")
    );
    let interims = "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(9);
    let err = read(interims.as_bytes(), &[], false).unwrap_err();
    assert!(err.contains("103 was not asked for, 9 times"), "{err}");
}

#[test]
fn connections_that_end_are_recognised() {
    for (head, closes) in [
        ("HTTP/1.1 204 x\r\n", false),
        ("HTTP/1.1 204 x\r\nConnection: close\r\n", true),
        ("HTTP/1.1 204 x\r\nConnection: foo, Close\r\n", true),
        ("HTTP/1.0 204 x\r\n", true),
        ("HTTP/1.0 204 x\r\nConnection: Keep-Alive\r\n", false),
    ] {
        let wire = format!("{head}\r\n");
        let (reader, _) = read(wire.as_bytes(), &[], false).unwrap();
        assert_eq!(reader.into_answer().unwrap().head.closes, closes, "{head}");
    }
}
