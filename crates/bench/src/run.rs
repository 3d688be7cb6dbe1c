//! A run of suites, from the builds to the reports.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::time::Instant;

use crate::arguments::Options;
use crate::bench::{Bench, Pace};
use crate::count::Counter;
use crate::machine;
use crate::pin::Cores;
use crate::process;
use crate::progress::{Progress, clock};
use crate::report::{Chapter, LeftOut, Report, Table, capital, terminal};
use crate::servers::{Places, ROSTER, Ready, SQUALL};
use crate::suite::{Suite, Work};
use crate::suites::SUITES;
use crate::targets;

/// Runs what was asked for; false when a server answered wrongly. What has been measured is written after every
/// suite, so that whatever happens later takes nothing of it away.
///
/// # Errors
///
/// A sentence when nothing could be measured, or not everything be written.
pub(crate) fn run(options: &Options) -> Result<bool, String> {
    let cores = Cores::find();
    let mut report = blank(options.quick, cores);
    targets::check(options, &report)?;
    let places = Places::find()?;
    process::watch(&places.work).map_err(|err| format!("cannot watch for signals: {err}"))?;
    let suites: Vec<&'static Suite> = SUITES
        .iter()
        .filter(|suite| {
            options.suites.is_empty() || options.suites.iter().any(|name| name == suite.name)
        })
        .collect();
    let with_servers = suites
        .iter()
        .any(|suite| !matches!(suite.work, Work::Own { .. }));
    let mut ready = Vec::new();
    if with_servers {
        (ready, report.left_out) = prepare(&places, options)?;
    }
    let counter = Counter::find();
    report.notes = notes(counter, cores);
    let mut bench = Bench {
        pace: Pace::new(options.quick),
        cores,
        counter,
        places,
        ready,
        progress: Progress::new(1.0),
        taken: Cell::new(0),
    };
    if with_servers {
        introduce(&report);
    }
    let start = Instant::now();
    let seconds: Vec<f64> = suites.iter().map(|suite| expected(&bench, suite)).collect();
    bench.progress = Progress::new(seconds.iter().sum());
    let mut outcome = Ok(true);
    let mut over = 0.0;
    for (suite, seconds) in suites.into_iter().zip(seconds) {
        let began = Instant::now();
        // Whatever is wrong with one suite, the others are to be measured.
        let chapter = panic::catch_unwind(AssertUnwindSafe(|| chapter(&mut bench, suite)));
        bench.progress.clear();
        over += seconds;
        bench.progress.reach(over);
        match chapter {
            Ok(tables) => report.suites.push(Chapter {
                suite,
                rounds: bench.taken.get(),
                tables,
            }),
            Err(_) => outcome = Err(format!("the suite {} broke off, see above", suite.name)),
        }
        eprintln!("{} took {}", suite.name, clock(began.elapsed()));
        if let Err(reason) = targets::write(options, &report) {
            eprintln!("{reason}");
            outcome = Err(reason);
        }
    }
    eprintln!("measured for {}", clock(start.elapsed()));
    outcome.map(|fine| fine && !has_failure(&report))
}

/// Builds and finds the servers; whoever cannot take part is named with the reason.
fn prepare(places: &Places, options: &Options) -> Result<(Vec<Ready>, Vec<LeftOut>), String> {
    let progress = Progress::open();
    progress.step("building", "Squall, the load and the floor", 0.0);
    places.build_own()?;
    let wanted = |name: &str| {
        name == SQUALL
            || options.servers.is_empty()
            || options.servers.iter().any(|wanted| wanted == name)
    };
    let mut ready = Vec::new();
    let mut left_out = Vec::new();
    for server in ROSTER.iter().filter(|server| wanted(server.name)) {
        progress.step("preparing", server.name, 0.0);
        match places.prepare(server) {
            Ok(one) => ready.push(one),
            Err(reason) => {
                progress.clear();
                eprintln!("{} is left out: {reason}", server.name);
                left_out.push((server.name, reason));
            }
        }
    }
    Ok((ready, left_out))
}

/// A report without figures.
fn blank(quick: bool, cores: Cores) -> Report {
    Report {
        date: machine::today(),
        quick,
        rounds: Pace::new(quick).rounds,
        machine: machine::describe(&cores.words()),
        notes: Vec::new(),
        left_out: Vec::new(),
        suites: Vec::new(),
    }
}

/// What limits the figures.
fn notes(counter: Option<Counter>, cores: Cores) -> Vec<String> {
    let mut notes = vec![match counter {
        Some(Counter::Perf) => "Instructions by perf, in the measured rounds.".to_owned(),
        Some(Counter::Callgrind) => "perf cannot count here, so instructions are counted by callgrind in runs of their own, in user space only.".to_owned(),
        None => "Neither perf nor valgrind can count instructions here: those columns are missing.".to_owned(),
    }];
    if cores == Cores::Shared {
        notes.push(
            "There is one core only: server and load share it, and nothing is pinned.".to_owned(),
        );
    }
    notes
}

fn introduce(report: &Report) {
    for (name, value) in &report.machine {
        println!("{name}: {value}");
    }
    println!("rounds: {}, alternating; medians", report.rounds);
    let width = terminal::width();
    for note in &report.notes {
        println!("{}", terminal::wrapped(note, width));
    }
    for (server, reason) in &report.left_out {
        let note = format!("{server} is left out: {reason}");
        println!("{}", terminal::wrapped(&note, width));
    }
}

fn expected(bench: &Bench, suite: &Suite) -> f64 {
    match suite.work {
        Work::Servers(cases) => cases(bench.pace.quick)
            .iter()
            .map(|case| bench.expected(case))
            .sum(),
        Work::Tables { seconds, .. } => seconds(bench),
        Work::Own { seconds, .. } => seconds(bench.pace.quick),
    }
}

fn chapter(bench: &mut Bench, suite: &Suite) -> Vec<Table> {
    if let Work::Own { run, .. } = suite.work {
        return run(bench);
    }
    let width = terminal::width();
    println!(
        "\n## {}\n\n{}\n{}",
        suite.name,
        terminal::wrapped(&format!("{}.", capital(suite.measures)), width),
        terminal::wrapped(&format!("For {}.", suite.audience), width)
    );
    let show = |table: &Table| {
        bench.progress.clear();
        println!("\n{}", terminal::table(table, terminal::width()));
    };
    match suite.work {
        Work::Servers(cases) => cases(bench.pace.quick)
            .iter()
            .map(|case| bench.compare(case))
            .inspect(show)
            .collect(),
        Work::Tables { run, .. } => run(bench).into_iter().inspect(show).collect(),
        Work::Own { .. } => unreachable!("it has run above"),
    }
}

fn has_failure(report: &Report) -> bool {
    let tables = report.suites.iter().flat_map(|chapter| &chapter.tables);
    tables
        .flat_map(|table| &table.rows)
        .any(|row| row.failed.is_some())
}
