//! A run of suites, from the builds to the reports.

use std::fs;
use std::path::Path;
use std::time::Instant;

use crate::arguments::Options;
use crate::bench::{Bench, Pace, minutes};
use crate::count::Counter;
use crate::machine;
use crate::pin::Cores;
use crate::process;
use crate::progress::Progress;
use crate::report::{Chapter, LeftOut, Report, Table, html, json, markdown, terminal};
use crate::servers::{Places, ROSTER, Ready, SQUALL};
use crate::suite::{Suite, Work};
use crate::suites::SUITES;

/// Runs what was asked for; false when a server answered wrongly.
///
/// # Errors
///
/// A sentence when nothing could be measured or written.
pub(crate) fn run(options: &Options) -> Result<bool, String> {
    let start = Instant::now();
    check_names(options)?;
    // Better now than after an hour.
    for path in &options.markdown {
        page(path)?;
    }
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
    let (ready, left_out) = if with_servers {
        prepare(&places, options)?
    } else {
        (Vec::new(), Vec::new())
    };
    let mut bench = Bench {
        pace: Pace::new(options.quick),
        cores: Cores::find(),
        counter: Counter::find(),
        places,
        ready,
        progress: Progress::new(1.0),
    };
    let mut report = blank(&bench, left_out);
    if with_servers {
        introduce(&report);
    }
    bench.progress = Progress::new(suites.iter().map(|suite| expected(&bench, suite)).sum());
    for suite in suites {
        let tables = chapter(&mut bench, suite);
        report.suites.push(Chapter { suite, tables });
    }
    write(options, &report)?;
    eprintln!("measured for {}", minutes(start));
    Ok(!has_failure(&report))
}

fn check_names(options: &Options) -> Result<(), String> {
    let names: Vec<&str> = ROSTER.iter().map(|server| server.name).collect();
    match options
        .servers
        .iter()
        .find(|name| !names.contains(&name.as_str()))
    {
        Some(name) => Err(format!(
            "there is no server `{name}`; there are: {}",
            names.join(", ")
        )),
        None => Ok(()),
    }
}

/// Builds and finds the servers; whoever cannot take part is named with the reason.
fn prepare(places: &Places, options: &Options) -> Result<(Vec<Ready>, Vec<LeftOut>), String> {
    eprintln!("building Squall, the load and the floor");
    places.build_own()?;
    let wanted = |name: &str| {
        name == SQUALL
            || options.servers.is_empty()
            || options.servers.iter().any(|wanted| wanted == name)
    };
    let mut ready = Vec::new();
    let mut left_out = Vec::new();
    for server in ROSTER.iter().filter(|server| wanted(server.name)) {
        eprintln!("preparing {}", server.name);
        match places.prepare(server) {
            Ok(one) => ready.push(one),
            Err(reason) => {
                eprintln!("{} is left out: {reason}", server.name);
                left_out.push((server.name, reason));
            }
        }
    }
    Ok((ready, left_out))
}

fn blank(bench: &Bench, left_out: Vec<LeftOut>) -> Report {
    let mut notes = Vec::new();
    match bench.counter {
        Some(Counter::Perf) => notes.push("Instructions by perf, in the measured rounds.".to_owned()),
        Some(Counter::Callgrind) => notes.push(
            "perf cannot count here, so instructions are counted by callgrind in runs of their own, in user space only.".to_owned(),
        ),
        None => notes.push(
            "Neither perf nor valgrind can count instructions here: those columns are empty.".to_owned(),
        ),
    }
    if bench.cores == Cores::Shared {
        notes.push(
            "There is one core only: server and load share it, and nothing is pinned.".to_owned(),
        );
    }
    Report {
        date: machine::today(),
        quick: bench.pace.quick,
        rounds: bench.pace.rounds,
        machine: machine::describe(&bench.cores.words()),
        notes,
        left_out,
        suites: Vec::new(),
    }
}

fn introduce(report: &Report) {
    for (name, value) in &report.machine {
        println!("{name}: {value}");
    }
    println!("rounds: {}, alternating; medians", report.rounds);
    for note in &report.notes {
        println!("{note}");
    }
    for (server, reason) in &report.left_out {
        println!("{server} is left out: {reason}");
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
    println!(
        "\n## {}\n\n{}.\nFor {}.",
        suite.name, suite.measures, suite.audience
    );
    let show = |table: &Table| {
        bench.progress.clear();
        println!("\n{}", terminal::table(table));
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

fn write(options: &Options, report: &Report) -> Result<(), String> {
    let write = |path: &Path, text: String| {
        fs::write(path, text).map_err(|err| format!("cannot write {}: {err}", path.display()))
    };
    if let Some(path) = &options.json {
        write(path, format!("{:#}\n", json::report(report)))?;
    }
    if let Some(path) = &options.html {
        write(path, html::report(report))?;
    }
    for path in &options.markdown {
        let page = page(path)?;
        let page = markdown::refresh(&page, report)
            .map_err(|err| format!("cannot rewrite {}: {err}", path.display()))?;
        write(path, page)?;
    }
    Ok(())
}

fn page(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|err| format!("cannot read {}: {err}", path.display()))
}

fn has_failure(report: &Report) -> bool {
    let tables = report.suites.iter().flat_map(|chapter| &chapter.tables);
    tables
        .flat_map(|table| &table.rows)
        .any(|row| row.failed.is_some())
}
