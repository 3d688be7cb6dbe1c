//! Requests with mistakes made by chance: whatever comes, each connection ends, and no answer is one too many.

use http::Method;
use squall_http::h1::{Eof, Event, Limits, ResponseDecoder};
use squall_ioloop::moment;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::wire::Wire;
use crate::{echo, on_paused_loop};

const CASES: u64 = 2000;

/// What comes after each mutated request; it is answered once or not at all.
const NEXT: &str = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n";

const GOOD: [&str; 6] = [
    "GET /a HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n",
    "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello world",
    "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nX: y\r\n\r\n",
    "POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
    "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close, x\r\n\r\n",
];

const SPICES: [&str; 24] = [
    "\r\n",
    "\n",
    "\r",
    " ",
    "\t",
    ":",
    ",",
    ";",
    "0",
    "-1",
    "+5",
    "0x5",
    "\0",
    "\u{b}",
    "chunked",
    "Transfer-Encoding: chunked\r\n",
    "Content-Length: 5\r\n",
    "Content-Length: 11, 11\r\n",
    "Transfer-Encoding : chunked\r\n",
    "Connection: close\r\n",
    "HTTP/1.0",
    "\r\n\r\n",
    "0\r\n\r\n",
    "ffffffffffffffff",
];

/// Numbers that look random and are the same in each run (SplitMix64).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % sides as u64) as usize
    }

    fn mutate(&mut self, request: &mut Vec<u8>) {
        let at = self.roll(request.len());
        let end = (at + 1 + self.roll(12)).min(request.len());
        match self.roll(5) {
            0 => request[at] = self.roll(256) as u8,
            1 => request[at] ^= 1 << self.roll(8),
            2 => drop(request.splice(at..at, SPICES[self.roll(SPICES.len())].bytes())),
            3 => drop(request.drain(at..end)),
            _ => {
                let again = request[at..end].to_vec();
                request.splice(at..at, again);
            }
        }
        if request.is_empty() {
            request.push(b'x');
        }
    }
}

/// Reads all answers and returns their bodies; fails on what no client could make sense of.
fn answers(bytes: &[u8]) -> Result<Vec<String>, String> {
    let mut decoder = ResponseDecoder::new(Limits::default());
    // More than there can be requests.
    (0..10).for_each(|_| decoder.expect(&Method::GET));
    let mut bodies = Vec::new();
    let mut rest = bytes;
    let mut body = Vec::new();
    loop {
        let (used, event) = decoder.decode(rest).map_err(|err| err.to_string())?;
        rest = &rest[used..];
        match event {
            Some(Event::Head(_)) => body.clear(),
            Some(Event::Data(piece)) => body.extend_from_slice(piece),
            Some(Event::End(_)) => bodies.push(String::from_utf8_lossy(&body).into_owned()),
            None if rest.is_empty() => break,
            None => return Err(format!("{} bytes after the last answer", rest.len())),
        }
    }
    match decoder.finish() {
        Ok(Eof::Clean) => Ok(bodies),
        other => Err(format!("{other:?}")),
    }
}

#[test]
fn whatever_is_sent_the_connection_ends_and_no_answer_is_too_many() {
    for case in 0..CASES {
        on_paused_loop(async move {
            let mut dice = Dice(case);
            let mut sent = GOOD[dice.roll(GOOD.len())].as_bytes().to_vec();
            for _ in 0..=dice.roll(3) {
                dice.mutate(&mut sent);
            }
            sent.extend_from_slice(NEXT.as_bytes());
            let (mut wire, served) = Wire::serving(echo);
            let (first, second) = sent.split_at(dice.roll(sent.len()));
            // Fails when the server has heard enough.
            let _ = wire.stream.write_all(first).await;
            moment().await;
            let _ = wire.stream.write_all(second).await;
            if dice.roll(2) == 0 {
                wire.stream.shutdown().await?;
            }
            let mut bytes = Vec::new();
            wire.stream.read_to_end(&mut bytes).await?;
            let shown = || {
                (
                    sent.escape_ascii().to_string(),
                    bytes.escape_ascii().to_string(),
                )
            };
            let bodies = answers(&bytes).map_err(|err| format!("{case}: {err}: {:?}", shown()))?;
            // A mutation may split the request in two, and what is left over may be a bad third one.
            assert!(bodies.len() <= 4, "{case}: {:?}", shown());
            let next = bodies.iter().filter(|body| *body == "GET /next []");
            assert!(next.count() <= 1, "{case}: {:?}", shown());
            served.await?;
            Ok(())
        });
    }
}
