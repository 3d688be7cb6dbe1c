//! Runs the attacks in `tests/corpus`: whatever way the bytes arrive, the same comes out, and memory grows with them alone.
//!
//! | key | meaning |
//! |---|---|
//! | `end` | `client` or `server`: only that end reads the bytes, and they are as they are; else both do, and a server gets them masked |
//! | `deflate` | `agreed`: compression was |
//! | `limits` | bytes of a frame and of a message, and frames of a message; else 1 MiB, 1 MiB and 4,096 |
//! | `saw` | one thing that came out: `text`, `binary`, `deflated`, `ping`, `pong` and their payload, or `close` with code and reason; `2 * ping` for the same one twice |
//! | `close` | the code of the error that it ends in |
//! | `then` | how it ends otherwise: `idle` between two messages, `waits` in the middle of one, `closed` by a close frame |

use std::fmt::Write as _;
use std::path::Path;

use squall_corpus::{Row, unescape};
use squall_websocket::proto::{Limits, OpCode, Role, mask, write_frame};

use super::drive::{CLIENT, SERVER, Seen, Setup, Transcript};

/// Rows that there are at least, so that a folder that is not found cannot pass.
const LEAST: usize = 200;

/// Longest input that is cut at each of its bytes; longer ones are cut at as many places.
const CUTS: usize = 400;

const MASK: [u8; 4] = [0x9a, 0x00, 0xff, 0x51];

#[test]
fn every_attack_comes_out_as_its_row_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let rows = squall_corpus::read(&folder).expect("the corpus is well written");
    assert!(rows.len() >= LEAST, "{} rows", rows.len());
    let mut failures = String::new();
    for row in &rows {
        let attack = Attack::new(row).unwrap_or_else(|err| panic!("{}: {err}", row.place));
        for setup in &attack.setups {
            if let Err(err) = attack.run(setup) {
                let (place, name, role) = (&row.place, &row.name, setup.role);
                writeln!(failures, "{place} {name:?}, {role:?}: {err}").expect("memory is there");
            }
        }
    }
    assert!(failures.is_empty(), "\n{failures}");
}

struct Attack<'a> {
    row: &'a Row,
    /// The ends that read it.
    setups: Vec<Setup>,
    /// Whether the bytes are what one end gets, mask included.
    raw: bool,
    saw: Vec<Told>,
    ending: String,
}

/// Something that came out so many times.
type Told = (usize, Vec<u8>);

impl<'a> Attack<'a> {
    fn new(row: &'a Row) -> Result<Self, String> {
        let end = row.one("end");
        let mut setups = match end {
            None => vec![CLIENT, SERVER],
            Some("client") => vec![CLIENT],
            Some("server") => vec![SERVER],
            Some(other) => return Err(format!("expected `client` or `server`, found `{other}`")),
        };
        let mut saw = Vec::new();
        let mut ending = None;
        for (key, value) in &row.fields {
            match (&key[..], &value[..]) {
                ("end", _) => {}
                ("deflate", "agreed") => setups.iter_mut().for_each(|it| *it = it.compressed()),
                ("limits", value) => {
                    let limits = limits(value)?;
                    setups.iter_mut().for_each(|it| *it = it.limits(limits));
                }
                ("saw", value) => saw.push(told(value)?),
                ("close", _) | ("then", "idle" | "waits" | "closed") if ending.is_none() => {
                    ending = Some(value.clone());
                }
                _ => return Err(format!("unexpected `{key}: {value}`")),
            }
        }
        Ok(Self {
            row,
            setups,
            raw: end.is_some(),
            saw,
            ending: ending.ok_or("expected a line `close:` or `then:`")?,
        })
    }

    /// Runs it at one end: at once, in two pieces, byte by byte, and behind a good message.
    fn run(&self, setup: &Setup) -> Result<(), String> {
        let server = setup.role == Role::Server;
        let bytes = match server && !self.raw {
            true => masked(&self.row.bytes),
            false => self.row.bytes.clone(),
        };
        self.judge("at once", &setup.pieces([&bytes[..]]), &self.saw)?;
        let step = bytes.len().div_ceil(CUTS).max(1);
        for cut in (0..=bytes.len()).step_by(step) {
            let (first, second) = bytes.split_at(cut);
            let transcript = setup.pieces([first, second]);
            self.judge(&format!("cut at {cut}"), &transcript, &self.saw)?;
        }
        self.judge("byte by byte", &setup.pieces(bytes.chunks(1)), &self.saw)?;
        let mut input = Vec::new();
        let mask = server.then_some(MASK);
        write_frame(&mut input, OpCode::Text, true, false, b"first", mask);
        input.extend_from_slice(&bytes);
        let saw = [&[(1, b"text first".to_vec())], &self.saw[..]].concat();
        self.judge("behind a message", &setup.pieces([&input[..]]), &saw)
    }

    fn judge(&self, way: &str, transcript: &Transcript, saw: &[Told]) -> Result<(), String> {
        let ending = match transcript.error {
            Some(err) => err.close_code().to_string(),
            None if matches!(transcript.seen.last(), Some(Seen::Close(_))) => "closed".to_owned(),
            None if transcript.idle => "idle".to_owned(),
            None => "waits".to_owned(),
        };
        if ending != self.ending {
            let expected = &self.ending;
            return Err(format!("{way}: expected {expected}, found {ending}"));
        }
        let seen = tell(&transcript.seen);
        if seen != saw {
            let text = |told: &[Told]| {
                told.iter()
                    .map(|(count, it)| format!("{count} * {}", it.escape_ascii()))
                    .collect::<Vec<_>>()
            };
            return Err(format!(
                "{way}: expected {:?}, found {:?}",
                text(saw),
                text(&seen)
            ));
        }
        Ok(())
    }
}

fn limits(value: &str) -> Result<Limits, String> {
    let numbers: Vec<usize> = value.split(' ').flat_map(str::parse).collect();
    let [max_frame, max_message, max_fragments] = numbers[..] else {
        return Err(format!("expected three numbers, found `{value}`"));
    };
    Ok(Limits {
        max_frame,
        max_message,
        max_fragments,
    })
}

/// Reads a `saw:` line.
fn told(value: &str) -> Result<Told, String> {
    match value.split_once(" * ") {
        Some((count, rest)) if let Ok(count) = count.parse() => Ok((count, unescape(rest)?)),
        _ => Ok((1, unescape(value)?)),
    }
}

/// Writes what came out as `saw:` lines do.
fn tell(seen: &[Seen]) -> Vec<Told> {
    let mut told: Vec<Told> = Vec::new();
    for it in seen {
        let (word, payload) = match it {
            Seen::Binary(payload) => ("binary", payload.clone()),
            Seen::Close(None) => ("close", Vec::new()),
            Seen::Close(Some(frame)) => {
                let text = format!("{} {}", frame.code, frame.reason);
                ("close", text.trim_end_matches(' ').into())
            }
            Seen::Deflated(_, payload) => ("deflated", payload.clone()),
            Seen::Ping(payload) => ("ping", payload.clone()),
            Seen::Pong(payload) => ("pong", payload.clone()),
            Seen::Text(text) => ("text", text.clone().into()),
        };
        let mut line = word.as_bytes().to_vec();
        if !payload.is_empty() {
            line.push(b' ');
            line.extend(payload);
        }
        match told.last_mut() {
            Some((count, last)) if *last == line => *count += 1,
            _ => told.push((1, line)),
        }
    }
    told
}

/// Masks the frames that `bytes` consist of, whatever else is wrong with them.
fn masked(mut bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    while let [first, second, rest @ ..] = bytes {
        out.extend([*first, second | 0x80]);
        let size = match second & 0x7f {
            126 => 2,
            127 => 8,
            _ => 0,
        };
        let Some((length, rest)) = rest.split_at_checked(size) else {
            out.extend_from_slice(rest);
            return out;
        };
        out.extend_from_slice(length);
        out.extend(MASK);
        let announced = match size {
            0 => u64::from(second & 0x7f),
            _ => length
                .iter()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
        };
        let count = usize::try_from(announced).map_or(rest.len(), |it| it.min(rest.len()));
        mask::append(&mut out, &rest[..count], MASK);
        bytes = &rest[count..];
    }
    out.extend_from_slice(bytes);
    out
}
