//! A short load by wrk and h2load: no error, whatever the speed.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::outside::{output_of, program};
use super::server::Server;
use super::tally::Tally;
use super::{Scene, Step, Trouble, shown};

pub(super) const STEP: Step = Step {
    name: "load",
    what: "wrk and h2load without an error",
    floor: WRK.len() + H2LOAD.len() + 1,
    run,
};

const WRK: [&str; 3] = ["/plaintext", "/inspect", "/static/large.bin"];
/// Pages, and whether a body is sent.
const H2LOAD: [(&str, bool); 5] = [
    ("/plaintext", false),
    ("/json", false),
    ("/stream?n=20", false),
    ("/static/page.html", false),
    ("/", true),
];
/// Requests of one call of h2load.
const REQUESTS: usize = 5000;

fn run(scene: &Scene) -> Result<Tally, Trouble> {
    let wrk = program("wrk", "wrk")?;
    let h2load = program("h2load", "nghttp2-client")?;
    let folder = shown(scene)?;
    let server = Server::start(scene, "load", &["--static", &folder.to_string_lossy()])?;
    let mut tally = Tally::default();
    for page in WRK {
        let mut load = Command::new(&wrk);
        load.args([
            "--threads",
            "1",
            "--connections",
            "64",
            "--duration",
            "2s",
            "--timeout",
            "10s",
        ]);
        load.arg(server.url(page));
        let output = output_of(load, Duration::from_secs(60))?;
        tally.count(&format!("wrk {page}"), judge_wrk(&output));
    }
    for (page, body) in H2LOAD {
        let output = output_of(
            h2load_of(&h2load, &server.url(page), body, &folder),
            Duration::from_secs(120),
        )?;
        tally.count(&format!("h2load {page}"), judge_h2load(&output));
    }
    server.end(&mut tally);
    Ok(tally)
}

fn h2load_of(h2load: &Path, url: &str, body: bool, folder: &Path) -> Command {
    let mut load = Command::new(h2load);
    load.args([
        "--h1",
        "--clients",
        "50",
        "--requests",
        &REQUESTS.to_string(),
    ]);
    if body {
        load.arg("--data").arg(folder.join("page.html"));
    }
    load.arg(url);
    load
}

/// Looks for the line with the number of requests, and for those that tell of trouble.
fn judge_wrk(output: &str) -> Result<(), String> {
    let trouble = ["Socket errors", "Non-2xx or 3xx responses"];
    if let Some(line) = output
        .lines()
        .find(|line| trouble.iter().any(|word| line.contains(word)))
    {
        return Err(line.trim().to_owned());
    }
    let line = output.lines().find(|line| line.contains(" requests in "));
    let count = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    match count {
        Some(1..) => Ok(()),
        _ => Err(format!("no requests in:\n{output}")),
    }
}

fn judge_h2load(output: &str) -> Result<(), String> {
    let requests = format!(
        "requests: {REQUESTS} total, {REQUESTS} started, {REQUESTS} done, {REQUESTS} succeeded, 0 failed, 0 errored, 0 timeout"
    );
    let codes = format!("status codes: {REQUESTS} 2xx, 0 3xx, 0 4xx, 0 5xx");
    for wanted in [requests, codes] {
        if !output.contains(&wanted) {
            return Err(format!("expected `{wanted}` in:\n{output}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_told() {
        let good = "  15 requests in 2.00s, 3MB read\nRequests/sec: 7\n";
        assert_eq!(judge_wrk(good), Ok(()));
        let bad = format!("{good}  Socket errors: connect 0, read 5, write 0, timeout 0\n");
        assert!(judge_wrk(&bad).unwrap_err().starts_with("Socket errors"));
        assert!(judge_wrk("  0 requests in 2.00s, 0B read\n").is_err());
        assert!(judge_wrk("").is_err());
        let good = "requests: 5000 total, 5000 started, 5000 done, 5000 succeeded, 0 failed, 0 errored, 0 timeout\n\
                    status codes: 5000 2xx, 0 3xx, 0 4xx, 0 5xx\n";
        assert_eq!(judge_h2load(good), Ok(()));
        assert!(judge_h2load(&good.replace("0 errored", "1 errored")).is_err());
        assert!(judge_h2load(&good.replace("0 5xx", "1 5xx")).is_err());
    }
}
