//! A proxy that hands bytes on in pieces, so that frames end anywhere in what an end reads.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

/// Where each read is cut small: as many bytes as the heads of some frames have.
const FINE: usize = 96;
/// The longest piece there.
const FINEST: usize = 5;
/// The longest piece behind it.
const COARSEST: usize = 2000;

/// A proxy that runs until the process ends.
#[derive(Debug)]
pub(super) struct Pieces {
    /// Host and port.
    pub(super) address: String,
}

impl Pieces {
    /// Starts one before the server at `target`.
    ///
    /// # Errors
    ///
    /// When there is no port.
    pub(super) fn start(target: &str) -> Result<Self, String> {
        let words = |err| format!("cannot listen for the proxy: {err}");
        let listener = TcpListener::bind("127.0.0.1:0").map_err(words)?;
        let address = listener.local_addr().map_err(words)?.to_string();
        let target = target.to_owned();
        thread::spawn(move || {
            for (seed, client) in listener.incoming().enumerate() {
                let (Ok(client), Ok(server)) = (client, TcpStream::connect(&target)) else {
                    continue;
                };
                // A connection that cannot be proxied is one that ends, which the suite will not let pass.
                let _ = join(client, server, seed);
            }
        });
        Ok(Self { address })
    }
}

/// Hands on in both directions, on two threads.
fn join(client: TcpStream, server: TcpStream, seed: usize) -> std::io::Result<()> {
    for stream in [&client, &server] {
        stream.set_nodelay(true)?;
    }
    let (to_client, to_server) = (client.try_clone()?, server.try_clone()?);
    let mut there = Lengths::new(seed * 2);
    let mut back = Lengths::new(seed * 2 + 1);
    thread::spawn(move || hand_on(client, to_server, &mut there));
    thread::spawn(move || hand_on(server, to_client, &mut back));
    Ok(())
}

fn hand_on(mut from: TcpStream, mut to: TcpStream, lengths: &mut Lengths) {
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = match from.read(&mut buffer) {
            Ok(count) => count,
            Err(err) if err.kind() == ErrorKind::Interrupted => continue,
            Err(_) => 0,
        };
        let mut rest = &buffer[..count];
        let mut at = 0;
        while !rest.is_empty() {
            let length = lengths.next(at).min(rest.len());
            if to.write_all(&rest[..length]).is_err() {
                // It will get no more, but may still have something to say: so this one is read to its end.
                let _ = std::io::copy(&mut from, &mut std::io::sink());
                return;
            }
            rest = &rest[length..];
            at += length;
            // Whoever reads may get the piece alone.
            thread::yield_now();
        }
        if count == 0 {
            // It may be gone already.
            let _ = to.shutdown(Shutdown::Write);
            return;
        }
    }
}

/// Lengths of pieces, the same for a seed on every run.
#[derive(Debug)]
struct Lengths {
    state: u64,
}

impl Lengths {
    fn new(seed: usize) -> Self {
        Self {
            state: seed as u64 + 1,
        }
    }

    /// The length of the piece that begins so many bytes behind the begin of a read.
    fn next(&mut self, at: usize) -> usize {
        // Knuth's multiplier; the high bits are the good ones.
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let longest = if at < FINE { FINEST } else { COARSEST };
        1 + (self.state >> 33) as usize % longest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_bytes_arrive_in_order() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let pieces = Pieces::start(&listener.local_addr().unwrap().to_string()).unwrap();
        let sent: Vec<u8> = (0..=255).cycle().take(100_000).collect();
        let echo = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut all = Vec::new();
            stream.read_to_end(&mut all).unwrap();
            stream.write_all(&all).unwrap();
        });
        let mut stream = TcpStream::connect(&pieces.address).unwrap();
        stream.write_all(&sent).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).unwrap();
        echo.join().unwrap();
        assert!(received == sent, "{} bytes came", received.len());
    }

    #[test]
    fn pieces_are_small_where_heads_are() {
        let mut lengths = Lengths::new(7);
        assert!((0..1000).all(|_| (1..=FINEST).contains(&lengths.next(0))));
        let coarse: Vec<usize> = (0..1000).map(|_| lengths.next(FINE)).collect();
        assert!(coarse.iter().all(|length| (1..=COARSEST).contains(length)));
        assert!(coarse.iter().any(|length| *length > COARSEST / 2));
    }
}
