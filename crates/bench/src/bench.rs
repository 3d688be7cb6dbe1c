//! A run: its servers, and how a case is put to all of them.

mod counting;
mod table;

use std::cell::Cell;
use std::time::Instant;

use crate::count::{Counter, Instructions, Watch};
use crate::drive::{Driver, Load, Moment, Times};
use crate::exchange::{self, Target, Volleys};
use crate::pin::{self, Cores};
use crate::progress::Progress;
use crate::questions;
use crate::report::{Row, Table};
use crate::sample;
use crate::servers::{Places, Ready, Running, Setting};
use crate::spread::Spread;
use crate::suite::{Case, Measure, Route};

/// How long a run takes its time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) quick: bool,
    /// Of every server in every case, see [`rounds`](Self::rounds).
    pub(crate) rounds: usize,
    /// Of one round.
    seconds: f64,
    /// Before each round, not measured.
    warmup: f64,
}

impl Pace {
    pub(crate) fn new(quick: bool) -> Self {
        // Two seconds are half a million requests of a fast server and ten thousand of a slow one. All suites
        // together take about 50 minutes so; what differs from round to round differs as much in longer ones.
        let (rounds, seconds, warmup) = if quick { (3, 1.0, 0.3) } else { (5, 2.0, 0.4) };
        Self {
            quick,
            rounds,
            seconds,
            warmup,
        }
    }

    /// How many rounds a case has: three where a round is long, because thousands of connections have to be opened
    /// for it.
    pub(crate) fn rounds(self, case: &Case) -> usize {
        match case.measure {
            Measure::Deliveries | Measure::Latency(_) | Measure::Memory(_) => self.rounds.min(3),
            Measure::Rate | Measure::Volleys => self.rounds,
        }
    }

    /// Roughly how many seconds one round of one server takes.
    fn round(self, case: &Case) -> f64 {
        let opening = 0.2 + case.idle as f64 / 10_000.0;
        match case.measure {
            Measure::Memory(connections) => 1.0 + connections as f64 / 10_000.0,
            Measure::Deliveries => {
                1.0 + 1.5 * case.seconds.unwrap_or(self.seconds) + case.connections as f64 / 5_000.0
            }
            _ => self.seconds + self.warmup + opening,
        }
    }
}

/// Everything that the suites need.
#[derive(Debug)]
pub(crate) struct Bench {
    pub(crate) pace: Pace,
    pub(crate) cores: Cores,
    pub(crate) counter: Option<Counter>,
    pub(crate) places: Places,
    pub(crate) ready: Vec<Ready>,
    pub(crate) progress: Progress,
    /// How many rounds the last suite has had.
    pub(crate) taken: Cell<usize>,
}

/// One server in one case.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) ready: &'a Ready,
    /// Without those after a failure.
    pub(crate) rounds: Vec<Round>,
    pub(crate) instructions: Option<Instructions>,
    pub(crate) failed: Option<String>,
}

/// One server in a suite with rounds of its own.
#[derive(Debug)]
pub(crate) struct Series<'a, T> {
    pub(crate) ready: &'a Ready,
    /// Without those after a failure.
    pub(crate) rounds: Vec<T>,
    pub(crate) failed: Option<String>,
}

impl<T> Series<'_, T> {
    /// A row of a table: cells from figures of the rounds, and the ratio of one of them to that of `base`, whose
    /// rounds are the neighbours.
    pub(crate) fn row(
        &self,
        figures: &[fn(&T) -> f64],
        ratio: fn(&T) -> f64,
        base: Option<&Self>,
    ) -> Row {
        let of = |figure: fn(&T) -> f64| Spread::of(self.rounds.iter().map(figure));
        let ratio = base.and_then(|base| {
            let pairs = self.rounds.iter().zip(&base.rounds);
            Spread::of(pairs.map(|(own, base)| ratio(own) / ratio(base)))
        });
        Row {
            name: self.ready.server.name.to_owned(),
            version: self.ready.version.clone(),
            cells: figures.iter().map(|figure| of(*figure)).collect(),
            ratio: ratio.filter(|_| self.failed.is_none()),
            failed: self.failed.clone(),
        }
    }
}

impl Round {
    /// Percent of its core that the server was busy: near 100, it and not the load program sets the rate.
    pub(crate) fn busy(&self) -> Option<f64> {
        let share = self.cpu? / 1e6 * self.load?.rate;
        Some(share * 100.0)
    }
}

/// What one round of one server came to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Round {
    pub(crate) load: Option<Load>,
    /// Microseconds of processor time for each request.
    pub(crate) cpu: Option<f64>,
    counted: Option<Instructions>,
    /// Bytes for each connection; in a load with connections that never read, what was added for each of those.
    pub(crate) private: Option<f64>,
}

impl<'a> Entry<'a> {
    fn new(ready: &'a Ready) -> Self {
        Self {
            ready,
            rounds: Vec::new(),
            instructions: None,
            failed: None,
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.ready.server.name
    }

    /// A figure of all rounds.
    pub(crate) fn spread(&self, figure: impl Fn(&Round) -> Option<f64>) -> Option<Spread> {
        Spread::of(self.rounds.iter().filter_map(figure))
    }
}

impl Bench {
    /// Roughly how many seconds a case takes.
    pub(crate) fn expected(&self, case: &Case) -> f64 {
        self.takers(case)
            .map(|ready| {
                self.pace.round(case) * self.pace.rounds(case) as f64 + self.counting(case, ready)
            })
            .sum()
    }

    fn counting(&self, case: &Case, ready: &Ready) -> f64 {
        let counts = self.counter == Some(Counter::Callgrind)
            && case.measure.is_counted()
            && ready.server.counted;
        match (counts, ready.server.slow, case.pipeline) {
            (false, _, _) => 0.0,
            (true, false, _) => 1.5,
            (true, true, 1) => 10.0,
            (true, true, _) => 30.0,
        }
    }

    /// Who takes part in a case. A slow server would need half a minute for a round of bursts to thousands, and
    /// tell no more than by its figures for one message.
    fn takers(&self, case: &Case) -> impl Iterator<Item = &Ready> {
        let bursts = case.fan.publish > 1;
        self.offering(case.route)
            .filter(move |ready| !(bursts && ready.server.slow))
    }

    fn offering(&self, route: Route) -> impl Iterator<Item = &Ready> {
        self.ready
            .iter()
            .filter(move |ready| ready.server.offers.contains(&route))
    }

    /// Puts a case to all servers that offer it.
    pub(crate) fn compare(&self, case: &Case) -> Table {
        let everybody = |_: &Ready| true;
        let mut entries = self.rounds(std::slice::from_ref(case), everybody);
        table::of(case, &entries.pop().unwrap_or_default())
    }

    /// Puts cases to the servers that offer them and that are `wanted`, in rounds that alternate between
    /// servers and cases: the entries of each case.
    pub(crate) fn rounds(
        &self,
        cases: &[Case],
        wanted: impl Fn(&Ready) -> bool,
    ) -> Vec<Vec<Entry<'_>>> {
        // Rows of suites with several cases have figures from each of them.
        let in_all = |ready: &Ready| {
            let mut takers = cases.iter().map(|case| self.takers(case));
            takers.all(|mut takers| takers.any(|taker| taker.server.name == ready.server.name))
        };
        let takers = |case| {
            self.takers(case)
                .filter(|ready| wanted(ready) && in_all(ready))
        };
        let mut entries: Vec<Vec<Entry<'_>>> = cases
            .iter()
            .map(|case| takers(case).map(Entry::new).collect())
            .collect();
        let places = entries.iter().map(Vec::len).max().unwrap_or_default();
        let rounds = cases.iter().map(|case| self.pace.rounds(case)).max();
        let rounds = rounds.unwrap_or_default();
        self.taken.set(rounds);
        for round in 0..rounds {
            for place in 0..places {
                // Who begins changes, so that a drift of the machine hurts all alike.
                let place = (place + round) % places;
                for (case, entries) in cases.iter().zip(&mut entries) {
                    if let Some(entry) = entries.get_mut(place) {
                        self.show(
                            case,
                            entry,
                            &format!("round {} of {rounds}", round + 1),
                            self.pace.round(case),
                        );
                        self.take_round(entry, case, round);
                        self.progress.done();
                    }
                }
            }
        }
        for (case, entries) in cases.iter().zip(&mut entries) {
            for entry in entries.iter_mut().filter(|entry| entry.failed.is_none()) {
                self.show(
                    case,
                    entry,
                    "instructions",
                    self.counting(case, entry.ready),
                );
                self.take_instructions(entry, case);
                self.progress.done();
            }
        }
        entries
    }

    /// Calls `round` for each server that offers a route, in rounds that alternate between them.
    pub(crate) fn alternate<T>(
        &self,
        subject: &str,
        route: Route,
        seconds: f64,
        round: impl Fn(&Ready) -> Result<T, String>,
    ) -> Vec<Series<'_, T>> {
        let mut all: Vec<Series<'_, T>> = self
            .offering(route)
            .map(|ready| Series {
                ready,
                rounds: Vec::new(),
                failed: None,
            })
            .collect();
        let places = all.len();
        self.taken.set(self.pace.rounds);
        for number in 0..self.pace.rounds {
            for place in 0..places {
                let series = &mut all[(place + number) % places];
                let name = series.ready.server.name;
                let detail = format!("{name}, round {} of {}", number + 1, self.pace.rounds);
                self.progress.step(subject, &detail, seconds);
                if series.failed.is_none() {
                    match round(series.ready) {
                        Ok(one) => series.rounds.push(one),
                        Err(reason) => series.failed = Some(reason),
                    }
                }
                self.progress.done();
            }
        }
        all
    }

    /// How many seconds [`alternate`](Self::alternate) takes with rounds of so many.
    pub(crate) fn alternating(&self, route: Route, seconds: f64) -> f64 {
        self.offering(route).count() as f64 * self.pace.rounds as f64 * seconds
    }

    fn show(&self, case: &Case, entry: &Entry<'_>, what: &str, seconds: f64) {
        let detail = format!("{}, {what}", entry.name());
        // Cases that alternate are one subject: what stands before the comma.
        let subject = case.title.split(',').next().unwrap_or_default();
        self.progress.step(subject, &detail, seconds);
    }

    fn take_round(&self, entry: &mut Entry<'_>, case: &Case, number: usize) {
        if entry.failed.is_some() {
            return;
        }
        match self.round(entry.ready, case, number) {
            Ok(round) => entry.rounds.push(round),
            Err(reason) => entry.failed = Some(reason),
        }
    }

    fn round(&self, ready: &Ready, case: &Case, number: usize) -> Result<Round, String> {
        let setting = Setting {
            core: self.cores.server(),
            ..self.setting(case)?
        };
        let running = ready.start(&setting, &self.places, |command| command)?;
        let target = self.target(&running, case)?;
        // One answer also shows that whoever answers is there: nginx listens before its worker is born.
        let probes = if number == 0 { usize::MAX } else { 1 };
        for probe in questions::probes(case).iter().take(probes) {
            exchange::check(&target, probe)?;
        }
        match case.measure {
            Measure::Memory(connections) => self.hold(&running, case, connections),
            Measure::Volleys => pin::on(self.cores.load(), || self.fire(&running, case)),
            Measure::Deliveries | Measure::Rate | Measure::Latency(_) => self.load(&running, case),
        }
    }

    /// How a server is started for a case.
    pub(crate) fn setting(&self, case: &Case) -> Result<Setting, String> {
        questions::setting(case, &self.places.work)
            .map_err(|err| format!("cannot write the files of the server: {err}"))
    }

    fn driver(&self) -> Driver<'_> {
        Driver {
            program: self.places.load(),
            core: self.cores.load(),
            folder: &self.places.work,
        }
    }

    /// Everything is read at the two moments between which the load counts its requests: neither the warm-up
    /// nor the opening of idle connections is in it.
    fn load(&self, running: &Running, case: &Case) -> Result<Round, String> {
        let family = running.process.family();
        let mut watch = self.watch(&family);
        let mut used = (None, None);
        let mut held = (None, None);
        // To look at memory takes a while, so only where it is asked for.
        let look = || {
            (case.fan.stalled > 0)
                .then(|| sample::private(&family))
                .flatten()
        };
        let times = Times {
            warmup: self.pace.warmup,
            measured: case.seconds.unwrap_or(self.pace.seconds),
        };
        let load = self.driver().load(running.address, case, times, |moment| {
            let ordered = match (moment, &mut watch) {
                (_, None) => Ok(()),
                (Moment::Begin, Some(watch)) => watch.begin(),
                (Moment::End, Some(watch)) => watch.end(),
            };
            if ordered.is_err() {
                // The column stays empty rather than wrong.
                watch = None;
            }
            let now = sample::cpu(&family);
            match moment {
                Moment::Begin => (used.0, held.0) = (now, look()),
                Moment::End => (used.1, held.1) = (now, look()),
            }
        })?;
        if load.requests == 0.0 {
            return Err("not one answer".to_owned());
        }
        let cpu = used.0.zip(used.1).map(|(before, after)| after - before);
        Ok(Round {
            load: Some(load),
            cpu: cpu.map(|cpu| cpu.as_secs_f64() * 1e6 / load.requests),
            counted: watch
                .and_then(Watch::read)
                .map(|all| all.each(load.requests)),
            private: held.0.zip(held.1).map(|(before, after): (u64, u64)| {
                (after as f64 - before as f64) / case.fan.stalled as f64
            }),
        })
    }

    /// How a server is asked in a case.
    fn target(&self, running: &Running, case: &Case) -> Result<Target, String> {
        match self.setting(case)?.tls {
            None => Ok(Target::plain(running.address)),
            Some(folder) => Target::tls(running.address, &folder)
                .map_err(|err| format!("cannot trust the server: {err}")),
        }
    }

    fn fire(&self, running: &Running, case: &Case) -> Result<Round, String> {
        let exchanges = questions::of(case);
        let mut volleys = Volleys::new(self.target(running, case)?, case, &exchanges);
        // Handshakes are in the first one.
        volleys.fire(3)?;
        let family = running.process.family();
        let mut watch = self.watch(&family);
        let began = Instant::now();
        let before = sample::cpu(&family);
        let mut requests = 0;
        if watch.as_mut().is_some_and(|watch| watch.begin().is_err()) {
            watch = None;
        }
        while began.elapsed().as_secs_f64() < self.pace.seconds {
            requests += volleys.fire(1)?;
        }
        if watch.as_mut().is_some_and(|watch| watch.end().is_err()) {
            watch = None;
        }
        let used = before.zip(sample::cpu(&family));
        let requests = requests as f64;
        Ok(Round {
            cpu: used.map(|(before, after)| (after - before).as_secs_f64() * 1e6 / requests),
            counted: watch.and_then(Watch::read).map(|all| all.each(requests)),
            ..Round::default()
        })
    }

    /// perf beside a server, where it counts.
    fn watch(&self, family: &[u32]) -> Option<Watch> {
        let counts = self.counter == Some(Counter::Perf);
        counts
            .then(|| Watch::attach(family, &self.places.work).ok())
            .flatten()
    }

    fn hold(&self, running: &Running, case: &Case, connections: usize) -> Result<Round, String> {
        let warmup = Times {
            warmup: 0.0,
            measured: self.pace.warmup,
        };
        self.driver().load(running.address, case, warmup, |_| ())?;
        let look = || sample::private(&running.process.family());
        let before = look();
        let during = self
            .driver()
            .hold(running.address, case, connections, look)?;
        let (Some(before), Some(during)) = (before, during) else {
            return Err("the system does not tell the memory of a process".to_owned());
        };
        Ok(Round {
            private: Some((during as f64 - before as f64) / connections as f64),
            ..Round::default()
        })
    }

    fn take_instructions(&self, entry: &mut Entry<'_>, case: &Case) {
        match self.counter {
            None => {}
            Some(Counter::Perf) => {
                let user = entry.spread(|round| Some(round.counted?.user));
                let kernel = entry.spread(|round| round.counted?.kernel);
                entry.instructions = user.map(|user| Instructions {
                    user: user.median,
                    kernel: kernel.map(|kernel| kernel.median),
                });
            }
            // It is fifty times slower, which no fixed rate would survive.
            Some(Counter::Callgrind)
                if !case.measure.is_counted() || !entry.ready.server.counted => {}
            Some(Counter::Callgrind) => {
                let volleys = match (entry.ready.server.slow, case.pipeline) {
                    (false, _) => 20,
                    (true, 1) => 3,
                    // A thousand requests, a minute as it is.
                    (true, _) => 1,
                };
                match self.per_request(Counter::Callgrind, entry.ready, case, volleys) {
                    Ok(user) => {
                        entry.instructions = Some(Instructions { user, kernel: None });
                    }
                    // Some programs do not run under valgrind, which is no fault of the server.
                    Err(reason) => {
                        self.progress.clear();
                        eprintln!("{}: not counted: {reason}", entry.ready.server.name);
                    }
                }
            }
        }
    }
}
