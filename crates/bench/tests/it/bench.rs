//! The bench itself: what goes wrong around it, and what it says and leaves behind then.
//!
//! It runs in a folder of its own, with a cargo that builds nothing but puts scripts where the programs are expected,
//! and finds no program that is not put there: no perf, no valgrind, no peers.

#![allow(
    clippy::unwrap_used,
    reason = "the helpers of the tests fail with the test"
)]

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::load::server::{Reply, Server, answer};

/// A folder with a bench in it, removed in the end.
struct Place {
    folder: PathBuf,
}

/// How a run ended.
struct Run {
    status: ExitStatus,
    out: String,
    err: String,
}

impl Place {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("squall-bench-{}-{name}", std::process::id()));
        for part in ["bin", "target/release"] {
            fs::create_dir_all(folder.join(part)).unwrap();
        }
        let place = Self { folder };
        // The bench looks for everything beside itself.
        fs::copy(
            env!("CARGO_BIN_EXE_squall-bench"),
            place.path("target/release/squall-bench"),
        )
        .unwrap();
        fs::copy(
            env!("CARGO_BIN_EXE_squall-load"),
            place.path("target/release/squall-load"),
        )
        .unwrap();
        place.script("bin/cargo", "exit 0");
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn script(&self, name: &str, lines: &str) {
        let path = self.path(name);
        // Renamed into its place: one that is being written cannot be run.
        let new = self.path("new");
        fs::write(&new, format!("#!/bin/sh\n{lines}\n")).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(&new, path).unwrap();
    }

    /// A program that says it listens where in truth a server of the test does.
    fn announcer(&self, name: &str, address: SocketAddr) {
        self.script(
            name,
            &format!("echo http://{address}/\nexec /bin/sleep 300"),
        );
    }

    fn start(&self, arguments: &str) -> Child {
        let file = |name| fs::File::create(self.path(name)).unwrap();
        Command::new(self.path("target/release/squall-bench"))
            .args(arguments.split_whitespace())
            .current_dir(&self.folder)
            .env("PATH", self.path("bin"))
            .env("CARGO", self.path("bin/cargo"))
            .stdin(Stdio::null())
            .stdout(file("out"))
            .stderr(file("err"))
            .spawn()
            .unwrap()
    }

    fn end(&self, mut child: Child) -> Run {
        let status = child.wait().unwrap();
        let text = |name| fs::read_to_string(self.path(name)).unwrap();
        Run {
            status,
            out: text("out"),
            err: text("err"),
        }
    }

    fn run(&self, arguments: &str) -> Run {
        self.end(self.start(arguments))
    }

    /// What runs out of this folder, or was started by something that does.
    fn survivors(&self) -> Vec<String> {
        let own = self.folder.to_str().unwrap().to_owned();
        fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .filter(|entry| {
                fs::read_link(entry.path().join("cwd")).is_ok_and(|folder| folder.starts_with(&own))
            })
            .filter_map(|entry| fs::read_to_string(entry.path().join("cmdline")).ok())
            .collect()
    }

    fn has_work_folder(&self) -> bool {
        let mut entries = fs::read_dir(self.path("target")).unwrap().flatten();
        entries.any(|entry| {
            entry
                .file_name()
                .to_string_lossy()
                .starts_with("bench-work")
        })
    }

    fn assert_nothing_is_left(&self) {
        assert_eq!(self.survivors(), Vec::<String>::new());
        assert!(!self.has_work_folder());
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

#[track_caller]
fn assert_says(text: &str, what: &str) {
    assert!(text.contains(what), "no `{what}` in:\n{text}");
}

fn wait_for(path: &Path) {
    let until = Instant::now() + Duration::from_secs(30);
    while !path.exists() {
        assert!(Instant::now() < until, "{} does not come", path.display());
        std::thread::sleep(Duration::from_millis(2));
    }
}

fn right() -> Reply {
    Reply::Bytes(answer("Hello, World!"))
}

#[test]
fn a_server_that_answers_wrongly_is_failed_and_the_others_are_measured() {
    let place = Place::new("wrong");
    let fine = Server::new(|_| right());
    let wrong = Server::new(|request| match request.number {
        // After the probe, under load.
        50 => Reply::Bytes(answer("Hello, World?")),
        _ => right(),
    });
    place.announcer("target/release/squall-subject", wrong.addr);
    place.announcer("target/release/squall-floor", fine.addr);
    fs::write(
        place.path("page.md"),
        "<!-- bench:plaintext -->\nold\n<!-- bench:end -->\n",
    )
    .unwrap();
    let run =
        place.run("plaintext --quick --only squall-floor --json j --html h --markdown page.md");
    assert_eq!(run.status.code(), Some(1), "{}", run.err);
    let why = "1 wrong answers, the first: GET /plaintext, answer ";
    assert_says(&run.out, &format!("squall failed: {why}"));
    assert_says(
        &run.out,
        "Neither perf nor valgrind can count instructions here",
    );
    let report: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(place.path("j")).unwrap()).unwrap();
    let rows = &report["suites"][0]["tables"][0]["rows"];
    assert_says(rows[0]["failed"].as_str().unwrap(), why);
    assert_eq!(rows[0]["ratio"], serde_json::Value::Null);
    assert!(
        rows[1]["cells"]["rate"]["median"].as_f64().unwrap() > 0.0,
        "{rows}"
    );
    assert_says(
        &fs::read_to_string(place.path("h")).unwrap(),
        "failed</span>",
    );
    let page = fs::read_to_string(place.path("page.md")).unwrap();
    assert_says(&page, &format!("squall failed: {why}"));
    assert!(!page.contains("old"), "{page}");
    for text in [&run.out, &run.err] {
        let control = |letter: char| letter.is_control() && letter != '\n';
        assert!(!text.contains(control), "{text:?}");
    }
    place.assert_nothing_is_left();
}

#[test]
fn who_cannot_take_part_is_named_and_who_does_not_run_has_failed() {
    let place = Place::new("broken");
    place.script(
        "bin/cargo",
        "case \"$*\" in *peer-hyper*) echo 'error: no such crate' >&2; exit 101;; esac",
    );
    place.script(
        "target/release/squall-subject",
        "echo 'no room' >&2; exit 3",
    );
    place.script("bin/nginx", "case \"$1\" in -v) echo nginx/1.2.3 >&2;; *) echo \"$4\" >> \"$COUNT\"; echo 'bind() failed (98: Address already in use)' >&2; exit 1;; esac".replace("$COUNT", place.path("starts").to_str().unwrap()).as_str());
    let run = place.run("plaintext json --quick --only hyper,nginx,tornado,bun");
    assert_eq!(run.status.code(), Some(1), "{}", run.err);
    for (server, reason) in [
        ("hyper", "failed: error: no such crate"),
        ("tornado", "`python3` is not installed, or not in PATH"),
        ("bun", "`npm` is not installed, or not in PATH"),
    ] {
        for text in [&run.out, &run.err] {
            let at = text.find(&format!("{server} is left out: ")).unwrap();
            assert_says(text[at..].lines().next().unwrap(), reason);
        }
    }
    assert_says(
        &run.out,
        "squall failed: squall ended with exit status: 3: no room",
    );
    // In both suites: the one does not end the other.
    let told = "nginx failed: nginx, told to listen at 127.0.0.1:";
    assert_eq!(run.out.matches(told).count(), 2, "{}", run.out);
    let busy = ", ended with exit status: 1: bind() failed (98: Address already in use)";
    assert_eq!(run.out.matches(busy).count(), 2, "{}", run.out);
    // A port that is taken is left for another.
    let starts = fs::read_to_string(place.path("starts")).unwrap();
    assert_eq!(starts.lines().count(), 6, "{starts}");
    place.assert_nothing_is_left();
}

#[test]
fn an_interruption_ends_a_build_and_what_it_has_started() {
    for signal in ["INT", "TERM", "HUP"] {
        let place = Place::new(&format!("build-{signal}"));
        let begun = place.path("begun");
        place.script(
            "bin/cargo",
            &format!(
                "cd {}\n/bin/sleep 300 &\n: > {}\n/bin/sleep 300",
                place.folder.display(),
                begun.display()
            ),
        );
        assert_interrupted(&place, "plaintext --quick", signal, &begun);
    }
}

#[test]
fn an_interruption_ends_servers_and_the_load() {
    let place = Place::new("load");
    let begun = place.path("begun");
    let sign = begun.clone();
    let server = Server::new(move |request| {
        if request.number == 50 {
            fs::write(&sign, "").unwrap();
        }
        right()
    });
    place.announcer("target/release/squall-subject", server.addr);
    assert_interrupted(&place, "plaintext --json j --only squall", "INT", &begun);
}

#[track_caller]
fn assert_interrupted(place: &Place, arguments: &str, signal: &str, begun: &Path) {
    let child = place.start(arguments);
    wait_for(begun);
    assert!(!place.survivors().is_empty());
    let kill = Command::new("/bin/kill")
        .args([&format!("-{signal}"), &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    let run = place.end(child);
    assert_eq!(run.status.code(), Some(130), "{}", run.err);
    assert_says(&run.err, "interrupted; ended ");
    place.assert_nothing_is_left();
}

#[test]
fn what_cannot_be_done_is_said_before_anything_is_built() {
    let place = Place::new("options");
    place.script("bin/cargo", "exec /bin/sleep 300");
    for (arguments, code, what) in [
        ("plaintxt", 2, "found `plaintxt`"),
        ("--only hyper,axom", 2, "there is no server `axom`"),
        (
            "--json --quick",
            2,
            "expected a file after `--json`, found `--quick`",
        ),
        ("--html absent/h", 1, "cannot write absent/h: No such file"),
        ("--json .", 1, "cannot write .: Is a directory"),
        (
            "--markdown absent.md",
            1,
            "cannot read absent.md: No such file",
        ),
        ("--json x --html x", 1, "x is to be written twice"),
    ] {
        let run = place.run(arguments);
        assert_eq!(run.status.code(), Some(code), "{arguments}: {}", run.err);
        assert_says(&run.err, what);
        assert_eq!(run.err.lines().count(), 1, "{}", run.err);
        assert_eq!(run.out, "");
    }
}
