//! What the parts do together.

mod hostile;
mod negotiation;
mod reference;
mod round_trip;

/// A linear congruential generator: noise that is the same each time.
struct Random(u32);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0 >> 8
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next() as u8).collect()
    }
}

/// So many bytes that look like the updates of a feed.
fn feed(random: &mut Random, length: usize) -> Vec<u8> {
    let mut message = Vec::new();
    while message.len() < length {
        let (id, price) = (random.next() % 500, random.next() % 10_000);
        let line = format!("{{\"id\":{id},\"price\":{price},\"currency\":\"EUR\"}},");
        message.extend_from_slice(line.as_bytes());
    }
    message.truncate(length);
    message
}
