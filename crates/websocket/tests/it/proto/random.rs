//! Thousands of made-up inputs, each cut in made-up places, against a decoder that is simple and slow.

use std::collections::BTreeSet;

use squall_websocket::proto::{Limits, MessageKind, OpCode, Role, write_frame};

use super::drive::{CLIENT, SERVER, Seen, Setup};
use super::reference::reference;

/// A generator of numbers, the same ones every time (xorshift).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// One of the numbers below `end`.
    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

fn setup(dice: &mut Dice) -> Setup {
    let mut setup = dice.pick(&[CLIENT, SERVER]);
    if dice.one_in(2) {
        setup = setup.compressed();
    }
    if dice.one_in(3) {
        setup = setup.limits(Limits {
            max_frame: dice.below(200),
            max_message: dice.below(300),
            max_fragments: dice.below(6),
        });
    }
    setup
}

fn payload(dice: &mut Dice, opcode: OpCode) -> Vec<u8> {
    let text = "aé€𝄞 ~ß—".repeat(12);
    let length = match dice.below(5) {
        0 => 0,
        1 | 2 => dice.below(12),
        3 => 120 + dice.below(6),
        _ if opcode.is_control() => 1,
        _ => dice.below(400),
    };
    match opcode {
        OpCode::Close if length > 1 => {
            let code = dice.pick(&[999_u16, 1000, 1001, 1004, 1005, 1011, 3000, 5000]);
            let mut payload = code.to_be_bytes().to_vec();
            payload.extend(text.bytes().take(length - 2));
            payload
        }
        // Half of the time it is cut anywhere.
        _ if dice.one_in(2) => {
            let start = dice.below(8);
            text.bytes().skip(start).cycle().take(length).collect()
        }
        _ => text.as_bytes()[..text.floor_char_boundary(length)].to_vec(),
    }
}

fn input(dice: &mut Dice, setup: &Setup) -> Vec<u8> {
    let mut out = Vec::new();
    let mut open = false;
    for _ in 0..1 + dice.below(6) {
        let data = dice.pick(&[OpCode::Text, OpCode::Text, OpCode::Binary]);
        let control = [OpCode::Ping, OpCode::Pong, OpCode::Ping, OpCode::Close];
        let opcode = match dice.below(8) {
            0 | 1 => dice.pick(&control),
            2 if dice.one_in(4) => dice.pick(&[data, OpCode::Continuation]),
            _ if open => OpCode::Continuation,
            _ => data,
        };
        let fin = opcode.is_control() || dice.one_in(2);
        if !opcode.is_control() {
            open = !fin;
        }
        let first = matches!(opcode, OpCode::Text | OpCode::Binary);
        let compressed = first && setup.compressed && dice.one_in(3);
        let mask = match setup.role {
            Role::Client => None,
            Role::Server => Some((dice.next() as u32).to_ne_bytes()),
        };
        let payload = payload(dice, opcode);
        write_frame(&mut out, opcode, fin, compressed, &payload, mask);
    }
    if dice.one_in(3) {
        let first = out.len().min(8);
        let at = {
            let end = dice.pick(&[first, out.len()]);
            dice.below(end)
        };
        match dice.below(4) {
            0 => out[at] = out[at] & 0x80 | dice.pick(&[125, 126, 127]),
            1 => out[at] ^= 1 << dice.below(8),
            2 => out.truncate(at),
            _ => out.insert(at, dice.next() as u8),
        }
    }
    out
}

fn cut<'a>(dice: &mut Dice, mut input: &'a [u8]) -> Vec<&'a [u8]> {
    let longest = dice.pick(&[1, 3, 20, 200, 10_000]);
    let mut pieces = Vec::new();
    while !input.is_empty() {
        let (piece, rest) = input.split_at(dice.below(longest + 1).min(input.len()));
        pieces.push(piece);
        input = rest;
    }
    pieces
}

#[test]
fn what_comes_out_is_what_a_simple_decoder_says() {
    let mut dice = Dice(0x5eed_1e55_0bad_cafe);
    let mut messages = 0;
    let mut errors = BTreeSet::new();
    for round in 0..20_000 {
        let setup = setup(&mut dice);
        let input = input(&mut dice, &setup);
        let expected = reference(setup, &input);
        let pieces = cut(&mut dice, &input);
        assert_eq!(
            setup.pieces(pieces.iter().copied()),
            expected,
            "round {round}: {setup:?}\n{input:x?}"
        );
        messages += expected
            .seen
            .iter()
            .filter(|seen| matches!(seen, Seen::Text(_) | Seen::Deflated(MessageKind::Text, _)))
            .count();
        errors.extend(expected.error.map(|err| {
            let name = format!("{err:?}");
            name.split([' ', '(']).take(1).collect::<String>()
        }));
    }
    // The inputs are neither all good nor all bad, and break every rule but that of inflating.
    assert!(messages > 5000, "{messages}");
    assert!(errors.len() == 17, "{errors:?}");
}
