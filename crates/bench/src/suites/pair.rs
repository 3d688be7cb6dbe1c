//! Two cases of the same servers side by side, and the quotient of the first figure.

use crate::bench::{Entry, Round};
use crate::report::{Better, Chart, Column, Row, Table};
use crate::servers::SQUALL;
use crate::spread::Spread;

/// How the table of two cases is made.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) title: &'static str,
    /// The first one is compared: between the cases, and in the second case between servers.
    pub(super) figures: Vec<Figure>,
    /// The title of the second case's first figure by the first case's.
    pub(super) quotient: &'static str,
    pub(super) notes: Vec<String>,
}

/// A figure of both cases.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figure {
    key: [&'static str; 2],
    /// The column of the first case and the one of the second.
    title: [&'static str; 2],
    digits: usize,
    of: fn(&Round) -> Option<f64>,
}

impl Figure {
    /// Processor time of a delivery.
    pub(super) const fn cpu(first: &'static str, second: &'static str) -> Self {
        Self {
            key: ["cpu_first", "cpu"],
            title: [first, second],
            digits: 2,
            of: |round| round.cpu,
        }
    }

    /// Deliveries a second.
    pub(super) const fn rate(first: &'static str, second: &'static str) -> Self {
        Self {
            key: ["rate_first", "rate"],
            title: [first, second],
            digits: 0,
            of: |round| Some(round.load?.rate),
        }
    }

    /// What one in a hundred deliveries of an ordinary broadcast waits longer than: the median of all broadcasts of the
    /// measured time. There are some twenty, so that the p99 of all deliveries would be that of the slowest broadcast,
    /// and tell more about the machine than about the server.
    pub(super) const fn p99(first: &'static str, second: &'static str) -> Self {
        Self {
            key: ["p99_first", "p99"],
            title: [first, second],
            digits: 0,
            of: |round| round.load?.broadcast_p99,
        }
    }

    /// Memory that is added for each connection that never reads; there is none in a case without.
    pub(super) const fn grown(first: &'static str, second: &'static str) -> Self {
        Self {
            key: ["grown_first", "grown"],
            title: [first, second],
            digits: 0,
            of: |round| round.private,
        }
    }
}

impl Pair {
    /// The same servers in both cases, so their rounds are neighbours.
    pub(super) fn table(&self, first: &[Entry<'_>], second: &[Entry<'_>]) -> Table {
        let base = second
            .iter()
            .find(|entry| entry.name() == SQUALL && entry.failed.is_none());
        let mut columns: Vec<Column> = Vec::new();
        for figure in &self.figures {
            columns.extend([0, 1].map(|case| Column {
                key: figure.key[case],
                title: figure.title[case],
                digits: figure.digits,
            }));
        }
        columns.push(Column {
            key: "quotient",
            title: self.quotient,
            digits: 2,
        });
        Table {
            title: self.title.to_owned(),
            chart: Chart::Column(1),
            better: Better::Less,
            ratio: "× Squall",
            columns,
            rows: first
                .iter()
                .zip(second)
                .map(|(first, second)| self.row(first, second, base))
                .collect(),
            notes: self.notes.clone(),
        }
    }

    fn row(&self, first: &Entry<'_>, second: &Entry<'_>, base: Option<&Entry<'_>>) -> Row {
        let compared = self.figures[0].of;
        let quotient = |own: &Entry<'_>, other: &Entry<'_>| {
            let pairs = own.rounds.iter().zip(&other.rounds);
            Spread::of(pairs.filter_map(|(own, other)| Some(compared(own)? / compared(other)?)))
        };
        let mut cells: Vec<Option<Spread>> = Vec::new();
        for figure in &self.figures {
            cells.extend([first.spread(figure.of), second.spread(figure.of)]);
        }
        cells.push(quotient(second, first));
        let failed = first.failed.clone().or(second.failed.clone());
        Row {
            name: second.name().to_owned(),
            version: second.ready.version.clone(),
            cells,
            ratio: base
                .filter(|_| failed.is_none())
                .and_then(|base| quotient(second, base)),
            failed,
        }
    }
}
