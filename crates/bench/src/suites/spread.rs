//! How long-lived connections spread over loops, for realtime services: the most loaded loop decides how many
//! clients a machine can hold, and how long the unlucky ones wait.

use std::collections::HashMap;

use crate::bench::{Bench, Series};
use crate::exchange::{Link, Target};
use crate::report::{Better, Chart, Column, Table};
use crate::servers::{Ready, SQUALL, Setting};
use crate::suite::{Route, Suite, Work};

pub(crate) const SUITE: Suite = Suite {
    name: "spread",
    measures: "256 kept connections over 4 loops, the most loaded loop against the mean: after they have come, and after half of them, chosen by chance, has left and as many have come again",
    audience: "realtime services on more than one core",
    work: Work::Tables { run, seconds },
};

const LOOPS: usize = 4;
const A_LOOP: usize = 64;
const ROUND_SECONDS: f64 = 0.5;

/// The most loaded loop against the mean.
#[derive(Clone, Copy, Debug)]
struct Loads {
    opened: f64,
    churned: f64,
}

fn seconds(bench: &Bench) -> f64 {
    bench.alternating(Route::Loop, ROUND_SECONDS)
}

fn run(bench: &Bench) -> Vec<Table> {
    let series = bench.alternate("spread", Route::Loop, ROUND_SECONDS, |ready| {
        round(bench, ready)
    });
    vec![table(&series)]
}

fn round(bench: &Bench, ready: &Ready) -> Result<Loads, String> {
    let setting = Setting {
        loops: LOOPS,
        ..Setting::default()
    };
    let running = ready.start(&setting, &bench.places, |command| command)?;
    let target = Target::plain(running.address);
    let mut clients = Vec::new();
    fill(&target, &mut clients)?;
    let opened = most_to_mean(&clients);
    // By chance, but the same for everybody.
    let mut state = 0x9e37_79b9_u32;
    clients.retain(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 31 == 0
    });
    // An answer on every connection that is left gives the loops a turn to see who has gone.
    for client in &mut clients {
        client.ask()?;
    }
    fill(&target, &mut clients)?;
    Ok(Loads {
        opened,
        churned: most_to_mean(&clients),
    })
}

/// A kept connection and the loop that answers on it.
struct Client {
    link: Link,
    whereabouts: Vec<u8>,
}

impl Client {
    fn open(target: &Target) -> Result<Self, String> {
        let link = Link::open(target).map_err(|err| format!("cannot connect: {err}"))?;
        let mut client = Self {
            link,
            whereabouts: Vec::new(),
        };
        client.ask()?;
        Ok(client)
    }

    fn ask(&mut self) -> Result<(), String> {
        let request = b"GET /loop HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
        let answer = self
            .link
            .send(request, 1)
            .and_then(|()| self.link.receive())
            .map_err(|err| format!("no answer: {err}"))?;
        if answer.status != 200 {
            return Err(format!("expected status 200, found {}", answer.status));
        }
        self.whereabouts = answer.body;
        Ok(())
    }
}

fn fill(target: &Target, clients: &mut Vec<Client>) -> Result<(), String> {
    while clients.len() < LOOPS * A_LOOP {
        clients.push(Client::open(target)?);
    }
    Ok(())
}

fn most_to_mean(clients: &[Client]) -> f64 {
    let places = clients.iter().map(|client| client.whereabouts.as_slice());
    most(places) as f64 / A_LOOP as f64
}

/// How often the most frequent of these comes.
fn most<'a>(places: impl Iterator<Item = &'a [u8]>) -> usize {
    let mut counts = HashMap::new();
    for place in places {
        *counts.entry(place).or_insert(0) += 1;
    }
    counts.into_values().max().unwrap_or_default()
}

fn table(series: &[Series<'_, Loads>]) -> Table {
    let column = |key, title, digits| Column { key, title, digits };
    let churned = |loads: &Loads| loads.churned;
    let base = series
        .iter()
        .find(|series| series.ready.server.name == SQUALL);
    Table {
        title: "spread".to_owned(),
        chart: Chart::Column(1),
        better: Better::Less,
        ratio: "× Squall",
        columns: vec![
            column("opened", "most ÷ mean, opened", 2),
            column("churned", "most ÷ mean, half come again", 2),
        ],
        rows: series
            .iter()
            .map(|series| series.row(&[|loads| loads.opened, churned], churned, base))
            .collect(),
        notes: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_place_is_counted() {
        let places: [&[u8]; 5] = [b"1", b"2", b"1", b"3", b"1"];
        assert_eq!(most(places.into_iter()), 3);
        assert_eq!(most(std::iter::empty()), 0);
    }
}
