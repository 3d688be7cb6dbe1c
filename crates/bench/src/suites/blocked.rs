//! A blocked loop, for those whose handlers are not all well behaved: while one of two loops sleeps in a
//! handler, new clients should be served by the other one. They come at fixed times, whatever became of
//! those before them.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::bench::{Bench, Series};
use crate::exchange::{Link, Target};
use crate::pin;
use crate::report::{Better, Chart, Column, Table};
use crate::servers::{Ready, SQUALL, Setting};
use crate::suite::{Route, Suite, Work};

pub(crate) const SUITE: Suite = Suite {
    name: "blocked",
    measures: "time from connecting to the first byte of the answer, for 170 new clients in 1.7 s while a handler blocks one of two loops for 2 s",
    audience: "those whose handlers sometimes block: who else has to wait",
    work: Work::Tables { run, seconds },
};

const BLOCK: Duration = Duration::from_secs(2);
/// Until the handler has surely begun.
const LEAD: Duration = Duration::from_millis(150);
const CLIENTS: u32 = 170;
const PACE: Duration = Duration::from_millis(10);
/// What the bar is about: a client that waits longer was stuck behind the blocked loop.
const LATE: f64 = 50.0;
const PATIENCE: Duration = Duration::from_secs(10);
const ROUND_SECONDS: f64 = 2.5;

/// Milliseconds of one round.
#[derive(Debug)]
struct Waits {
    /// In ascending order.
    sorted: Vec<f64>,
}

impl Waits {
    fn quantile(&self, share: f64) -> f64 {
        let rank = (share * self.sorted.len() as f64).ceil() as usize;
        let place = rank.clamp(1, self.sorted.len());
        self.sorted.get(place - 1).copied().unwrap_or_default()
    }

    /// Percent of those who were late.
    fn late(&self) -> f64 {
        let late = self.sorted.iter().filter(|wait| **wait > LATE).count();
        late as f64 * 100.0 / self.sorted.len().max(1) as f64
    }
}

fn seconds(bench: &Bench) -> f64 {
    bench.alternating(Route::Block, ROUND_SECONDS)
}

fn run(bench: &Bench) -> Vec<Table> {
    let series = bench.alternate("blocked", Route::Block, ROUND_SECONDS, |ready| {
        round(bench, ready)
    });
    vec![table(&series)]
}

fn round(bench: &Bench, ready: &Ready) -> Result<Waits, String> {
    let setting = Setting {
        core: bench.cores.server(),
        loops: 2,
        ..Setting::default()
    };
    let running = ready.start(&setting, &bench.places, |command| command)?;
    let cannot = |err: std::io::Error| format!("the blocking request: {err}");
    let mut blocking = Link::open(&Target::plain(running.address)).map_err(cannot)?;
    let began = Instant::now();
    let request = format!(
        "GET /block/{} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        BLOCK.as_millis()
    );
    blocking.send(request.as_bytes(), 1).map_err(cannot)?;
    let waits = pin::on(bench.cores.load(), || {
        clients(running.address, began + LEAD)
    })?;
    let answer = blocking.receive().map_err(cannot)?;
    if answer.status != 200 || began.elapsed() < BLOCK {
        return Err(format!(
            "the handler answered {} after {:?} instead of blocking",
            answer.status,
            began.elapsed()
        ));
    }
    Ok(waits)
}

fn clients(address: SocketAddr, from: Instant) -> Result<Waits, String> {
    let clients: Vec<_> = (0..CLIENTS)
        .map(|turn| {
            let at = from + PACE * turn;
            thread::spawn(move || {
                thread::sleep(at.saturating_duration_since(Instant::now()));
                first_byte(address)
            })
        })
        .collect();
    let mut sorted = Vec::new();
    for client in clients {
        let wait = client.join().expect("a client does not panic");
        sorted.push(wait.map_err(|err| format!("a new client: {err}"))?);
    }
    sorted.sort_by(f64::total_cmp);
    Ok(Waits { sorted })
}

fn first_byte(address: SocketAddr) -> std::io::Result<f64> {
    let began = Instant::now();
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(b"GET /plaintext HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
    let mut first = [0];
    stream.read_exact(&mut first)?;
    let wait = began.elapsed();
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest)?;
    if first[0] != b'H' || !rest.starts_with(b"TTP/1.1 200 ") {
        return Err(std::io::Error::other("no 200"));
    }
    Ok(wait.as_secs_f64() * 1e3)
}

fn table(series: &[Series<'_, Waits>]) -> Table {
    let column = |key, title, digits| Column { key, title, digits };
    let p99 = |waits: &Waits| waits.quantile(0.99);
    let figures = [
        |waits: &Waits| waits.quantile(0.5),
        p99,
        |waits: &Waits| waits.quantile(1.0),
        Waits::late,
    ];
    let base = series
        .iter()
        .find(|series| series.ready.server.name == SQUALL);
    Table {
        title: "blocked".to_owned(),
        chart: Chart::Column(1),
        better: Better::Less,
        ratio: "p99 × Squall",
        columns: vec![
            column("p50", "p50 ms", 2),
            column("p99", "p99 ms", 2),
            column("most", "slowest ms", 2),
            column("late", "later than 50 ms, %", 1),
        ],
        rows: series
            .iter()
            .map(|series| series.row(&figures, p99, base))
            .collect(),
        notes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_a_hundred_is_not_in_the_ninety_ninth() {
        let mut sorted = vec![1.0; 98];
        sorted.extend([60.0, 2000.0]);
        let waits = Waits { sorted };
        assert_eq!(waits.quantile(0.5), 1.0);
        assert_eq!(waits.quantile(0.99), 60.0);
        assert_eq!(waits.quantile(1.0), 2000.0);
        assert_eq!(waits.late(), 2.0);
    }
}
