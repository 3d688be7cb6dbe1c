//! The answers of the server, read by httplint.

use std::fs;
use std::process::Command;
use std::time::Duration;

use super::outside::{output_of, python};
use super::server::Server;
use super::tally::Tally;
use super::wire::exchange;
use super::{Scene, Step, Trouble, shown};

pub(super) const STEP: Step = Step {
    name: "lint",
    what: "httplint's opinion of answers of every kind",
    floor: REQUESTS.len() + 1,
    run,
};

/// A request line, fields and a body, and the status of the answer.
const REQUESTS: &[(&str, &str, u16)] = &[
    ("GET /plaintext", "\r\n", 200),
    ("GET /json", "\r\n", 200),
    ("GET /inspect", "\r\n", 200),
    ("GET /stream?n=20", "\r\n", 200),
    ("GET /stream?n=0", "\r\n", 200),
    (
        "POST /",
        "Content-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello",
        200,
    ),
    (
        "POST /mirror",
        "Content-Length: 5\r\nContent-Type: text/plain\r\n\r\nhello",
        200,
    ),
    ("OPTIONS *", "\r\n", 200),
    ("GET /static/page.html", "\r\n", 200),
    ("GET /static/page.html", "Range: bytes=0-3\r\n\r\n", 206),
    ("GET /static/page.html", "Range: bytes=9999-\r\n\r\n", 416),
    ("GET /static/page.html", "If-None-Match: *\r\n\r\n", 304),
    ("GET /static/page.html", "If-Match: \"other\"\r\n\r\n", 412),
    ("GET /static/none", "\r\n", 404),
    ("POST /static/page.html", "\r\n", 405),
    ("GET /", "Host: another\r\n\r\n", 400),
    ("POST /", "Content-Length: 999999999999\r\n\r\n", 413),
    ("GET /", "Expect: miracle\r\n\r\n", 417),
    ("POST /", "Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
];

fn run(scene: &Scene) -> Result<Tally, Trouble> {
    let linter = python(scene)?.with_file_name("httplint");
    let folder = shown(scene)?;
    let server = Server::start(scene, "lint", &["--static", &folder.to_string_lossy()])?;
    let mut tally = Tally::default();
    for (line, rest, code) in REQUESTS {
        let request = format!("{line} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{rest}");
        let answer = exchange(&server.address, request.as_bytes())?;
        let file = scene.folder.join("lint.answer");
        fs::write(&file, &answer)
            .map_err(|err| format!("cannot write {}: {err}", file.display()))?;
        let mut lint = Command::new("sh");
        lint.args(["-c", "exec \"$0\" -n <\"$1\""])
            .arg(&linter)
            .arg(&file);
        let opinion = output_of(lint, Duration::from_secs(30))?;
        let fine = judge(&answer, *code, &opinion);
        tally.count(&format!("{line} ({code})"), fine);
    }
    server.end(&mut tally);
    Ok(tally)
}

fn judge(answer: &[u8], code: u16, opinion: &str) -> Result<(), String> {
    let line = format!("HTTP/1.1 {code} ");
    if !answer.starts_with(line.as_bytes()) {
        let head = String::from_utf8_lossy(answer);
        return Err(format!(
            "expected {code}, found `{}`",
            head.lines().next().unwrap_or_default()
        ));
    }
    if !opinion.contains("* [") {
        return Err(format!("httplint has nothing to say: {}", opinion.trim()));
    }
    match opinion.lines().find(|line| line.contains("[BAD]")) {
        Some(bad) => Err(bad.trim().to_owned()),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_bad_fails_and_so_does_silence() {
        let answer = b"HTTP/1.1 200 OK\r\n\r\n";
        assert_eq!(judge(answer, 200, "* [GOOD] a\n* [WARN] b\n"), Ok(()));
        assert_eq!(
            judge(answer, 200, "* [GOOD] a\n* [BAD] b\n"),
            Err("* [BAD] b".to_owned())
        );
        assert!(judge(answer, 200, "\n").is_err());
        assert_eq!(
            judge(answer, 404, "* [GOOD] a").unwrap_err(),
            "expected 404, found `HTTP/1.1 200 OK`"
        );
    }
}
