//! Offers, answers, and what is made of them.

use http::HeaderValue;

use crate::proto::Role;
use crate::proto::deflate::{
    DeflateMode, DeflateOptions, DeflateParams, ExtensionError, Flow, History,
};

const SHARED: DeflateMode = DeflateMode::Shared;
const WINDOW: fn(u8) -> DeflateMode = DeflateMode::Window;

fn options(mode: DeflateMode) -> DeflateOptions {
    DeflateOptions {
        mode,
        ..DeflateOptions::default()
    }
}

/// The lines of a field, written with bars between them.
fn lines(field: &str) -> Vec<HeaderValue> {
    field
        .split('|')
        .map(|line| HeaderValue::from_str(line).expect("a value"))
        .collect()
}

/// Parameters in short: whether the server, whether the client keeps its context, and the windows of both.
fn params(server: bool, client: bool, server_bits: u8, client_bits: u8) -> DeflateParams {
    DeflateParams {
        server_no_context_takeover: !server,
        client_no_context_takeover: !client,
        server_max_window_bits: server_bits,
        client_max_window_bits: client_bits,
    }
}

fn accepted(mode: DeflateMode, offers: &str) -> Option<(DeflateParams, String)> {
    let answer = options(mode)
        .accept(&lines(offers))
        .unwrap_or_else(|err| panic!("{offers}: {err}"));
    answer.map(|(params, response)| {
        let response = response.to_str().expect("ASCII").to_owned();
        (params, response)
    })
}

#[test]
fn a_server_answers_by_the_rules() {
    let none = "; server_no_context_takeover; client_no_context_takeover";
    let (server_none, client_none) = (
        "; server_no_context_takeover",
        "; client_no_context_takeover",
    );
    let rows = [
        // Without contexts, whatever is offered.
        (SHARED, "", none, params(false, false, 15, 15)),
        (
            SHARED,
            "; client_max_window_bits",
            none,
            params(false, false, 15, 15),
        ),
        (
            SHARED,
            "; client_max_window_bits=10",
            none,
            params(false, false, 15, 10),
        ),
        (SHARED, server_none, none, params(false, false, 15, 15)),
        (SHARED, client_none, none, params(false, false, 15, 15)),
        (
            SHARED,
            "; server_max_window_bits=9",
            "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=9",
            params(false, false, 9, 15),
        ),
        (
            SHARED,
            "; server_max_window_bits=8",
            "; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=8",
            params(false, false, 8, 15),
        ),
        // With the largest contexts.
        (WINDOW(15), "", "", params(true, true, 15, 15)),
        (
            WINDOW(15),
            server_none,
            server_none,
            params(false, true, 15, 15),
        ),
        (
            WINDOW(15),
            client_none,
            client_none,
            params(true, false, 15, 15),
        ),
        (WINDOW(15), none, none, params(false, false, 15, 15)),
        (
            WINDOW(15),
            "; client_max_window_bits",
            "",
            params(true, true, 15, 15),
        ),
        (
            WINDOW(15),
            "; client_max_window_bits=15",
            "",
            params(true, true, 15, 15),
        ),
        (
            WINDOW(15),
            "; client_max_window_bits=8",
            "; client_max_window_bits=8",
            params(true, true, 15, 8),
        ),
        (
            WINDOW(15),
            "; server_max_window_bits=15",
            "; server_max_window_bits=15",
            params(true, true, 15, 15),
        ),
        (
            WINDOW(15),
            "; server_max_window_bits=8",
            "; server_max_window_bits=8",
            params(true, true, 8, 15),
        ),
        // With small contexts: a client is held to them, or goes without one.
        (WINDOW(10), "", client_none, params(true, false, 10, 15)),
        (
            WINDOW(10),
            "; client_max_window_bits",
            "; client_max_window_bits=10",
            params(true, true, 10, 10),
        ),
        (
            WINDOW(10),
            "; client_max_window_bits=15",
            "; client_max_window_bits=10",
            params(true, true, 10, 10),
        ),
        (
            WINDOW(10),
            "; client_max_window_bits=9",
            "; client_max_window_bits=9",
            params(true, true, 10, 9),
        ),
        (
            WINDOW(10),
            "; client_max_window_bits; client_no_context_takeover",
            client_none,
            params(true, false, 10, 15),
        ),
        (
            WINDOW(10),
            "; server_max_window_bits=12; client_max_window_bits",
            "; server_max_window_bits=10; client_max_window_bits=10",
            params(true, true, 10, 10),
        ),
        (
            WINDOW(10),
            "; server_max_window_bits=9; client_max_window_bits",
            "; server_max_window_bits=9; client_max_window_bits=10",
            params(true, true, 9, 10),
        ),
        // What is out of range is the nearest that there is.
        (
            WINDOW(3),
            "; client_max_window_bits",
            "; client_max_window_bits=9",
            params(true, true, 9, 9),
        ),
        (WINDOW(99), "", "", params(true, true, 15, 15)),
    ];
    for (mode, offer, response, params) in rows {
        let response = format!("permessage-deflate{response}");
        assert_eq!(
            accepted(mode, &format!("permessage-deflate{offer}")),
            Some((params, response)),
            "{mode:?} {offer}"
        );
    }
}

#[test]
fn a_server_takes_the_first_offer_that_is_valid() {
    let rows = [
        (
            "permessage-deflate; x, permessage-deflate; server_max_window_bits=9",
            Some(9),
        ),
        (
            "permessage-deflate; x|permessage-deflate; server_max_window_bits=9",
            Some(9),
        ),
        ("x-webkit-deflate-frame, permessage-deflate", Some(15)),
        ("a; b=c; d=\"e\", f|g, permessage-deflate", Some(15)),
        (
            "permessage-deflate; server_max_window_bits=10, permessage-deflate",
            Some(10),
        ),
        (
            "permessage-deflate, permessage-deflate; server_max_window_bits=10",
            Some(15),
        ),
        (",, permessage-deflate ,", Some(15)),
        ("permessage-deflate;server_max_window_bits=10", Some(10)),
        (
            "permessage-deflate\t; \tserver_max_window_bits = 10 ",
            Some(10),
        ),
        (
            "permessage-deflate; server_max_window_bits=\"10\"",
            Some(10),
        ),
        (
            "permessage-deflate; server_max_window_bits=\"1\\0\"",
            Some(10),
        ),
        ("", None),
        ("|", None),
        ("permessage-bzip2", None),
        ("Permessage-Deflate", None),
        ("x-permessage-deflate", None),
    ];
    for (offers, bits) in rows {
        let params = accepted(WINDOW(15), offers).map(|(params, _)| params);
        assert_eq!(
            params.map(|params| params.server_max_window_bits),
            bits,
            "{offers}"
        );
    }
}

/// Parameters that neither an offer nor a response may have.
const INVALID: [&str; 27] = [
    "unknown",
    "unknown=1",
    "Server_No_Context_Takeover",
    "server_no_context_takeover=1",
    "server_no_context_takeover=\"true\"",
    "server_no_context_takeover; server_no_context_takeover",
    "client_no_context_takeover=0",
    "client_no_context_takeover; client_no_context_takeover",
    "server_max_window_bits",
    "server_max_window_bits=7",
    "server_max_window_bits=16",
    "server_max_window_bits=0",
    "server_max_window_bits=08",
    "server_max_window_bits=+9",
    "server_max_window_bits=-9",
    "server_max_window_bits=9a",
    "server_max_window_bits=a9",
    "server_max_window_bits=100",
    "server_max_window_bits=265",
    "server_max_window_bits=10; server_max_window_bits=10",
    "client_max_window_bits=7",
    "client_max_window_bits=16",
    "client_max_window_bits=010",
    "client_max_window_bits=\"x\"",
    "client_max_window_bits=10; client_max_window_bits=10",
    "client_max_window_bits; client_max_window_bits=10",
    "client_max_window_bits=99999999999999999999",
];

#[test]
fn a_server_declines_invalid_offers() {
    for invalid in INVALID {
        for mode in [SHARED, WINDOW(10)] {
            let offer = format!("permessage-deflate; {invalid}");
            assert_eq!(accepted(mode, &offer), None, "{offer}");
            let offers = format!("{offer}, permessage-deflate");
            assert!(accepted(mode, &offers).is_some(), "{offers}");
        }
    }
}

#[test]
fn a_malformed_field_is_refused_by_both() {
    let rows = [
        "permessage-deflate;",
        "permessage-deflate; ",
        "permessage-deflate;, b",
        "; server_no_context_takeover",
        "permessage-deflate server_no_context_takeover",
        "permessage-deflate; server_max_window_bits=",
        "permessage-deflate; server_max_window_bits=\"\"",
        "permessage-deflate; server_max_window_bits=\"10",
        "permessage-deflate; server_max_window_bits=\"10\\",
        "permessage-deflate; server_max_window_bits=\"10\\\"",
        "permessage-deflate; server_max_window_bits=\"1 0\"",
        "permessage-deflate; server_max_window_bits=\"10\"0",
        "permessage-deflate; server_max_window_bits=10=10",
        "permessage-deflate; =10",
        "permessage-deflate/b",
        "permessage-deflate|\"quoted\"",
        "permessage-deflate, (",
    ];
    for field in rows {
        let options = options(WINDOW(15));
        assert_eq!(
            options.accept(&lines(field)),
            Err(ExtensionError::Syntax),
            "{field}"
        );
        assert_eq!(
            options.read_response(&lines(field)),
            Err(ExtensionError::Syntax),
            "{field}"
        );
    }
    let bytes = HeaderValue::from_bytes(b"permessage-deflate; \xff").expect("a value");
    let answer = options(SHARED).accept([&bytes]);
    assert_eq!(answer, Err(ExtensionError::Syntax));
}

#[test]
fn a_client_offers_what_it_wants() {
    let rows = [
        (
            SHARED,
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; client_max_window_bits, \
             permessage-deflate; client_no_context_takeover; client_max_window_bits",
        ),
        (WINDOW(15), "permessage-deflate; client_max_window_bits"),
        (
            WINDOW(10),
            "permessage-deflate; server_max_window_bits=10; client_max_window_bits=10, \
             permessage-deflate; server_no_context_takeover; client_max_window_bits=10",
        ),
    ];
    for (mode, offer) in rows {
        assert_eq!(options(mode).offer(), offer, "{mode:?}");
    }
}

#[test]
fn a_client_takes_the_answers_that_its_offer_allows() {
    let none = "; server_no_context_takeover; client_no_context_takeover";
    let rows = [
        (SHARED, none, Ok(params(false, false, 15, 15))),
        // A server may ignore that the client does without.
        (
            SHARED,
            "; server_no_context_takeover",
            Ok(params(false, false, 15, 15)),
        ),
        // The second offer, which is what Tornado's server answers.
        (SHARED, "", Ok(params(true, false, 15, 15))),
        (
            SHARED,
            "; client_no_context_takeover",
            Ok(params(true, false, 15, 15)),
        ),
        (
            SHARED,
            "; server_max_window_bits=9",
            Ok(params(true, false, 9, 15)),
        ),
        (
            SHARED,
            "; server_no_context_takeover; server_max_window_bits=8; client_max_window_bits=9",
            Ok(params(false, false, 8, 9)),
        ),
        (WINDOW(15), "", Ok(params(true, true, 15, 15))),
        (WINDOW(15), none, Ok(params(false, false, 15, 15))),
        (
            WINDOW(15),
            "; server_max_window_bits=8",
            Ok(params(true, true, 8, 15)),
        ),
        (
            WINDOW(15),
            "; client_max_window_bits=8",
            Ok(params(true, true, 15, 8)),
        ),
        (
            WINDOW(15),
            "; client_max_window_bits=\"15\"",
            Ok(params(true, true, 15, 15)),
        ),
        (
            WINDOW(15),
            "; client_max_window_bits",
            Err(ExtensionError::Parameters),
        ),
        (WINDOW(10), "", Err(ExtensionError::Unmet)),
        (
            WINDOW(10),
            "; client_max_window_bits=10",
            Err(ExtensionError::Unmet),
        ),
        (
            WINDOW(10),
            "; server_max_window_bits=11",
            Err(ExtensionError::Unmet),
        ),
        (
            WINDOW(10),
            "; server_max_window_bits=10",
            Ok(params(true, true, 10, 10)),
        ),
        (
            WINDOW(10),
            "; server_max_window_bits=8",
            Ok(params(true, true, 8, 10)),
        ),
        (
            WINDOW(10),
            "; server_max_window_bits=9; client_max_window_bits=9",
            Ok(params(true, true, 9, 9)),
        ),
        (
            WINDOW(10),
            "; server_max_window_bits=9; client_max_window_bits=11",
            Err(ExtensionError::Unmet),
        ),
        // The second offer.
        (
            WINDOW(10),
            "; server_no_context_takeover",
            Ok(params(false, true, 15, 10)),
        ),
        (
            WINDOW(10),
            "; server_no_context_takeover; client_max_window_bits=11",
            Err(ExtensionError::Unmet),
        ),
    ];
    for (mode, response, read) in rows {
        let response = format!("permessage-deflate{response}");
        assert_eq!(
            options(mode).read_response(&lines(&response)),
            read.map(Some),
            "{mode:?} {response}"
        );
    }
}

#[test]
fn a_client_refuses_what_is_no_answer() {
    let rows = [
        ("x-webkit-deflate-frame", ExtensionError::Unasked),
        ("permessage-deflate, other", ExtensionError::Unasked),
        ("other|permessage-deflate", ExtensionError::Unasked),
        (
            "permessage-deflate, permessage-deflate",
            ExtensionError::Repeated,
        ),
        (
            "permessage-deflate|permessage-deflate",
            ExtensionError::Repeated,
        ),
    ];
    let client = options(WINDOW(15));
    for (response, err) in rows {
        assert_eq!(
            client.read_response(&lines(response)),
            Err(err),
            "{response}"
        );
    }
    for invalid in INVALID {
        let response = lines(&format!("permessage-deflate; {invalid}"));
        assert_eq!(
            client.read_response(&response),
            Err(ExtensionError::Parameters),
            "{invalid}"
        );
    }
    assert_eq!(client.read_response(&[]), Ok(None));
    assert_eq!(client.read_response(&lines("")), Ok(None));
}

#[test]
fn two_ends_agree_on_the_same() {
    let modes = || (9..=15).map(WINDOW).chain([SHARED]);
    for (client, server) in modes().flat_map(|client| modes().map(move |server| (client, server))) {
        let (client, server) = (options(client), options(server));
        let (told, response) = server
            .accept([&client.offer()])
            .expect("an offer of ours")
            .expect("an offer that can be accepted");
        let read = client
            .read_response([&response])
            .expect("a response of ours")
            .expect("one that agrees");
        assert_eq!(
            read.server_no_context_takeover,
            told.server_no_context_takeover
        );
        assert_eq!(
            read.client_no_context_takeover,
            told.client_no_context_takeover
        );
        // A server may keep a smaller window to itself.
        assert!(told.server_max_window_bits <= read.server_max_window_bits);
        assert!(read.client_max_window_bits <= told.client_max_window_bits);
        for (end, options, params) in [(Role::Client, client, read), (Role::Server, server, told)] {
            let other = match end {
                Role::Client => Role::Server,
                Role::Server => Role::Client,
            };
            let sent = params.sent_by(end).narrowed(&options);
            let received = params.sent_by(other);
            let most = options.mode.window();
            for flow in [sent, received] {
                assert!(!flow.keeps_context || most.is_some_and(|most| flow.window_bits <= most));
            }
        }
    }
}

#[test]
fn a_flow_has_a_history_if_it_keeps_its_context() {
    let flow = Flow {
        window_bits: 10,
        keeps_context: true,
    };
    let mut history = flow.history().expect("a context");
    assert_eq!(history.allocated_bytes(), 0);
    history.push(&[0; 5000]);
    assert_eq!(history.allocated_bytes(), 1024);
    let flow = Flow {
        keeps_context: false,
        ..flow
    };
    assert!(flow.history().is_none());
}

#[test]
fn a_history_is_the_last_bytes() {
    let bytes: Vec<u8> = (0..4000_u32).map(|at| ((at * at) >> 3) as u8).collect();
    for step in [1, 7, 100, 511, 512, 513, 1500] {
        let mut history = History::new(9);
        let mut sent = 0;
        for part in bytes.chunks(step) {
            history.push(part);
            sent += part.len();
            let kept = history.pieces().concat();
            assert_eq!(kept, bytes[sent.saturating_sub(512)..sent], "{step}");
        }
        assert_eq!(history.allocated_bytes(), 512);
    }
}
