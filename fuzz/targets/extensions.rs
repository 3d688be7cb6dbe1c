//! Whatever stands in `Sec-WebSocket-Extensions`: both ends read it without a panic, a server answers what its client
//! understands, and nobody agrees to more than it wants.

#![no_main]

use http::HeaderValue;
use libfuzzer_sys::fuzz_target;
use squall_fuzz::Input;
use squall_websocket::proto::Role;
use squall_websocket::proto::deflate::{
    DeflateMode, DeflateOptions, DeflateParams, ExtensionError,
};

/// What the fields consist of, when they are not taken as they are.
const PARTS: [&str; 20] = [
    "permessage-deflate",
    ";",
    ",",
    "=",
    " ",
    "\"",
    "\\",
    "server_no_context_takeover",
    "client_no_context_takeover",
    "server_max_window_bits",
    "client_max_window_bits",
    "8",
    "9",
    "10",
    "15",
    "16",
    "0",
    "; server_max_window_bits=",
    "; client_max_window_bits",
    "x",
];

fuzz_target!(|data: &[u8]| {
    let input = Input::new(data);
    let [choice, form, ..] = input.control;
    let options = DeflateOptions {
        mode: match choice {
            0 => DeflateMode::Shared,
            bits => DeflateMode::Window(bits),
        },
        ..DeflateOptions::default()
    };
    let (first, second) = input.bytes.split_at(input.cut());
    let lines: Vec<HeaderValue> = [first, second]
        .into_iter()
        .filter_map(|line| line_of(line, form & 1 == 1))
        .collect();
    match options.accept(&lines) {
        Ok(Some((params, response))) => {
            check(&options, Role::Server, &params);
            // The answer is one: every end would read it, if it had asked for that.
            let answer = response.to_str().expect("ASCII");
            assert!(answer.starts_with("permessage-deflate"));
            let read = DeflateOptions {
                mode: DeflateMode::Window(15),
                ..options
            }
            .read_response([&response])
            .expect("an answer")
            .expect("one that agrees");
            assert!(
                read.client_max_window_bits >= params.client_max_window_bits
                    || params.client_no_context_takeover
            );
            assert_eq!(
                read.server_no_context_takeover,
                params.server_no_context_takeover
            );
            assert_eq!(
                read.client_no_context_takeover,
                params.client_no_context_takeover
            );
        }
        Ok(None) => {}
        Err(err) => assert_eq!(err, ExtensionError::Syntax),
    }
    if let Ok(Some(params)) = options.read_response(&lines) {
        check(&options, Role::Client, &params);
        // What a client reads as an answer is a list that a server reads, too.
        let server = DeflateOptions {
            mode: DeflateMode::Window(15),
            ..options
        };
        assert!(server.accept(&lines).expect("a list").is_some());
    }
});

/// A field line, made of the parts that its bytes choose, or of the bytes themselves.
fn line_of(bytes: &[u8], parts: bool) -> Option<HeaderValue> {
    if !parts {
        return HeaderValue::from_bytes(bytes).ok();
    }
    let text: String = bytes
        .iter()
        .map(|byte| PARTS[usize::from(*byte) % PARTS.len()])
        .collect();
    HeaderValue::try_from(text).ok()
}

/// Windows are in their range, and this end remembers no more than it wants to.
fn check(options: &DeflateOptions, role: Role, params: &DeflateParams) {
    for (end, own) in [(role, true), (other(role), false)] {
        let flow = params.sent_by(end);
        let flow = if own { flow.narrowed(options) } else { flow };
        assert!((8..=15).contains(&flow.window_bits));
        match options.mode {
            // A client takes a server that keeps its context, for Tornado's does so without a word.
            DeflateMode::Shared => {
                assert!(!flow.keeps_context || (role, own) == (Role::Client, false))
            }
            DeflateMode::Window(bits) => {
                assert!(!flow.keeps_context || flow.window_bits <= bits.clamp(9, 15));
            }
        }
    }
}

fn other(role: Role) -> Role {
    match role {
        Role::Client => Role::Server,
        Role::Server => Role::Client,
    }
}
