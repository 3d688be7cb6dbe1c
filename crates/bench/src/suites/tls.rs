//! TLS, for everyone on the open internet: what a request costs more when it is encrypted, on connections that have
//! done their handshake. The load program speaks no TLS, so the bench itself sends volleys, plain and
//! encrypted, and what is compared is the cost at the server's side.

use crate::bench::{Bench, Entry, Round};
use crate::report::{Better, Chart, Column, Row, Table};
use crate::servers::SQUALL;
use crate::spread::Spread;
use crate::suite::{Case, Measure, Route, Suite, Work};

pub(crate) const SUITE: Suite = Suite {
    name: "tls",
    measures: "GET of 13 bytes on 64 kept connections, with TLS and without: what TLS costs a request after the handshake",
    audience: "everyone on the open internet",
    work: Work::Tables { run, seconds },
};

fn cases() -> [Case; 2] {
    let case = |title, route| Case {
        measure: Measure::Volleys,
        ..Case::rate(title, route)
    };
    [
        case("tls, plain", Route::Plaintext),
        case("tls, encrypted", Route::Tls),
    ]
}

fn seconds(bench: &Bench) -> f64 {
    // Only those that speak it take part in either case.
    2.0 * bench.expected(&cases()[1])
}

fn run(bench: &Bench) -> Vec<Table> {
    let entries = bench.rounds(&cases(), |ready| ready.server.offers.contains(&Route::Tls));
    let [plain, tls] = &entries[..] else {
        unreachable!("there are as many lists of entries as cases");
    };
    vec![table(plain, tls)]
}

/// What a server's requests cost more with TLS.
#[derive(Clone, Copy, Debug, Default)]
struct Extra {
    cpu: Option<Spread>,
    instructions: Option<f64>,
}

impl Extra {
    fn of(plain: &Entry<'_>, tls: &Entry<'_>) -> Self {
        let cpu = |round: &Round| round.cpu;
        let pairs = plain.rounds.iter().zip(&tls.rounds);
        let instructions = plain.instructions.zip(tls.instructions);
        Self {
            cpu: Spread::of(pairs.filter_map(|(plain, tls)| Some(cpu(tls)? - cpu(plain)?))),
            instructions: instructions.map(|(plain, tls)| tls.user - plain.user),
        }
    }

    /// In instructions where they were counted, else in time.
    fn ratio(self, base: Self) -> Option<Spread> {
        let counted = self.instructions.zip(base.instructions);
        let timed = self.cpu.zip(base.cpu);
        let timed = timed.map(|(own, base)| (own.median, base.median));
        Spread::of(counted.or(timed).map(|(own, base)| own / base))
    }
}

fn table(plain: &[Entry<'_>], tls: &[Entry<'_>]) -> Table {
    let column = |key, title, digits| Column { key, title, digits };
    let pairs = || plain.iter().zip(tls);
    let base = pairs().find(|(plain, _)| plain.name() == SQUALL);
    let base = base.map(|(plain, tls)| Extra::of(plain, tls));
    Table {
        title: "tls".to_owned(),
        chart: Chart::Column(2),
        better: Better::Less,
        ratio: "extra × Squall",
        columns: vec![
            column("plain_cpu", "CPU µs/request, plain", 2),
            column("cpu", "CPU µs/request", 2),
            column("extra_cpu", "extra CPU µs", 2),
            column("plain_user", "instr:u/request, plain", 0),
            column("user", "instr:u/request", 0),
            column("extra_user", "extra instr:u", 0),
        ],
        rows: pairs().map(|(plain, tls)| row(plain, tls, base)).collect(),
        notes: vec![
            "A volley is a request on each connection, and all answers before the next.".to_owned(),
        ],
    }
}

fn row(plain: &Entry<'_>, tls: &Entry<'_>, base: Option<Extra>) -> Row {
    let extra = Extra::of(plain, tls);
    let user = |entry: &Entry<'_>| Spread::of(entry.instructions.map(|one| one.user));
    let failed = plain.failed.clone().or(tls.failed.clone());
    Row {
        name: plain.name().to_owned(),
        version: plain.ready.version.clone(),
        cells: vec![
            plain.spread(|round| round.cpu),
            tls.spread(|round| round.cpu),
            extra.cpu,
            user(plain),
            user(tls),
            Spread::of(extra.instructions),
        ],
        ratio: base
            .filter(|_| failed.is_none())
            .and_then(|base| extra.ratio(base)),
        failed,
    }
}
