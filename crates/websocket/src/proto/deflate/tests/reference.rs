//! A second inflater, which is slow and simple, and which tells how far back a stream refers.

use super::{Random, feed};
use crate::proto::deflate::{Deflater, History, TAIL};

/// The bits of a payload, from the least significant of each byte on (RFC 1951 section 3.1.1).
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn take(&mut self, count: usize) -> usize {
        (0..count).fold(0, |value, place| {
            let bit = usize::from(self.bytes[self.at / 8] >> (self.at % 8)) & 1;
            self.at += 1;
            value | bit << place
        })
    }

    /// Reads one symbol: the codes of a length are consecutive, and begin behind those that are shorter (RFC 1951
    /// section 3.2.2).
    fn symbol(&mut self, codes: &Codes) -> usize {
        let (mut code, mut first) = (0, 0);
        for symbols in &codes.0 {
            code = code << 1 | self.take(1);
            first <<= 1;
            if let Some(symbol) = symbols.get(code - first) {
                return *symbol;
            }
            first += symbols.len();
        }
        panic!("a code that means nothing");
    }

    /// The lengths of the codes in a dynamic block (RFC 1951 section 3.2.7).
    fn codes(&mut self) -> (Codes, Codes) {
        const ORDER: [usize; 19] = [
            16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
        ];
        let (literals, distances) = (self.take(5) + 257, self.take(5) + 1);
        let count = self.take(4) + 4;
        let mut meta = [0; 19];
        for place in &ORDER[..count] {
            meta[*place] = self.take(3);
        }
        let meta = Codes::new(&meta);
        let mut lengths = Vec::new();
        while lengths.len() < literals + distances {
            let (length, times) = match self.symbol(&meta) {
                16 => (*lengths.last().expect("a length"), 3 + self.take(2)),
                17 => (0, 3 + self.take(3)),
                18 => (0, 11 + self.take(7)),
                length => (length, 1),
            };
            lengths.extend(std::iter::repeat_n(length, times));
        }
        let distances = lengths.split_off(literals);
        (Codes::new(&lengths), Codes::new(&distances))
    }
}

/// The symbols whose codes have one bit, two bits, and so on.
struct Codes([Vec<usize>; 15]);

impl Codes {
    fn new(lengths: &[usize]) -> Self {
        Self(std::array::from_fn(|at| {
            let symbols = 0..lengths.len();
            symbols
                .filter(|symbol| lengths[*symbol] == at + 1)
                .collect()
        }))
    }
}

/// The base and the extra bits of the lengths from 257 on, and of the distances (RFC 1951 section 3.2.5).
fn length_of(bits: &mut Bits<'_>, symbol: usize) -> usize {
    match symbol {
        257..=264 => symbol - 254,
        285 => 258,
        265..=284 => {
            let extra = (symbol - 261) / 4;
            3 + ((4 + (symbol - 261) % 4) << extra) + bits.take(extra)
        }
        _ => panic!("{symbol} is no length"),
    }
}

fn distance_of(bits: &mut Bits<'_>, symbol: usize) -> usize {
    match symbol {
        0..=3 => symbol + 1,
        4..=29 => {
            let extra = symbol / 2 - 1;
            1 + ((2 + symbol % 2) << extra) + bits.take(extra)
        }
        _ => panic!("{symbol} is no distance"),
    }
}

/// Inflates a payload behind what was sent before, and returns the message and the farthest distance in it.
fn inflate(payload: &[u8], before: &[u8]) -> (Vec<u8>, usize) {
    let bytes = [payload, &TAIL].concat();
    let mut bits = Bits {
        bytes: &bytes,
        at: 0,
    };
    let (mut out, mut farthest) = (before.to_vec(), 0);
    while bits.at < bytes.len() * 8 {
        bits.take(1);
        let (literals, distances) = match bits.take(2) {
            0 => {
                bits.at = bits.at.next_multiple_of(8);
                let length = bits.take(16);
                assert_eq!(bits.take(16), length ^ 0xffff);
                let at = bits.at / 8;
                out.extend_from_slice(&bytes[at..at + length]);
                bits.at += 8 * length;
                continue;
            }
            1 => {
                let length = |symbol| match symbol {
                    144..=255 => 9,
                    256..=279 => 7,
                    _ => 8,
                };
                let literals: Vec<_> = (0..288).map(length).collect();
                (Codes::new(&literals), Codes::new(&[5; 30]))
            }
            2 => bits.codes(),
            _ => panic!("a kind of block that does not exist"),
        };
        loop {
            match bits.symbol(&literals) {
                256 => break,
                byte @ 0..256 => out.push(byte as u8),
                symbol => {
                    let length = length_of(&mut bits, symbol);
                    let symbol = bits.symbol(&distances);
                    let distance = distance_of(&mut bits, symbol);
                    farthest = farthest.max(distance);
                    for _ in 0..length {
                        out.push(out[out.len() - distance]);
                    }
                }
            }
        }
    }
    (out.split_off(before.len()), farthest)
}

#[test]
fn no_reference_leaves_the_window() {
    // Distances of all sizes: what is repeated stands ever farther behind.
    let mut random = Random(3);
    let noise = random.bytes(300);
    let mut far = Vec::new();
    for gap in (0..9000).step_by(450) {
        far.extend_from_slice(&noise);
        far.extend_from_slice(&random.bytes(gap / 9));
        far.extend_from_slice(&feed(&mut random, gap / 9));
        far.extend_from_slice(&noise[gap % 290..]);
    }
    for (bits, level) in (8..=15).flat_map(|bits| (1..=9).map(move |level| (bits, level))) {
        let mut deflater = Deflater::new(bits, level);
        let mut history = History::new(bits);
        let mut before = Vec::new();
        let mut farthest = 0;
        for message in [&far[..], &far[..700], &far[300..], &noise, &far[100..5000]] {
            let mut payload = Vec::new();
            if deflater.deflate(message, &mut payload, Some(&mut history)) {
                let (inflated, distance) = inflate(&payload, &before);
                assert!(inflated == message, "{bits} {level}");
                farthest = farthest.max(distance);
                before.extend_from_slice(message);
            }
        }
        assert!(farthest <= 1 << bits, "{bits} {level}: {farthest}");
        assert!(
            farthest > 1 << (bits - 2),
            "{bits} {level}: {farthest} is no proof"
        );
    }
}
