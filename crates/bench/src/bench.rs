//! A run: its servers, and how a case is put to all of them.

mod counting;
mod table;

use std::time::Instant;

use crate::count::{Counter, Instructions, Watch};
use crate::drive::{Driver, Load, Moment, Times};
use crate::exchange;
use crate::pin::Cores;
use crate::progress::Progress;
use crate::questions;
use crate::report::Table;
use crate::sample;
use crate::servers::{Places, Ready, Running};
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
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) ready: &'a Ready,
    /// Without those after a failure.
    pub(crate) rounds: Vec<Round>,
    pub(crate) instructions: Option<Instructions>,
    pub(crate) failed: Option<String>,
}

/// What one round of one server came to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Round {
    pub(crate) load: Option<Load>,
    /// Microseconds of processor time for each request.
    pub(crate) cpu: Option<f64>,
    counted: Option<Instructions>,
    /// Bytes for each connection.
    private: Option<f64>,
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
        let takers = |case| self.takers(case).filter(|ready| wanted(ready));
        let mut entries: Vec<Vec<Entry<'_>>> = cases
            .iter()
            .map(|case| takers(case).map(Entry::new).collect())
            .collect();
        let places = entries.iter().map(Vec::len).max().unwrap_or_default();
        for round in 0..self.pace.rounds {
            for place in 0..places {
                // Who begins changes, so that a drift of the machine hurts all alike.
                let place = (place + round) % places;
                for (case, entries) in cases.iter().zip(&mut entries) {
                    if let Some(entry) = entries.get_mut(place) {
                        self.show(
                            case,
                            entry,
                            &format!("round {} of {}", round + 1, self.pace.rounds),
                        );
                        self.take_round(entry, case, round);
                        self.progress.advance(self.pace.round(case));
                    }
                }
            }
        }
        for (case, entries) in cases.iter().zip(&mut entries) {
            for entry in entries.iter_mut().filter(|entry| entry.failed.is_none()) {
                self.show(case, entry, "instructions");
                self.take_instructions(entry, case);
                self.progress.advance(self.counting(case, entry.ready));
            }
        }
        entries
    }

    fn show(&self, case: &Case, entry: &Entry<'_>, what: &str) {
        let detail = format!("{}, {what}", entry.name());
        // Cases that alternate are one subject: what stands before the comma.
        let subject = case.title.split(',').next().unwrap_or_default();
        self.progress.show(subject, &detail);
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

    /// Everything is read at the two moments between which the load counts its requests: neither the warm-up
    /// nor the opening of idle connections is in it.
    fn load(&self, running: &Running, case: &Case) -> Result<Round, String> {
        let family = running.process.family();
        let mut watch = (self.counter == Some(Counter::Perf))
            .then(|| Watch::attach(&family, &self.places.work).ok())
            .flatten();
        let mut used = (None, None);
        let times = Times {
            warmup: self.pace.warmup,
            measured: self.pace.seconds,
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
                Moment::Begin => used.0 = now,
                Moment::End => used.1 = now,
            }
        })?;
        if load.requests == 0.0 {
            return Err("not one answer".to_owned());
        }
        let cpu = used.0.zip(used.1).map(|(before, after)| after - before);
        Ok(Round {
            load: Some(load),
            cpu: cpu.map(|cpu| cpu.as_secs_f64() * 1e6 / load.requests),
            counted: watch.and_then(Watch::read).map(|all| Instructions {
                user: all.user / load.requests,
                kernel: all.kernel.map(|kernel| kernel / load.requests),
            }),
            private: None,
        })
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
            // Its volleys are as many requests as a connection can take; they know no rate.
            Some(Counter::Callgrind) if case.measure != Measure::Rate => {}
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
}

/// Seconds since the start of something, for the words at the end of a run.
pub(crate) fn minutes(since: Instant) -> String {
    let seconds = since.elapsed().as_secs();
    format!("{}:{:02} minutes", seconds / 60, seconds % 60)
}
