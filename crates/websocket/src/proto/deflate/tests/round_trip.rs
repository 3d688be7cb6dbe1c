//! Messages that go through.

use super::{Random, feed};
use crate::proto::ProtocolError;
use crate::proto::deflate::{Deflater, History, Inflater};

fn inflated(payload: &[u8], limit: usize) -> Result<Vec<u8>, ProtocolError> {
    let mut out = Vec::new();
    Inflater::new()
        .inflate(payload, &mut out, limit, None)
        .map(|()| out)
}

#[test]
fn the_examples_of_the_rfc() {
    // RFC 7692 sections 7.2.3.1, 7.2.3.3, 7.2.3.4, 7.2.3.5 and 7.2.3.6.
    let rows: [(&[u8], &[u8]); 5] = [
        (b"\xf2\x48\xcd\xc9\xc9\x07\x00", b"Hello"),
        (b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", b"Hello"),
        (b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", b"Hello"),
        (
            b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00",
            b"Hello",
        ),
        (b"\x00", b""),
    ];
    for (payload, message) in rows {
        assert_eq!(inflated(payload, 5).as_deref(), Ok(message), "{payload:x?}");
    }
}

#[test]
fn the_second_hello_refers_to_the_first() {
    // RFC 7692 section 7.2.3.2.
    let (mut inflater, mut history) = (Inflater::new(), History::new(15));
    let payloads: [&[u8]; 3] = [
        b"\xf2\x48\xcd\xc9\xc9\x07\x00",
        b"\xf2\x00\x11\x00\x00",
        b"\xf2\x00\x11\x00\x00",
    ];
    for payload in payloads {
        let mut out = Vec::new();
        inflater
            .inflate(payload, &mut out, 5, Some(&mut history))
            .unwrap();
        assert_eq!(out, b"Hello");
    }
    assert_eq!(
        inflated(payloads[1], 5),
        Err(ProtocolError::BadDeflate),
        "without a context there is nothing to refer to"
    );
}

/// Messages of many sizes, each a little different from the others.
fn messages(seed: u32) -> Vec<Vec<u8>> {
    let mut random = Random(seed);
    [3, 40, 100, 700, 2000, 70_000, 1, 300, 33_000, 90]
        .map(|length| feed(&mut random, length))
        .to_vec()
}

#[test]
fn every_window_and_level_without_a_context() {
    let mut inflater = Inflater::new();
    for (bits, level) in (8..=15).flat_map(|bits| (1..=9).map(move |level| (bits, level))) {
        let mut deflater = Deflater::new(bits, level);
        for message in messages(u32::from(bits)) {
            let mut payload = b"before".to_vec();
            if !deflater.deflate(&message, &mut payload, None) {
                assert!(message.len() < 50, "{bits} {level}");
                assert_eq!(payload, b"before");
                continue;
            }
            assert!(payload.len() - 6 < message.len());
            let mut out = b"kept".to_vec();
            inflater
                .inflate(&payload[6..], &mut out, message.len(), None)
                .unwrap();
            assert!(out == [b"kept", &message[..]].concat(), "{bits} {level}");
        }
    }
}

#[test]
fn contexts_of_many_connections_go_through_the_same_machines() {
    for bits in 9..=15 {
        let (mut deflater, mut inflater) = (Deflater::new(bits, 6), Inflater::new());
        let mut connections: Vec<_> = (0..3)
            .map(|seed| (messages(seed), History::new(bits), History::new(bits)))
            .collect();
        for at in 0..connections[0].0.len() {
            for (messages, sent, received) in &mut connections {
                // Twice in a row, so that the window of the deflater is found loaded, too.
                for _ in 0..2 {
                    let (mut payload, mut out) = (Vec::new(), Vec::new());
                    if deflater.deflate(&messages[at], &mut payload, Some(sent)) {
                        inflater
                            .inflate(&payload, &mut out, 100_000, Some(received))
                            .unwrap();
                        assert!(out == messages[at], "{bits} {at}");
                    }
                    assert_eq!(sent.pieces().concat(), received.pieces().concat());
                }
            }
        }
    }
}

#[test]
fn what_does_not_shrink_is_not_compressed() {
    let noise = Random(7).bytes(100_000);
    for (level, bits) in [(1, 15), (6, 15), (9, 9)] {
        let mut deflater = Deflater::new(bits, level);
        let mut history = History::new(bits);
        for message in [&noise[..], &noise[..1000], &noise[..50], b""] {
            let mut out = Vec::new();
            assert!(!deflater.deflate(message, &mut out, None));
            assert!(!deflater.deflate(message, &mut out, Some(&mut history)));
            assert!(out.is_empty());
            assert_eq!(history.allocated_bytes(), 0, "it is not remembered");
        }
    }
}

#[test]
fn a_short_text_is_remembered_for_the_next_one() {
    for level in 1..=9 {
        let mut deflater = Deflater::new(9, level);
        let (mut sent, mut received) = (History::new(9), History::new(9));
        let text = br#"{"id":1,"price":"17.20"}"#;
        let mut lengths = Vec::new();
        for _ in 0..2 {
            let (mut payload, mut out) = (Vec::new(), Vec::new());
            assert!(!deflater.deflate(text, &mut payload, None));
            assert!(deflater.deflate(text, &mut payload, Some(&mut sent)));
            let mut inflater = Inflater::new();
            inflater
                .inflate(&payload, &mut out, 100, Some(&mut received))
                .unwrap();
            assert_eq!(out, text);
            lengths.push(payload.len());
        }
        assert!(
            lengths[0] <= text.len() + 2 && lengths[1] < 8,
            "{lengths:?}"
        );
    }
}
