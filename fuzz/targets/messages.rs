//! Compressed messages: whatever comes in frames is inflated up to a limit or refused, the same way however it arrives; and
//! what came out comes out again when it is deflated anew, whoever else uses the inflater meanwhile.

#![no_main]

use libfuzzer_sys::fuzz_target;
use squall_fuzz::Input;
use squall_fuzz::frames::{Seen, Setup, bytes, drive};
use squall_websocket::proto::ProtocolError;
use squall_websocket::proto::deflate::{Deflater, History, Inflater};

/// Bytes of the longest message.
const LIMIT: usize = 64 * 1024;

fuzz_target!(|data: &[u8]| {
    let input = Input::new(data);
    let setup = Setup {
        compressed: true,
        ..Setup::new(&input)
    };
    let bytes = bytes(&input);
    // With the context of the messages before, or without.
    let bits = 9 + (input.control[0] >> 1) % 7;
    let history = || (input.control[1] & 8 != 0).then(|| History::new(bits));

    let whole = inflate(&drive(setup, &[&bytes]).seen, history(), &[]);
    let (first, second) = bytes.split_at(input.cut().min(bytes.len()));
    // It makes no difference who came between.
    let cut = inflate(&drive(setup, &[first, second]).seen, history(), &bytes);
    assert_eq!(cut, whole);

    let (messages, _) = whole;
    let mut deflater = Deflater::new(bits, u32::from(input.control[0] >> 4));
    let mut inflater = Inflater::new();
    let (mut sent, mut received) = (history(), history());
    for (number, message) in messages.iter().enumerate() {
        let mut payload = Vec::new();
        if deflater.deflate(message, &mut payload, sent.as_mut()) {
            let mut out = Vec::new();
            let done = inflater.inflate(&payload, &mut out, LIMIT, received.as_mut());
            assert_eq!(done, Ok(()));
            assert_eq!(&out, message);
        } else {
            assert!(payload.is_empty());
        }
        if number % 2 == 1 {
            interfere(&mut inflater, &bytes);
        }
    }
});

/// Inflates the compressed messages, and `noise` between them.
fn inflate(
    seen: &[Seen],
    mut history: Option<History>,
    noise: &[u8],
) -> (Vec<Vec<u8>>, Option<ProtocolError>) {
    let mut inflater = Inflater::new();
    let mut messages = Vec::new();
    for it in seen {
        let Seen::Deflated(_, payload) = it else {
            continue;
        };
        interfere(&mut inflater, noise);
        let mut out = b"before".to_vec();
        match inflater.inflate(payload, &mut out, LIMIT, history.as_mut()) {
            Ok(()) => {
                assert!(out.starts_with(b"before") && out.len() <= LIMIT + 6);
                messages.push(out.split_off(6));
            }
            Err(err) => {
                assert_eq!(out, b"before", "an error leaves the buffer as it was");
                return (messages, Some(err));
            }
        }
    }
    (messages, None)
}

/// What another connection has received. Whether that is good or bad is its own affair.
fn interfere(inflater: &mut Inflater, bytes: &[u8]) {
    let _ = inflater.inflate(bytes, &mut Vec::new(), LIMIT, None);
}
