//! Payloads that are no messages, or that are too much.

use super::{Random, feed};
use crate::proto::deflate::{Deflater, History, Inflater, TAIL};
use crate::proto::{CloseCode, ProtocolError};

/// A message of zeros in less than a five-hundredth of its bytes.
fn bomb(bytes: usize) -> Vec<u8> {
    let mut payload = Vec::new();
    assert!(Deflater::new(15, 9).deflate(&vec![0; bytes], &mut payload, None));
    assert!(payload.len() < bytes / 500);
    payload
}

#[test]
fn a_bomb_ends_at_the_limit() {
    // A GiB: blocks that were made apart may stand behind each other.
    let payload = [bomb(1 << 20), TAIL.to_vec()].concat().repeat(1 << 10);
    let mut inflater = Inflater::new();
    for limit in [0, 1, 63, 64, 65_535, 65_536, 1 << 20] {
        let mut out = b"kept".to_vec();
        let err = inflater
            .inflate(&payload, &mut out, limit, None)
            .unwrap_err();
        assert_eq!(err, ProtocolError::MessageTooLong { limit });
        assert_eq!(err.close_code(), CloseCode::TOO_BIG);
        assert_eq!(out, b"kept");
        assert!(out.capacity() <= 4 + limit + 1, "{limit}");
    }
    let payload = &payload[..(payload.len() >> 9) - TAIL.len()];
    let mut out = Vec::new();
    inflater.inflate(payload, &mut out, 1 << 21, None).unwrap();
    assert_eq!(out.len(), 1 << 21);
    assert!(out.iter().all(|byte| *byte == 0));
}

#[test]
fn a_message_of_exactly_the_limit_passes() {
    let mut random = Random(5);
    for length in [1, 63, 64, 65, 1000, 4096, 32_768, 65_536, 100_000] {
        let message = [feed(&mut random, length - 1), vec![b'x']].concat();
        let mut payload = Vec::new();
        if !Deflater::new(15, 6).deflate(&message, &mut payload, None) {
            // A block that is stored.
            payload = [&[0][..], &(length as u16).to_le_bytes()].concat();
            payload.extend_from_slice(&(!(length as u16)).to_le_bytes());
            payload.extend_from_slice(&message);
            payload.push(0);
        }
        let mut out = Vec::new();
        let mut inflater = Inflater::new();
        inflater.inflate(&payload, &mut out, length, None).unwrap();
        assert_eq!(out, message);
        out.clear();
        let limit = length - 1;
        assert_eq!(
            inflater.inflate(&payload, &mut out, limit, None),
            Err(ProtocolError::MessageTooLong { limit })
        );
        assert!(out.is_empty());
    }
}

#[test]
fn what_is_no_deflate_is_refused() {
    let rows: [(&str, &[u8]); 17] = [
        ("a kind of block that does not exist", b"\x07\x00"),
        ("text", b"this is not compressed"),
        (
            "a stored block with lengths that differ",
            b"\x00\x05\x00\xfa\xfeHello\x00",
        ),
        ("a stored block that is cut", b"\x00\x05\x00\xfa\xffHel"),
        ("a stored block that is cut before its length", b"\x00\x05"),
        (
            "a stored block that takes the tail for its own",
            b"\x00\x04\x00\xfb\xff",
        ),
        ("a fixed block that is cut", b"\xf2\x48\xcd\xc9"),
        ("a fixed block without its end", b"\xf2\x48\xcd\xc9\xc9\x07"),
        (
            "a tail that was not taken off",
            b"\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff",
        ),
        ("a distance before the beginning", b"\xf2\x00\x11\x00\x00"),
        ("a symbol of a length that does not exist", b"\x1b\x03"),
        (
            "a dynamic block with too many codes",
            b"\xfc\xff\xff\xff\xff",
        ),
        ("a dynamic block that is cut", b"\x04\xc0\x81"),
        (
            "zlib around it",
            b"\x78\x9c\xf3\x48\xcd\xc9\xc9\x07\x00\x05\x8c\x01\xf5",
        ),
        (
            "gzip around it",
            b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xf3\x48\xcd\xc9\xc9\x07\x00",
        ),
        (
            "rubbish behind a final block",
            b"\xf3\x48\xcd\xc9\xc9\x07\x00rubbish",
        ),
        ("ones", &[0xff; 40]),
    ];
    let mut inflater = Inflater::new();
    for (what, payload) in rows {
        let mut out = Vec::new();
        assert_eq!(
            inflater.inflate(payload, &mut out, 100_000, None),
            Err(ProtocolError::BadDeflate),
            "{what}"
        );
        assert!(out.is_empty());
        // The same machine serves the next connection.
        inflater
            .inflate(b"\xf2\x48\xcd\xc9\xc9\x07\x00", &mut out, 5, None)
            .unwrap();
        assert_eq!(out, b"Hello");
    }
}

#[test]
fn every_cut_and_every_wrong_bit_does_no_harm() {
    let message = feed(&mut Random(9), 600);
    let mut payload = Vec::new();
    assert!(Deflater::new(15, 6).deflate(&message, &mut payload, None));
    let mut inflater = Inflater::new();
    for cut in 1..payload.len() {
        let mut out = Vec::new();
        let read = inflater.inflate(&payload[..cut], &mut out, 1 << 20, None);
        assert_eq!(read, Err(ProtocolError::BadDeflate), "{cut}");
    }
    for at in 0..payload.len() * 8 {
        let mut wrong = payload.clone();
        wrong[at / 8] ^= 1 << (at % 8);
        let mut out = Vec::new();
        match inflater.inflate(&wrong, &mut out, 600, None) {
            Ok(()) => assert!(out.len() <= 600),
            Err(_) => assert!(out.is_empty()),
        }
        inflater.inflate(&payload, &mut out, 1200, None).unwrap();
        assert!(out.ends_with(&message));
    }
}

#[test]
fn an_error_leaves_the_history_as_it_was() {
    let (mut inflater, mut history) = (Inflater::new(), History::new(9));
    let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    let again = b"\xf2\x00\x11\x00\x00";
    let mut out = Vec::new();
    inflater
        .inflate(hello, &mut out, 5, Some(&mut history))
        .unwrap();
    for (limit, payload) in [(4, &again[..]), (5, b"\xf2\x00\x11\x07\xff")] {
        inflater
            .inflate(payload, &mut out, limit, Some(&mut history))
            .unwrap_err();
        assert_eq!(history.pieces().concat(), b"Hello");
        assert_eq!(out, b"Hello");
    }
    out.clear();
    inflater
        .inflate(again, &mut out, 5, Some(&mut history))
        .unwrap();
    assert_eq!(out, b"Hello");
}

#[test]
fn final_blocks_stand_inside_of_messages() {
    // "Hello" in a final block, and an empty block behind it (RFC 7692 section 7.2.3.4).
    let hello = b"\xf3\x48\xcd\xc9\xc9\x07\x00";
    // The same once more, with a reference to four bytes that stand five bytes back.
    let again = b"\xf3\x00\x11\x00";
    let rows: [(&str, Vec<u8>, &[u8]); 6] = [
        (
            "with the byte behind",
            [&hello[..], b"\0"].concat(),
            b"Hello",
        ),
        ("without the byte behind", hello.to_vec(), b"Hello"),
        ("two", [&hello[..], hello, b"\0"].concat(), b"HelloHello"),
        (
            "one that refers to the other",
            [&hello[..], again, b"\0"].concat(),
            b"HelloHello",
        ),
        (
            "a stored one without bytes, its tail taken off",
            b"\x01".to_vec(),
            b"",
        ),
        (
            "one, and another that is not final",
            [&hello[..], b"\xf2\x48\xcd\xc9\xc9\x07\x00"].concat(),
            b"HelloHello",
        ),
    ];
    for (what, payload, message) in rows {
        let (mut inflater, mut history) = (Inflater::new(), History::new(15));
        let mut out = Vec::new();
        assert_eq!(
            inflater.inflate(&payload, &mut out, 100, None),
            Ok(()),
            "{what}"
        );
        assert_eq!(out, message, "{what}");
        for _ in 0..3 {
            out.clear();
            inflater
                .inflate(&payload, &mut out, 100, Some(&mut history))
                .unwrap();
            assert_eq!(out, message, "{what}, with a context");
            // What follows refers to what stands before the final block.
            if !message.is_empty() {
                out.clear();
                inflater
                    .inflate(
                        &[&again[..], b"\0"].concat(),
                        &mut out,
                        100,
                        Some(&mut history),
                    )
                    .unwrap();
                assert_eq!(out, b"Hello", "behind {what}");
            }
        }
    }
}

#[test]
fn final_blocks_are_not_counted_by_the_thousand() {
    // Behind each, the window is loaded anew: two bytes for 32 KiB of copying.
    let mut payload = bomb(100_000);
    payload.extend_from_slice(&TAIL);
    let end = payload.len();
    payload.extend([0x03, 0x00].repeat(8));
    let mut inflater = Inflater::new();
    let mut history = History::new(15);
    let mut out = Vec::new();
    inflater
        .inflate(&payload, &mut out, 100_000, Some(&mut history))
        .unwrap();
    payload.extend([0x03, 0x00].repeat(1000));
    for history in [None, Some(&mut history)] {
        let read = inflater.inflate(&payload[..end + 100], &mut out, 1 << 20, history);
        assert_eq!(read, Err(ProtocolError::BadDeflate));
    }
}

#[test]
fn an_empty_payload_is_an_empty_message() {
    let (mut inflater, mut history) = (Inflater::new(), History::new(15));
    let mut out = Vec::new();
    for payload in [
        &b""[..],
        b"\0",
        b"",
        b"\x02\0",
        b"\xf2\x48\xcd\xc9\xc9\x07\0",
    ] {
        inflater
            .inflate(payload, &mut out, 5, Some(&mut history))
            .unwrap();
        inflater.inflate(payload, &mut Vec::new(), 5, None).unwrap();
    }
    assert_eq!(out, b"Hello");
}

#[test]
fn a_peer_that_refers_farther_than_was_agreed_is_refused() {
    let mut random = Random(11);
    let noise = random.bytes(600);
    let (mut deflater, mut sent) = (Deflater::new(15, 6), History::new(15));
    let first = [&noise[..], &feed(&mut random, 600)].concat();
    let (mut payloads, mut out) = ([Vec::new(), Vec::new()], Vec::new());
    assert!(deflater.deflate(&first, &mut payloads[0], Some(&mut sent)));
    assert!(deflater.deflate(&noise, &mut payloads[1], Some(&mut sent)));
    let mut inflater = Inflater::new();
    for (bits, read) in [
        (15, Ok(())),
        (11, Ok(())),
        (9, Err(ProtocolError::BadDeflate)),
    ] {
        let mut history = History::new(bits);
        inflater
            .inflate(&payloads[0], &mut out, 2000, Some(&mut history))
            .unwrap();
        // Another connection is served between the two.
        inflater.inflate(b"\0", &mut out, 2000, None).unwrap();
        let second = inflater.inflate(&payloads[1], &mut out, 2000, Some(&mut history));
        assert_eq!(second, read, "{bits}");
    }
}

#[test]
fn what_ends_within_a_block_is_bad_whoever_was_served_in_between() {
    // A block of fixed codes that has no end.
    let open = [0x2a, 0x65, 0x58, 0xc2, 0x05];
    for others in [false, true] {
        for context in [false, true] {
            let mut inflater = Inflater::new();
            let mut history = context.then(|| History::new(15));
            for _ in 0..2 {
                let read = inflater.inflate(&open, &mut Vec::new(), 1_000, history.as_mut());
                assert_eq!(read, Err(ProtocolError::BadDeflate), "{others} {context}");
                if others {
                    let _ = inflater.inflate(&[0x00], &mut Vec::new(), 1_000, None);
                }
            }
        }
    }
}
