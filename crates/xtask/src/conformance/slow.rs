//! Clients that are slow on purpose, as slowhttptest plays them, against short time limits.
//!
//! Up to 200 connections are opened within two seconds. While they trickle, a new client must get its answer at any time; and
//! once the server's limits are over, all of them must be gone.

use std::fs::{self, File};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use super::outside::{output_of, program};
use super::server::Server;
use super::tally::Tally;
use super::{Scene, Step, Trouble, shown};

pub(super) const STEP: Step = Step {
    name: "slow",
    what: "slowhttptest with short time limits",
    // Three modes, of which each has three cases and a server.
    floor: 12,
    run,
};

/// The ways to be slow: name, page, connections, options.
const MODES: [(&str, &str, &str, &[&str]); 3] = [
    ("slow heads", "/", "200", &["-H"]),
    ("slow bodies", "/", "200", &["-B", "-s", "8192"]),
    // Fewer, for the kernel holds some megabytes of the answer for each.
    (
        "slow readers",
        "/static/huge.bin",
        "50",
        &["-X", "-w", "1000", "-y", "2000", "-n", "1", "-z", "32"],
    ),
];
/// Every limit that has to do with it.
const LIMITS: [&str; 8] = [
    "--head-timeout",
    "4s",
    "--body-timeout",
    "4s",
    "--write-timeout",
    "4s",
    "--keep-alive-timeout",
    "4s",
];
/// Seconds of a mode: to open all connections, to let the limits pass, and some for a machine that is busy.
const SECONDS: &str = "14";
/// How long they may take to go: less than a test lasts, which closes what is left.
const WATCH: Duration = Duration::from_secs(13);
/// Connections by which the tester looks whether others are served, with some to spare.
const PROBES: usize = 4;
/// Seconds before which no limit can be over.
const EARLIEST: u64 = 3;

fn run(scene: &Scene) -> Result<Tally, Trouble> {
    let tester = program("slowhttptest", "slowhttptest")?;
    let folder = huge_file(scene)?;
    let mut tally = Tally::default();
    for (name, page, connections, options) in MODES {
        let mut flags = LIMITS.to_vec();
        flags.extend(["--static", &folder]);
        let server = Server::start(scene, "slow", &flags)?;
        let prefix = scene.folder.join("slow");
        let mut test = Command::new(&tester);
        test.args(options)
            .args([
                "-c",
                connections,
                "-r",
                "100",
                "-i",
                "1",
                "-l",
                SECONDS,
                "-p",
                "2",
                "-g",
                "-o",
            ])
            .arg(&prefix)
            .args(["-u", &server.url(page)]);
        let (_, port) = server.address.rsplit_once(':').unwrap_or_default();
        let port = port
            .parse()
            .map_err(|_| format!("no port in {}", server.address))?;
        let gone = thread::scope(|scope| {
            let watch = scope.spawn(move || see_them_go(port));
            output_of(test, Duration::from_secs(60))?;
            watch.join().map_err(|_| "the watch panicked".to_owned())
        })?;
        let file = prefix.with_extension("csv");
        let table = fs::read_to_string(&file)
            .map_err(|err| format!("cannot read {}: {err}", file.display()))?;
        judge(name, &table, gone, &mut tally);
        server.end(&mut tally);
    }
    Ok(tally)
}

/// A folder with a file that is larger than what the kernel holds for a connection.
fn huge_file(scene: &Scene) -> Result<String, String> {
    let folder = shown(scene)?;
    let file = folder.join("huge.bin");
    let made = File::create(&file).and_then(|file| file.set_len(32 << 20));
    made.map_err(|err| format!("cannot write {}: {err}", file.display()))?;
    Ok(folder.to_string_lossy().into_owned())
}

/// Whether the connections of a server come and go while the tester would keep them.
///
/// The kernel is asked because the tester is slow to see that a connection is gone when it reads little of it.
fn see_them_go(port: u16) -> bool {
    let end = Instant::now() + WATCH;
    let mut came = false;
    while Instant::now() < end {
        let table = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
        let open = established(&table, port);
        came |= open > PROBES;
        if came && open <= PROBES {
            return true;
        }
        thread::sleep(Duration::from_millis(100));
    }
    false
}

/// The open connections to a port, on the side of the server, in the kernel's table.
fn established(table: &str, port: u16) -> usize {
    let local = format!(":{port:04X}");
    let open = table.lines().filter(|line| {
        let mut words = line.split_whitespace().skip(1);
        let here = words
            .next()
            .is_some_and(|address| address.ends_with(&local));
        // The state 01 is ESTABLISHED.
        here && words.nth(1) == Some("01")
    });
    open.count()
}

/// A second of a test.
#[derive(Debug)]
struct Moment {
    second: u64,
    closed: u64,
    connected: u64,
    available: u64,
}

fn judge(name: &str, table: &str, gone: bool, tally: &mut Tally) {
    let moments: Vec<Moment> = table.lines().filter_map(moment).collect();
    let count = moments.len();
    let away = moments.iter().find(|moment| moment.available == 0);
    let outcome = match away {
        _ if count < 3 => Err(format!("only {count} moments in:\n{table}")),
        Some(moment) => Err(format!("others got no answer: {moment:?}")),
        None => Ok(()),
    };
    tally.count(&format!("{name}, others are served"), outcome);
    let early = moments
        .iter()
        .find(|moment| moment.second < EARLIEST && moment.closed > 0);
    let most = moments.iter().map(|moment| moment.connected).max();
    let outcome = match (early, most) {
        (Some(moment), _) => Err(format!("closed before a limit was over: {moment:?}")),
        (None, Some(most)) if most > 0 => Ok(()),
        _ => Err("nobody was connected".to_owned()),
    };
    tally.count(&format!("{name}, they are given their time"), outcome);
    let outcome = match gone {
        true => Ok(()),
        false => Err(format!("some are still open, at last {:?}", moments.last())),
    };
    tally.count(&format!("{name}, they are gone at the end"), outcome);
}

/// Reads a line of the table: `Seconds,Closed,Pending,Connected,Service Available`, the last either 0 or not.
fn moment(line: &str) -> Option<Moment> {
    let mut numbers = line.split(',').map(|number| number.trim().parse::<u64>());
    let mut next = || numbers.next()?.ok();
    Some(Moment {
        second: next()?,
        closed: next()?,
        // Before it stands the number of those that are pending.
        connected: next().and_then(|_| next())?,
        available: next()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(table: &str, gone: bool) -> String {
        let mut tally = Tally::default();
        judge("slow", table, gone, &mut tally);
        tally.to_string()
    }

    #[test]
    fn a_server_that_waits_for_ever_fails() {
        let head = "Seconds,Closed,Pending,Connected,Service Available\n";
        let good = format!("{head}0,0,5,195,200\n1,0,0,200,200\n6,150,0,50,200\n8,200,0,0,200\n");
        assert_eq!(judged(&good, true), "3 passed, 0 failed");
        assert_eq!(judged(&good, false), "2 passed, 1 failed");
        assert_eq!(
            judged(&good.replace("50,200", "50,0"), true),
            "2 passed, 1 failed"
        );
        assert_eq!(
            judged(&good.replace("1,0,0,200", "1,9,0,191"), true),
            "2 passed, 1 failed"
        );
        assert_eq!(judged(head, false), "0 passed, 3 failed");
    }

    #[test]
    fn connections_are_counted_in_the_table_of_the_kernel() {
        let table = "\
  sl  local_address rem_address   st tx_queue rx_queue
   0: 0100007F:1F98 00000000:0000 0A 00000000:00000000
   1: 0100007F:1F98 0100007F:B2AA 01 00000000:00000000
   2: 0100007F:B2AA 0100007F:1F98 01 00000000:00000000
   3: 0100007F:1F98 0100007F:B2AC 04 00000000:00000000
";
        assert_eq!(established(table, 8088), 1);
        assert_eq!(established(table, 80), 0);
    }
}
