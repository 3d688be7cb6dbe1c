//! Whatever is inflated: it does not panic, keeps to its limit, leaves the machine fit for the next connection, and is
//! what another inflater makes of it. Whatever is deflated comes out as it went in.

#![no_main]

use std::cell::RefCell;

use libfuzzer_sys::fuzz_target;
use miniz_oxide::inflate::decompress_to_vec_with_limit;
use squall_fuzz::Input;
use squall_websocket::ProtocolError;
use squall_websocket::proto::deflate::{Deflater, History, Inflater};

/// More than any input becomes that is deflated here; what is inflated may become more.
const LIMIT: usize = 1 << 16;
/// What is not sent of a payload, and a final block behind it.
const END: [u8; 9] = [0, 0, 0xff, 0xff, 1, 0, 0, 0xff, 0xff];

thread_local! {
    /// The same machines for all inputs, as a loop has them.
    static MACHINES: RefCell<(Vec<Deflater>, Inflater)> = RefCell::new((
        (8..=15).flat_map(|bits| [1, 2, 6, 9].map(|level| Deflater::new(bits, level))).collect(),
        Inflater::new(),
    ));
}

fuzz_target!(|data: &[u8]| {
    let input = Input::new(data);
    let [choice, wrong, ..] = input.control;
    MACHINES.with_borrow_mut(|(deflaters, inflater)| {
        let deflater = usize::from(choice >> 1) % deflaters.len();
        let bits = 8 + (deflater / 4) as u8;
        let deflater = &mut deflaters[deflater];
        if choice & 1 == 0 {
            inflate(&input, &[input.bytes], inflater);
            return;
        }
        let payloads = round_trip(&input, deflater, inflater, bits);
        if let Some(mut payload) = payloads.into_iter().next().filter(|_| wrong > 0) {
            let at = input.cut() % payload.len();
            payload[at] ^= wrong;
            inflate(
                &input,
                &[&payload, &input.bytes[..at.min(input.bytes.len())]],
                inflater,
            );
        }
    });
});

/// Two connections in turn, with contexts, and once without: what goes in comes out.
fn round_trip(
    input: &Input<'_>,
    deflater: &mut Deflater,
    inflater: &mut Inflater,
    bits: u8,
) -> Vec<Vec<u8>> {
    let (first, second) = input.bytes.split_at(input.cut());
    let mut connections = [(); 2].map(|()| (History::new(bits), History::new(bits)));
    let mut payloads = Vec::new();
    let mut exchange = |message: &[u8], histories: Option<&mut (History, History)>| {
        let (sent, received) = match histories {
            Some((sent, received)) => (Some(sent), Some(received)),
            None => (None, None),
        };
        let (mut payload, mut out) = (b"kept".to_vec(), b"kept".to_vec());
        let most = message.len() + if sent.is_some() { 2 } else { 0 };
        if !deflater.deflate(message, &mut payload, sent) {
            assert_eq!(payload, b"kept");
            return;
        }
        let payload = payload.split_off(4);
        assert!(payload.len() <= most);
        inflater
            .inflate(&payload, &mut out, message.len(), received)
            .expect("it was deflated here");
        assert_eq!(&out[4..], message);
        payloads.push(payload);
    };
    for message in [first, second, first, input.bytes] {
        for connection in &mut connections {
            exchange(message, Some(connection));
        }
        exchange(message, None);
    }
    payloads
}

/// Takes payloads for what they are not.
fn inflate(input: &Input<'_>, payloads: &[&[u8]], inflater: &mut Inflater) {
    let limit = match input.control[2] & 1 {
        0 => LIMIT,
        _ => usize::from(input.control[3]),
    };
    let mut history = History::new(15);
    for payload in payloads {
        let mut out = b"kept".to_vec();
        let read = inflater.inflate(payload, &mut out, limit, None);
        let out = out.split_off(4);
        assert!(out.len() <= limit);
        match read {
            // What has to be a byte of zeros to be DEFLATE.
            Ok(()) if payload.is_empty() => assert!(out.is_empty()),
            Ok(()) => {
                // The other one stops at the first final block.
                let whole = [payload, &END[..]].concat();
                let other = decompress_to_vec_with_limit(&whole, limit).expect("DEFLATE");
                assert!(out.starts_with(&other));
            }
            Err(ProtocolError::BadDeflate) => assert!(out.is_empty()),
            Err(err) => {
                assert_eq!(err, ProtocolError::MessageTooLong { limit });
                assert!(out.is_empty());
            }
        }
        let mut again = Vec::new();
        let with_history = inflater.inflate(payload, &mut again, limit, Some(&mut history));
        if read.is_ok() {
            assert_eq!((with_history, again), (read, out));
        }
    }
    let mut out = Vec::new();
    inflater
        .inflate(b"\xf2\x48\xcd\xc9\xc9\x07\x00", &mut out, 5, None)
        .expect("Hello");
    assert_eq!(out, b"Hello");
}
