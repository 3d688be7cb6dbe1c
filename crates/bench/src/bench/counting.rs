//! Instructions of exact numbers of requests.

use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use super::Bench;
use crate::count::{Counter, switch};
use crate::exchange::Volleys;
use crate::questions;
use crate::servers::{Ready, Running};
use crate::suite::Case;

impl Bench {
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
        let mut running = ready.start(&self.setting(case)?, &self.places, wrap)?;
        let exchanges = questions::of(case);
        let mut volleys = Volleys::new(self.target(&running, case)?, case, &exchanges);
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
