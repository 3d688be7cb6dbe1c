//! Where the standards of WebSockets leave a choice, or others are lenient: what this server does, on purpose.
//!
//! `docs/websocket-choices.md` has a line for each of these, which a test holds to the table.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use squall_ioloop::{IoLoop, ThreadPoolExecutor};
use squall_server::HttpServer;
use squall_web::Application;
use squall_websocket::proto::deflate::DeflateOptions;
use squall_websocket::{Message, Result, WebSocket, WebSocketHandler, WebSocketOptions};

/// What becomes of a handshake, or of a connection.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// The server sends this, and the connection stays open.
    Answered(&'static [u8]),
    /// The server sends a close frame with this payload, and ends.
    Closed(&'static [u8]),
    /// The WebSocket opens, and nothing was agreed on.
    Opened,
    /// The handshake is answered with this status.
    Refused(u16),
}
use Fate::{Answered, Closed, Opened, Refused};

const TOO_BIG: Fate = Closed(b"\x03\xf1");
const INVALID: Fate = Closed(b"\x03\xef");
const WRONG: Fate = Closed(b"\x03\xea");

struct Choice {
    what: &'static str,
    fate: Fate,
    why: &'static str,
    cases: &'static [Case],
}

/// What is changed in [`HEAD`], and what is sent once the WebSocket is open; masks are zeros.
enum Case {
    Head(&'static str, &'static str),
    Frames(&'static [u8]),
    /// With compression.
    Deflated(&'static [u8]),
}
use Case::{Deflated, Frames, Head};

/// A handshake, with `⏎` for CRLF.
const HEAD: &str = "GET / HTTP/1.1⏎Host: a⏎Upgrade: websocket⏎Connection: Upgrade⏎\
                    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==⏎Sec-WebSocket-Version: 13⏎⏎";

const CHOICES: &[Choice] = &[
    Choice {
        what: "a request that does not ask for `websocket`",
        fate: Refused(426),
        why: "RFC 9110 §15.5.22: the answer names what would be spoken, which a person with a browser can read",
        cases: &[
            Head("Upgrade: websocket⏎", ""),
            Head("Upgrade: websocket", "Upgrade: h2c"),
        ],
    },
    Choice {
        what: "`websocket` among other protocols in `Upgrade`",
        fate: Opened,
        why: "RFC 9110 §7.8: the field is a list, and the server chooses",
        cases: &[Head("Upgrade: websocket", "Upgrade: h2c, WebSocket")],
    },
    Choice {
        what: "`Connection` without `upgrade`",
        fate: Refused(400),
        why: "RFC 6455 §4.2.1 demands it: a proxy may have handed on what was not meant for us",
        cases: &[
            Head("Connection: Upgrade⏎", ""),
            Head("Connection: Upgrade", "Connection: keep-alive"),
        ],
    },
    Choice {
        what: "another version than 13, a list of them, or none",
        fate: Refused(426),
        why: "RFC 6455 §4.4: with the version that is spoken, in which a client may try again",
        cases: &[
            Head("Version: 13", "Version: 8"),
            Head("Version: 13", "Version: 13, 8"),
            Head("Sec-WebSocket-Version: 13⏎", ""),
        ],
    },
    Choice {
        what: "a key that is not sixteen bytes in base64, or none",
        fate: Refused(400),
        why: "RFC 6455 §4.2.1 demands it, and whoever sends another one is no WebSocket client",
        cases: &[
            Head("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZQ=="),
            Head("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ"),
            Head("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==⏎", ""),
        ],
    },
    Choice {
        what: "a key, a version or an origin that comes twice",
        fate: Refused(400),
        why: "RFC 6455 §11.3: once only; two readers may take two different ones",
        cases: &[
            Head("Version: 13⏎", "Version: 13⏎Sec-WebSocket-Version: 13⏎"),
            Head(
                "Host: a⏎",
                "Host: a⏎Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==⏎",
            ),
            Head(
                "Host: a⏎",
                "Host: a⏎Origin: http://a⏎Origin: http://b⏎",
            ),
        ],
    },
    Choice {
        what: "HTTP/1.0",
        fate: Refused(400),
        why: "RFC 9110 §7.8: it has no upgrades",
        cases: &[Head("HTTP/1.1", "HTTP/1.0")],
    },
    Choice {
        what: "a method other than GET",
        fate: Refused(405),
        why: "RFC 6455 §4.1 knows GET alone",
        cases: &[Head("GET /", "POST /"), Head("GET /", "HEAD /")],
    },
    Choice {
        what: "a body",
        fate: Refused(400),
        why: "no RFC gives it a meaning, and what one reader takes for a body the next takes for frames",
        cases: &[Head("Host: a⏎", "Host: a⏎Content-Length: 2⏎")],
    },
    Choice {
        what: "`Content-Length: 0`",
        fate: Opened,
        why: "it is no body, and some clients send it with everything",
        cases: &[Head("Host: a⏎", "Host: a⏎Content-Length: 0⏎")],
    },
    Choice {
        what: "no `Origin`",
        fate: Opened,
        why: "RFC 6455 §10.2: no browser sends such a request, and others may claim what they like",
        cases: &[Head("", "")],
    },
    Choice {
        what: "an `Origin` with the host and the port of `Host`, whatever its scheme",
        fate: Opened,
        why: "RFC 6455 §10.2: a proxy in front of the server may be the one who speaks TLS",
        cases: &[
            Head("Host: a⏎", "Host: a⏎Origin: http://a⏎"),
            Head("Host: a⏎", "Host: a⏎Origin: https://A⏎"),
            Head("Host: a⏎", "Host: a:81⏎Origin: https://a:81⏎"),
        ],
    },
    Choice {
        what: "another `Origin`, `null` among them, that the options do not name",
        fate: Refused(403),
        why: "RFC 6455 §10.2 lets all in; but a browser sends its cookies along for any page, so any page could read what only the user may",
        cases: &[
            Head("Host: a⏎", "Host: a⏎Origin: http://b⏎"),
            Head("Host: a⏎", "Host: a⏎Origin: http://a:81⏎"),
            Head("Host: a⏎", "Host: a⏎Origin: null⏎"),
        ],
    },
    Choice {
        what: "subprotocols that nobody speaks here",
        fate: Opened,
        why: "RFC 6455 §4.2.2 lets a server do without; the client closes if it cannot",
        cases: &[Head(
            "Host: a⏎",
            "Host: a⏎Sec-WebSocket-Protocol: x, y⏎",
        )],
    },
    Choice {
        what: "a subprotocol that is no token",
        fate: Refused(400),
        why: "RFC 6455 §4.1: it could not be named in the answer",
        cases: &[Head("Host: a⏎", "Host: a⏎Sec-WebSocket-Protocol: a b⏎")],
    },
    Choice {
        what: "extensions that nobody knows, and offers of compression with parameters that are unknown, wrong or repeated",
        fate: Opened,
        why: "RFC 6455 §9.1 and RFC 7692 §7.1: they are declined, and the connection does without",
        cases: &[
            Head(
                "Host: a⏎",
                "Host: a⏎Sec-WebSocket-Extensions: foo; bar=1⏎",
            ),
            Head(
                "Host: a⏎",
                "Host: a⏎Sec-WebSocket-Extensions: permessage-deflate; foo⏎",
            ),
            Head(
                "Host: a⏎",
                "Host: a⏎Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=16⏎",
            ),
        ],
    },
    Choice {
        what: "frames that come with the request, before the answer",
        fate: Answered(b"\x81\x02hi"),
        why: "RFC 6455 §4.1 has clients wait for the answer; nothing is lost for those that do not",
        cases: &[Head("13⏎⏎", "13⏎⏎\u{81}\u{82}\0\0\0\0hi")],
    },
    Choice {
        what: "an empty message, and empty parts of one",
        fate: Answered(b"\x81\x00"),
        why: "RFC 6455 §5.4 allows both",
        cases: &[
            Frames(b"\x81\x80\0\0\0\0"),
            Frames(b"\x01\x80\0\0\0\0\x00\x80\0\0\0\0\x80\x80\0\0\0\0"),
        ],
    },
    Choice {
        what: "a pong that nobody has asked for",
        fate: Answered(b""),
        why: "RFC 6455 §5.5.3: a sign of life",
        cases: &[Frames(b"\x8a\x82\0\0\0\0hi")],
    },
    Choice {
        what: "a ping between the parts of a message",
        fate: Answered(b"\x8a\x01?\x81\x02ab"),
        why: "RFC 6455 §5.4 and §5.5.2: answered before the message is whole",
        cases: &[Frames(b"\x01\x81\0\0\0\0a\x89\x81\0\0\0\0?\x80\x81\0\0\0\0b")],
    },
    Choice {
        what: "a frame without a mask",
        fate: WRONG,
        why: "RFC 6455 §5.1 demands it",
        cases: &[Frames(b"\x81\x02hi"), Frames(b"\x89\x00")],
    },
    Choice {
        what: "a reserved opcode or bit, a control frame in parts or of more than 125 bytes, parts out of order",
        fate: WRONG,
        why: "RFC 6455 §5.2, §5.4 and §5.5 demand it",
        cases: &[
            Frames(b"\x83\x80\0\0\0\0"),
            Frames(b"\xc1\x80\0\0\0\0"),
            Frames(b"\x09\x80\0\0\0\0"),
            Frames(b"\x89\xfe\x00\x7e\0\0\0\0"),
            Frames(b"\x80\x80\0\0\0\0"),
            Frames(b"\x01\x80\0\0\0\0\x81\x80\0\0\0\0"),
        ],
    },
    Choice {
        what: "a length in more bytes than it needs, or with its highest bit set",
        fate: WRONG,
        why: "RFC 6455 §5.2 forbids both to senders; many receivers do not look, and two readers may differ",
        cases: &[
            Frames(b"\x82\xfe\x00\x02\0\0\0\0hi"),
            Frames(b"\x82\xff\0\0\0\0\0\0\0\x02\0\0\0\0hi"),
            Frames(b"\x82\xff\x80\0\0\0\0\0\0\x02\0\0\0\0hi"),
        ],
    },
    Choice {
        what: "a frame or a message over the limit, or one in too many parts",
        fate: TOO_BIG,
        why: "RFC 6455 §7.4.1; told as soon as a length says it, before the bytes come. For too many parts no code is meant, and this one is nearest",
        cases: &[
            Frames(b"\x82\xfe\x00\xc9\0\0\0\0"),
            Frames(b"\x02\xfe\x00\xc8\0\0\0\0\
                xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
                xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
                \x80\xfe\x00\xc8\0\0\0\0"),
            Frames(b"\x02\x80\0\0\0\0\0\x80\0\0\0\0\0\x80\0\0\0\0\0\x80\0\0\0\0\0\x80\0\0\0\0"),
        ],
    },
    Choice {
        what: "text that is not UTF-8, even when more of it is to come",
        fate: INVALID,
        why: "RFC 6455 §8.1; told with the first part that cannot become text any more",
        cases: &[
            Frames(b"\x81\x82\0\0\0\0a\xff"),
            Frames(b"\x01\x82\0\0\0\0a\xff"),
            Frames(b"\x01\x81\0\0\0\0\xc3\x80\x81\0\0\0\0a"),
        ],
    },
    Choice {
        what: "a close frame with a code that is registered, or between 3000 and 4999",
        fate: Closed(b"\x03\xf6"),
        why: "RFC 6455 §7.4.2 and the registry: answered with the same code; 1012 to 1014 came after the RFC",
        cases: &[Frames(b"\x88\x82\0\0\0\0\x03\xf6")],
    },
    Choice {
        what: "a close frame with another code, or half of one",
        fate: WRONG,
        why: "RFC 6455 §7.4: 1004 to 1006 and 1015 are never sent, 1016 to 2999 wait for a standard",
        cases: &[
            Frames(b"\x88\x81\0\0\0\0\x03"),
            Frames(b"\x88\x82\0\0\0\0\x03\xed"),
            Frames(b"\x88\x82\0\0\0\0\x07\xd0"),
            Frames(b"\x88\x82\0\0\0\0\x13\x88"),
        ],
    },
    Choice {
        what: "a close frame whose reason is not UTF-8",
        fate: INVALID,
        why: "RFC 6455 §5.5.1 and §8.1",
        cases: &[Frames(b"\x88\x83\0\0\0\0\x03\xe8\xff")],
    },
    Choice {
        what: "a close frame without a code",
        fate: Closed(b""),
        why: "RFC 6455 §5.5.1: the answer has none either",
        cases: &[Frames(b"\x88\x80\0\0\0\0")],
    },
    Choice {
        what: "anything behind a close frame, or a close frame in the middle of a message",
        fate: Closed(b"\x03\xe8"),
        why: "RFC 6455 §1.4 and §5.5.1: passed over, whatever it is; half of a message is lost",
        cases: &[
            Frames(b"\x88\x82\0\0\0\0\x03\xe8\x81\x81\0\0\0\0a"),
            Frames(b"\x88\x82\0\0\0\0\x03\xe8\xff\xff"),
            Frames(b"\x01\x81\0\0\0\0a\x88\x82\0\0\0\0\x03\xe8"),
        ],
    },
    Choice {
        what: "a message that is not compressed where it might be",
        fate: Answered(b"\x81\x02hi"),
        why: "RFC 7692 §6: each message is its sender's choice; short ones are sent as they are from here, too",
        cases: &[Deflated(b"\x81\x82\0\0\0\0hi")],
    },
    Choice {
        what: "compressed data that does not inflate",
        fate: INVALID,
        why: "RFC 7692 names no code; the data is not what its type says (RFC 6455 §7.4.1)",
        cases: &[Deflated(b"\xc1\x82\0\0\0\0\xff\xff")],
    },
    Choice {
        what: "a message that inflates to more than the limit",
        fate: TOO_BIG,
        why: "RFC 7692 §8 and RFC 6455 §7.4.1: inflated no further than the limit",
        cases: &[Deflated(b"\xc2\x85\0\0\0\0\x62\x18\x05\x00\x00")],
    },
    Choice {
        what: "the bit for compression on a continuation or a control frame",
        fate: WRONG,
        why: "RFC 7692 §6.1 demands it",
        cases: &[
            Deflated(b"\x41\x80\0\0\0\0\xc0\x80\0\0\0\0"),
            Deflated(b"\xc9\x80\0\0\0\0"),
        ],
    },
];

struct Echo;

impl WebSocketHandler for Echo {
    async fn message(&mut self, ws: &WebSocket, message: Message<'_>) -> Result {
        ws.send(message)?;
        Ok(())
    }
}

fn application() -> Application {
    let options = WebSocketOptions {
        max_frame: 200,
        max_message: 256,
        max_fragments: 4,
        compression: Some(DeflateOptions::default()),
        ..WebSocketOptions::default()
    };
    Application::new().websocket_with("/", options, |_| Echo)
}

/// The answer's head, and the bytes behind it until `end` or the end of the stream.
fn exchange(addr: SocketAddr, bytes: &[u8], end: &[u8]) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(addr).expect("the server listens");
    let limit = Some(Duration::from_secs(10));
    stream.set_read_timeout(limit).expect("a socket");
    stream.write_all(bytes).expect("the server reads");
    let mut seen = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let head = seen.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(head) = head {
            let (head, rest) = seen.split_at(head + 4);
            let done = !end.is_empty() && rest.ends_with(end) || !head.starts_with(b"HTTP/1.1 101");
            if done {
                return (String::from_utf8_lossy(head).into_owned(), rest.to_vec());
            }
        }
        match stream.read(&mut buffer) {
            Ok(count @ 1..) => seen.extend_from_slice(&buffer[..count]),
            // What came after the server had gone resets the connection.
            Ok(0) | Err(_) => {
                let head = head.map_or(seen.len(), |head| head + 4);
                let rest = seen.split_off(head);
                return (String::from_utf8_lossy(&seen).into_owned(), rest);
            }
        }
    }
}

fn check(addr: SocketAddr, choice: &Choice, case: &Case) {
    let (from, to, frames) = match case {
        Head(from, to) => (*from, *to, &b""[..]),
        Frames(frames) => ("", "", *frames),
        Deflated(frames) => (
            "Host: a⏎",
            "Host: a⏎Sec-WebSocket-Extensions: permessage-deflate⏎",
            *frames,
        ),
    };
    let head = if from.is_empty() {
        HEAD.to_owned()
    } else {
        assert!(HEAD.contains(from), "{from}");
        HEAD.replace(from, to)
    };
    let byte = |letter: char| u8::try_from(letter).expect("a letter of Latin-1");
    let mut bytes: Vec<u8> = head.replace('⏎', "\r\n").chars().map(byte).collect();
    bytes.extend_from_slice(frames);
    // Behind what leaves the connection open comes a ping, and its pong is the last thing.
    let pong: &[u8] = match choice.fate {
        Opened | Answered(_) => {
            bytes.extend_from_slice(b"\x89\x83\0\0\0\0end");
            b"\x8a\x03end"
        }
        _ => b"",
    };
    let (head, rest) = exchange(addr, &bytes, pong);
    let said = format!(
        "{}: {:?} got {head:?} and `{}`",
        choice.what,
        bytes.escape_ascii().to_string(),
        rest.escape_ascii()
    );
    let status = head.split(' ').nth(1).unwrap_or_default();
    match choice.fate {
        Refused(code) => assert_eq!(status, code.to_string(), "{said}"),
        _ => assert_eq!(status, "101", "{said}"),
    }
    match choice.fate {
        Refused(_) => assert!(!head.contains("sec-websocket-accept"), "{said}"),
        Opened => {
            assert!(!head.contains("sec-websocket-protocol"), "{said}");
            assert!(!head.contains("sec-websocket-extensions"), "{said}");
            assert_eq!(rest, pong, "{said}");
        }
        Answered(frames) => assert_eq!(rest, [frames, pong].concat(), "{said}"),
        Closed(payload) => {
            // A code that says what was wrong may have a reason behind it.
            let frame = rest.get(2..).unwrap_or_default();
            let exact = payload.is_empty() || payload[1] == 0xe8;
            assert!(
                rest.starts_with(b"\x88") && frame.starts_with(payload),
                "{said}"
            );
            assert!(!exact || frame == payload, "{said}");
            assert_eq!(usize::from(rest[1]), frame.len(), "nothing else: {said}");
        }
    }
}

#[test]
fn every_choice_is_kept() {
    let run = IoLoop::run_sync(async {
        let server = HttpServer::new(application).listen("127.0.0.1:0")?;
        let serving = server.serve()?;
        let addr = serving.local_addr();
        let pool = ThreadPoolExecutor::new(1);
        let talk = pool.submit(move || {
            for choice in CHOICES {
                assert!(!choice.cases.is_empty(), "{}", choice.what);
                for case in choice.cases {
                    check(addr, choice, case);
                }
            }
        });
        talk.await?;
        Ok::<_, Box<dyn std::error::Error>>(())
    });
    run.expect("all are");
}

/// The table of the page, as it follows from this one.
fn page_rows() -> Vec<String> {
    let rows = CHOICES.iter().map(|choice| {
        let fate = match choice.fate {
            Answered(b"") => "nothing".to_owned(),
            Answered(_) => "answered".to_owned(),
            Closed(b"") => "close without a code".to_owned(),
            Closed(payload) => match u16::from_be_bytes([payload[0], payload[1]]) {
                1000 | 1014 => "close with the same code".to_owned(),
                code => format!("close {code}"),
            },
            Opened => "opened".to_owned(),
            Refused(code) => code.to_string(),
        };
        format!("| {} | {fate} | {} |", choice.what, choice.why)
    });
    rows.collect()
}

#[test]
fn the_page_about_choices_is_up_to_date() {
    let page = include_str!("../../../../docs/websocket-choices.md");
    let found: Vec<&str> = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| what comes"))
        .collect();
    let wanted = page_rows();
    assert_eq!(found, wanted, "the table should be:\n{}", wanted.join("\n"));
}
