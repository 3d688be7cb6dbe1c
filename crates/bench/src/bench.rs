//! A run: its servers, and how a case is put to all of them.

use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::count::{Counter, Instructions, Watch, switch};
use crate::drive::{Driver, Load};
use crate::exchange::{self, Volleys};
use crate::pin::Cores;
use crate::progress::Progress;
use crate::questions;
use crate::report::{Better, Chart, Column, Row, Table};
use crate::sample;
use crate::servers::{Places, Ready, Running, SQUALL};
use crate::spread::Spread;
use crate::suite::{Case, Measure};

/// How long a run takes its time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) quick: bool,
    pub(crate) rounds: usize,
    /// Of one round.
    seconds: f64,
    /// Before each round, not measured.
    warmup: f64,
}

impl Pace {
    pub(crate) fn new(quick: bool) -> Self {
        let (rounds, seconds, warmup) = if quick { (3, 1.0, 0.3) } else { (5, 3.0, 0.5) };
        Self {
            quick,
            rounds,
            seconds,
            warmup,
        }
    }

    /// Roughly how many seconds one round of one server takes.
    fn round(self, case: &Case) -> f64 {
        let opening = 0.3 + case.idle as f64 / 10_000.0;
        match case.measure {
            Measure::Memory(connections) => 1.0 + connections as f64 / 10_000.0,
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
}

/// One server in one case.
struct Entry<'a> {
    ready: &'a Ready,
    /// `None` in rounds after a failure.
    rounds: Vec<Round>,
    instructions: Option<Instructions>,
    failed: Option<String>,
}

/// What one round of one server came to.
#[derive(Clone, Copy, Debug, Default)]
struct Round {
    load: Option<Load>,
    /// Microseconds of processor time for each request.
    cpu: Option<f64>,
    counted: Option<Instructions>,
    /// Bytes for each connection.
    private: Option<f64>,
}

impl Bench {
    /// Roughly how many seconds a case takes.
    pub(crate) fn expected(&self, case: &Case) -> f64 {
        self.takers(case)
            .map(|ready| {
                self.pace.round(case) * self.pace.rounds as f64 + self.counting(case, ready)
            })
            .sum()
    }

    fn counting(&self, case: &Case, ready: &Ready) -> f64 {
        let counts = self.counter == Some(Counter::Callgrind) && case.measure == Measure::Rate;
        match (counts, ready.server.slow) {
            (false, _) => 0.0,
            (true, false) => 3.0,
            (true, true) => 30.0,
        }
    }

    fn takers(&self, case: &Case) -> impl Iterator<Item = &Ready> {
        let route = case.route;
        self.ready
            .iter()
            .filter(move |ready| ready.server.offers.contains(&route))
    }

    /// Puts a case to all servers that offer it, in rounds that alternate between them.
    pub(crate) fn compare(&mut self, case: &Case) -> Table {
        let mut progress = std::mem::replace(&mut self.progress, Progress::new(0.0));
        let mut entries: Vec<Entry<'_>> = self
            .takers(case)
            .map(|ready| Entry {
                ready,
                rounds: Vec::new(),
                instructions: None,
                failed: None,
            })
            .collect();
        for round in 0..self.pace.rounds {
            for place in 0..entries.len() {
                // Who begins changes, so that a drift of the machine hurts all alike.
                let place = (place + round) % self.takers(case).count();
                let entry = &mut entries[place];
                let name = entry.ready.server.name;
                let detail = format!("{name}, round {} of {}", round + 1, self.pace.rounds);
                progress.show(case.title, &detail);
                self.take_round(entry, case, round);
                progress.advance(self.pace.round(case));
            }
        }
        for entry in &mut entries {
            if case.measure == Measure::Rate && entry.failed.is_none() {
                let detail = format!("{}, instructions", entry.ready.server.name);
                progress.show(case.title, &detail);
                self.take_instructions(entry, case);
                progress.advance(self.counting(case, entry.ready));
            }
        }
        let table = table(case, &entries);
        self.progress = progress;
        table
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
        let running = ready.start(
            self.cores.server(),
            questions::routes(case),
            &self.places,
            |command| command,
        )?;
        if number == 0 {
            for probe in questions::probes(case) {
                exchange::check(running.address, &probe)?;
            }
        }
        let warm = Case {
            idle: 0,
            ..case.clone()
        };
        self.driver()
            .load(running.address, &warm, self.pace.warmup)?;
        match case.measure {
            Measure::Memory(connections) => self.hold(&running, case, connections),
            _ => self.load(&running, case),
        }
    }

    fn driver(&self) -> Driver<'_> {
        Driver {
            program: self.places.load(),
            core: self.cores.load(),
            folder: &self.places.work,
        }
    }

    fn load(&self, running: &Running, case: &Case) -> Result<Round, String> {
        let family = running.process.family();
        let watch = (self.counter == Some(Counter::Perf))
            .then(|| Watch::start(&family, &self.places.work).ok())
            .flatten();
        let before = sample::cpu(&family);
        let load = self
            .driver()
            .load(running.address, case, self.pace.seconds)?;
        let after = sample::cpu(&family);
        let counted = watch.and_then(Watch::stop);
        if load.requests == 0.0 {
            return Err("not one answer".to_owned());
        }
        let used = before.zip(after).map(|(before, after)| after - before);
        // Opening thousands of idle connections would be counted with the requests.
        let cpu = used
            .filter(|_| case.idle == 0)
            .map(|used| used.as_secs_f64() * 1e6 / load.requests);
        Ok(Round {
            load: Some(load),
            cpu,
            counted: counted.map(|all| Instructions {
                user: all.user / load.requests,
                kernel: all.kernel.map(|kernel| kernel / load.requests),
            }),
            private: None,
        })
    }

    fn hold(&self, running: &Running, case: &Case, connections: usize) -> Result<Round, String> {
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
                let counted = || entry.rounds.iter().filter_map(|round| round.counted);
                let user = Spread::of(counted().map(|one| one.user));
                let kernel = Spread::of(counted().filter_map(|one| one.kernel));
                entry.instructions = user.map(|user| Instructions {
                    user: user.median,
                    kernel: kernel.map(|kernel| kernel.median),
                });
            }
            Some(Counter::Callgrind) => {
                let volleys = if entry.ready.server.slow { 3 } else { 20 };
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

    /// Instructions in user space for each of so many volleys of requests, after as many as warm up.
    ///
    /// # Errors
    ///
    /// A sentence: the server does not run under the counter, or answers wrongly.
    pub(crate) fn per_request(
        &self,
        counter: Counter,
        ready: &Ready,
        case: &Case,
        volleys: usize,
    ) -> Result<f64, String> {
        match counter {
            // A server that forks, as nginx does, cannot be switched everywhere.
            Counter::Callgrind => self
                .switched(ready, case, volleys)
                .or_else(|_| self.difference(counter, ready, case, volleys)),
            Counter::Perf => self.difference(counter, ready, case, volleys),
        }
    }

    /// Callgrind counts from an exact request to another.
    fn switched(&self, ready: &Ready, case: &Case, volleys: usize) -> Result<f64, String> {
        let (instructions, requests) = self.volleys(
            Counter::Callgrind,
            &Counter::wrap_off,
            ready,
            case,
            |running, fire| {
                fire.fire(warm(volleys))?;
                let family = running.process.family();
                switch(&family, true, &self.places.work)?;
                let requests = fire.fire(volleys)?;
                switch(&family, false, &self.places.work)?;
                Ok(requests)
            },
        )?;
        Ok(instructions / requests as f64)
    }

    /// What a long run takes more than a short one, so that starting does not count.
    fn difference(
        &self,
        counter: Counter,
        ready: &Ready,
        case: &Case,
        volleys: usize,
    ) -> Result<f64, String> {
        let wrap = |command| counter.wrap(command);
        let run = |count| self.volleys(counter, &wrap, ready, case, |_, fire| fire.fire(count));
        let (more, many) = run(warm(volleys) + volleys)?;
        let (less, few) = run(warm(volleys))?;
        Ok((more - less) / (many - few) as f64)
    }

    /// Runs a server under a counter while `put` fires volleys at it; the instructions that were counted, and
    /// how many requests `put` says they are for.
    fn volleys(
        &self,
        counter: Counter,
        wrap: &dyn Fn(Command) -> Command,
        ready: &Ready,
        case: &Case,
        put: impl FnOnce(&Running, &mut Volleys<'_>) -> Result<u64, String>,
    ) -> Result<(f64, u64), String> {
        let routes = questions::routes(case);
        let mut running = ready.start(None, routes, &self.places, wrap)?;
        let exchanges = questions::of(case);
        let mut volleys = Volleys::new(running.address, case, &exchanges);
        let requests = put(&running, &mut volleys)?;
        drop(volleys);
        running.process.ask(Signal::TERM);
        running
            .process
            .wait(Duration::from_secs(60))
            .map_err(|err| format!("under {}: {err}", counter.name()))?;
        let report = std::fs::read_to_string(&running.err).unwrap_or_default();
        let instructions = counter
            .read(&report)
            .ok_or_else(|| format!("{} reported nothing", counter.name()))?;
        Ok((instructions, requests))
    }
}

/// How many volleys warm a server up before so many are counted.
fn warm(volleys: usize) -> usize {
    volleys.div_ceil(10)
}

/// The table of a case.
fn table(case: &Case, entries: &[Entry<'_>]) -> Table {
    let (columns, better, primary) = columns(case);
    let base = entries
        .iter()
        .find(|entry| entry.ready.server.name == SQUALL && entry.failed.is_none());
    let rows = entries
        .iter()
        .map(|entry| row(case, entry, base, primary))
        .collect();
    Table {
        title: case.title.to_owned(),
        chart: Chart::Column(primary),
        better,
        ratio: "× Squall",
        columns,
        rows,
    }
}

fn columns(case: &Case) -> (Vec<Column>, Better, usize) {
    let column = |key, title, digits| Column { key, title, digits };
    if let Measure::Memory(_) = case.measure {
        let columns = vec![column("private", "private bytes/connection", 0)];
        return (columns, Better::Less, 0);
    }
    let mut columns = vec![
        column("rate", "requests/s", 0),
        column("p50", "p50 µs", 0),
        column("p99", "p99 µs", 0),
        column("p999", "p99.9 µs", 0),
    ];
    if let Measure::Latency(_) = case.measure {
        return (columns, Better::Less, 1);
    }
    columns.extend([
        column("cpu", "CPU µs/request", 2),
        column("user", "instr:u/request", 0),
        column("kernel", "instr:k/request", 0),
    ]);
    (columns, Better::More, 0)
}

fn row(case: &Case, entry: &Entry<'_>, base: Option<&Entry<'_>>, primary: usize) -> Row {
    let cells = cells(case, entry);
    let figure = |round: &Round| figure(case, round);
    let ratio = base.and_then(|base| {
        let pairs = entry.rounds.iter().zip(&base.rounds);
        Spread::of(pairs.filter_map(|(own, squall)| Some(figure(own)? / figure(squall)?)))
    });
    debug_assert!(primary < cells.len(), "the chart shows a column");
    Row {
        name: entry.ready.server.name.to_owned(),
        version: entry.ready.version.clone(),
        cells,
        ratio: ratio.filter(|_| entry.failed.is_none()),
        failed: entry.failed.clone(),
    }
}

/// What rounds are compared by.
fn figure(case: &Case, round: &Round) -> Option<f64> {
    match case.measure {
        Measure::Rate => round.load.map(|load| load.rate),
        Measure::Latency(_) => round.load.map(|load| load.p50),
        Measure::Memory(_) => round.private,
    }
}

fn cells(case: &Case, entry: &Entry<'_>) -> Vec<Option<Spread>> {
    let of =
        |pick: &dyn Fn(&Round) -> Option<f64>| Spread::of(entry.rounds.iter().filter_map(pick));
    let load = |pick: fn(&Load) -> f64| of(&move |round| round.load.as_ref().map(pick));
    if let Measure::Memory(_) = case.measure {
        return vec![of(&|round| round.private)];
    }
    let mut cells = vec![
        load(|load| load.rate),
        load(|load| load.p50),
        load(|load| load.p99),
        load(|load| load.p999),
    ];
    if case.measure == Measure::Rate {
        let once = |value: Option<f64>| Spread::of(value);
        cells.extend([
            of(&|round| round.cpu),
            once(entry.instructions.map(|one| one.user)),
            once(entry.instructions.and_then(|one| one.kernel)),
        ]);
    }
    cells
}

/// Seconds since the start of something, for the words at the end of a run.
pub(crate) fn minutes(since: Instant) -> String {
    let seconds = since.elapsed().as_secs();
    format!("{}:{:02} minutes", seconds / 60, seconds % 60)
}
