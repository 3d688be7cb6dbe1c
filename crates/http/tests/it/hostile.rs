//! Input made by a machine without mercy: nothing panics, nothing gets past a second opinion.

use http::{HeaderMap, Method};
use squall_http::h1::{Event, Limits, RequestDecoder, RequestHead, ResponseHead};

use crate::drive::{response_decoder, run, text, wire};
use crate::vectors;

/// A small generator of numbers (xorshift64*), the same ones every time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() >> 33).expect("31 bits") % bound.max(1)
    }
}

/// Bytes that mean something somewhere.
const SPICE: &[u8] = b"\r\n\0 \t:;,/*?#@%[]0123456789abcdefABCDEF+-_\"\x0b\x7f\x80\xa0\xff";

/// Strings that mean something somewhere.
const PHRASES: [&str; 14] = [
    "⏎",
    "⏎⏎",
    "⏎ ",
    "\n",
    "\r",
    "Content-Length: 5⏎",
    "Transfer-Encoding: chunked⏎",
    "Host: a⏎",
    "Connection: close⏎",
    " HTTP/1.1⏎",
    "HTTP/1.0",
    "0⏎⏎",
    "5;x=y⏎hello⏎",
    "Expect: 100-continue⏎",
];

/// Changes `seed` in up to five places.
fn mutate(numbers: &mut Numbers, seed: &[u8]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..=numbers.below(5) {
        let at = numbers.below(bytes.len() + 1);
        match numbers.below(6) {
            0 if at < bytes.len() => {
                bytes.remove(at);
            }
            1 if at < bytes.len() => bytes[at] = SPICE[numbers.below(SPICE.len())],
            2 => bytes.insert(at, SPICE[numbers.below(SPICE.len())]),
            3 => {
                let phrase = wire(PHRASES[numbers.below(PHRASES.len())]);
                bytes.splice(at..at, phrase);
            }
            4 => bytes.truncate(at),
            _ => {
                let copy = bytes[at..(at + numbers.below(30)).min(bytes.len())].to_vec();
                bytes.splice(at..at, copy);
            }
        }
    }
    bytes
}

#[test]
fn mutations_never_panic_and_never_depend_on_the_cuts() {
    let mut numbers = Numbers(0x5eed_0001);
    let seeds: Vec<_> = vectors::all().map(wire).collect();
    let methods = [Method::GET, Method::HEAD, Method::CONNECT, Method::POST];
    for _ in 0..20_000 {
        let seed = &seeds[numbers.below(seeds.len())];
        let input = mutate(&mut numbers, seed);
        let cut = numbers.below(input.len() + 1);
        let (left, right) = input.split_at(cut);
        let bytes: Vec<_> = input.chunks(1).collect();

        let decoder = || RequestDecoder::new(Limits::default());
        let whole = run(decoder(), &[&input]);
        assert_eq!(run(decoder(), &[left, right]), whole, "{}", text(&input));
        assert_eq!(run(decoder(), &bytes), whole, "{}", text(&input));
        for message in &whole.messages {
            check_request_head(&message.head);
        }

        let decoder = || response_decoder(&methods, Limits::default());
        let whole = run(decoder(), &[&input]);
        assert_eq!(run(decoder(), &[left, right]), whole, "{}", text(&input));
        assert_eq!(run(decoder(), &bytes), whole, "{}", text(&input));
    }
}

/// What holds for every request that gets through.
fn check_request_head(head: &RequestHead) {
    assert!(head.headers().get_all("host").iter().count() <= 1);
    assert!(head.headers().get_all("content-length").iter().count() <= 1);
    let coded = head.headers().contains_key("transfer-encoding");
    assert!(!coded || !head.headers().contains_key("content-length"));
    assert!(
        !coded
            || head.headers()["transfer-encoding"]
                .as_bytes()
                .eq_ignore_ascii_case(b"chunked")
    );
    for value in head.headers().values() {
        assert!(!value.as_bytes().iter().any(|byte| b"\r\n\0".contains(byte)));
    }
}

fn decode_request(input: &[u8]) -> Option<(usize, RequestHead)> {
    match RequestDecoder::new(Limits::default()).decode(input) {
        Ok((used, Some(Event::Head(head)))) => Some((used, head)),
        _ => None,
    }
}

fn decode_response(input: &[u8]) -> Option<(usize, ResponseHead)> {
    match response_decoder(&[Method::GET], Limits::default()).decode(input) {
        Ok((used, Some(Event::Head(head)))) => Some((used, head)),
        _ => None,
    }
}

#[test]
fn every_request_head_that_gets_through_is_one_for_httparse_too() {
    let mut numbers = Numbers(0x5eed_0002);
    let seeds: Vec<_> = vectors::all().map(wire).collect();
    let mut accepted = 0;
    for _ in 0..50_000 {
        let seed = &seeds[numbers.below(seeds.len())];
        let input = mutate(&mut numbers, seed);
        let Some((used, head)) = decode_request(&input) else {
            continue;
        };
        accepted += 1;
        let mut fields = [httparse::EMPTY_HEADER; 128];
        let mut oracle = httparse::Request::new(&mut fields);
        let parsed = oracle.parse(&input);
        assert_eq!(
            parsed,
            Ok(httparse::Status::Complete(used)),
            "{}",
            text(&input)
        );
        assert_eq!(oracle.method, Some(head.method().as_str()));
        // Both forms of an absolute target without a path mean the same.
        let target = oracle.path.expect("a target").trim_end_matches('/');
        assert!(
            head.uri()
                .to_string()
                .trim_end_matches('/')
                .eq_ignore_ascii_case(target)
                || target.contains('?')
        );
        compare_fields(oracle.headers, head.headers(), &input);
    }
    assert!(accepted > 3_000, "only {accepted} heads were compared");
}

#[test]
fn every_response_head_that_gets_through_is_one_for_httparse_too() {
    let mut numbers = Numbers(0x5eed_0003);
    let seeds = [
        "HTTP/1.1 200 OK⏎Content-Length: 5⏎A: b⏎⏎hello",
        "HTTP/1.0 404 Not Found⏎Connection: keep-alive⏎Content-Length: 0⏎⏎",
        "HTTP/1.1 200 OK⏎Transfer-Encoding: chunked⏎⏎0⏎⏎",
        "HTTP/1.1 101 Switching Protocols⏎Upgrade: x⏎Connection: upgrade⏎⏎",
    ]
    .map(wire);
    let mut accepted = 0;
    for _ in 0..50_000 {
        let seed = &seeds[numbers.below(seeds.len())];
        let input = mutate(&mut numbers, seed);
        let Some((used, head)) = decode_response(&input) else {
            continue;
        };
        accepted += 1;
        let mut fields = [httparse::EMPTY_HEADER; 128];
        let mut oracle = httparse::Response::new(&mut fields);
        let parsed = oracle.parse(&input);
        assert_eq!(
            parsed,
            Ok(httparse::Status::Complete(used)),
            "{}",
            text(&input)
        );
        assert_eq!(oracle.code, Some(head.status.as_u16()));
        compare_fields(oracle.headers, &head.headers, &input);
    }
    assert!(accepted > 3_000, "only {accepted} heads were compared");
}

fn compare_fields(oracle: &[httparse::Header<'_>], headers: &HeaderMap, input: &[u8]) {
    assert_eq!(oracle.len(), headers.len(), "{}", text(input));
    let mut expected = HeaderMap::new();
    for field in oracle {
        let name: http::HeaderName = field.name.parse().expect("a name");
        let value = field.value.trim_ascii();
        expected.append(name, http::HeaderValue::from_bytes(value).expect("a value"));
    }
    for (name, value) in headers {
        let same = expected.get_all(name).iter().any(|other| other == value);
        assert!(same, "{name}: {value:?} in {}", text(input));
    }
}

#[test]
fn any_single_byte_anywhere_is_survived() {
    let seeds = [
        "POST /x HTTP/1.1⏎Host: a⏎Transfer-Encoding: chunked⏎⏎5;a⏎hello⏎0⏎T: u⏎⏎",
        "POST /x HTTP/1.1⏎Host: a⏎Content-Length: 5⏎⏎helloGET / HTTP/1.0⏎⏎",
    ];
    for seed in seeds.map(wire) {
        for at in 0..seed.len() {
            for byte in 0..=u8::MAX {
                let mut input = seed.clone();
                input[at] = byte;
                let whole = run(RequestDecoder::new(Limits::default()), &[&input]);
                let (left, right) = input.split_at(at);
                let cut = run(RequestDecoder::new(Limits::default()), &[left, right]);
                assert_eq!(whole, cut, "{}", text(&input));
            }
        }
    }
}

#[test]
fn a_head_of_many_fields_is_taken_whole() {
    let mut input = b"GET / HTTP/1.1\r\nHost: a\r\n".to_vec();
    for number in 0..99 {
        input.extend_from_slice(format!("x-{number}: {}\r\n", "v".repeat(600)).as_bytes());
    }
    input.extend_from_slice(b"\r\n");
    let bytes: Vec<_> = input.chunks(1).collect();
    let got = run(RequestDecoder::new(Limits::default()), &bytes);
    assert_eq!(got.messages[0].head.headers().len(), 100);
}
