//! Several loops on their threads, and signals; in a process of its own.

use std::env;
use std::error::Error;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use http::Response;
use squall_http::Body;
use squall_ioloop::sleep;
use squall_server::{Answer, HttpServer, Request, Service};

use crate::echo;

/// Set in the process that is to serve.
const ROLE: &str = "SQUALL_TEST_SERVES";

/// Not a test but the other process of the tests below, when they say so.
#[test]
fn the_serving_process() {
    if env::var_os(ROLE).is_none() {
        return;
    }
    let server = HttpServer::new(|| slow)
        .loops(2)
        .listen("127.0.0.1:0")
        .expect("a free port");
    let addr = server.local_addr().expect("it listens");
    writeln!(io::stdout(), "serving on {addr}").expect("the other process reads");
    let outcome = server.run();
    writeln!(
        io::stdout(),
        "outcome {:?}",
        outcome.map_err(|err| err.kind())
    )
    .expect("the other process reads");
}

/// Not a test but the other process of one below, which has no descriptors to spare but one for a connection.
#[test]
fn the_process_short_of_descriptors() {
    if env::var_os(ROLE).is_none() {
        return;
    }
    crate::on_loop(async {
        let serving = HttpServer::new(|| slow).listen("127.0.0.1:0")?.serve()?;
        let mut files = Vec::new();
        while let Ok(file) = File::open("/dev/null") {
            files.push(file);
        }
        files.pop();
        writeln!(io::stdout(), "serving on {}", serving.local_addr())?;
        while serving.counts().requests == 0 {
            sleep(Duration::from_millis(5)).await;
        }
        serving.stop(Duration::from_secs(5)).await;
        writeln!(io::stdout(), "outcome served")?;
        Ok(())
    });
}

/// Not a test but the other process of the one below.
#[test]
fn the_process_that_cannot_serve() {
    if env::var_os(ROLE).is_none() {
        return;
    }
    let factory = || {
        writeln!(io::stdout(), "made").expect("the other process reads");
        Misconfigured
    };
    let outcome = HttpServer::new(factory)
        .loops(3)
        .listen("127.0.0.1:0")
        .expect("a free port")
        .run();
    let err = outcome.expect_err("nothing can be served");
    writeln!(io::stdout(), "{:?}: {err}", err.kind()).expect("the other process reads");
}

#[test]
fn a_service_that_finds_itself_wrong_keeps_the_server_from_starting() {
    let output = Command::new(this_program())
        .args([
            "--exact",
            "run::the_process_that_cannot_serve",
            "--nocapture",
        ])
        .env(ROLE, "1")
        .output()
        .expect("this program starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said.matches("made\n").count(), 1, "{said}");
    let outcome = "InvalidInput: no route leads anywhere: the map is empty\n";
    assert!(said.contains(outcome), "{said}");
}

#[test]
fn serve_refuses_such_a_service_too() {
    crate::on_loop(async {
        let server = HttpServer::new(|| Misconfigured).listen("127.0.0.1:0")?;
        let err = server.serve().expect_err("nothing can be served");
        assert_eq!(err.to_string(), "no route leads anywhere: the map is empty");
        Ok(())
    });
}

struct Misconfigured;

impl Service for Misconfigured {
    fn call(&self, _request: Request) -> Answer {
        unreachable!("it never serves")
    }

    fn check(&self) -> Result<(), Box<dyn Error>> {
        Err(Box::new(Nowhere(io::Error::other("the map is empty"))))
    }
}

#[derive(Debug)]
struct Nowhere(io::Error);

impl fmt::Display for Nowhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no route leads anywhere")
    }
}

impl Error for Nowhere {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// Answers `/slow/MILLISECONDS` after that time, everything else at once.
async fn slow(request: Request) -> Response<Body> {
    if let Some(text) = request.uri().path().strip_prefix("/slow/") {
        sleep(Duration::from_millis(text.parse().expect("milliseconds"))).await;
    }
    echo(request).await
}

struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    addr: SocketAddr,
}

impl Server {
    fn start() -> Self {
        Self::spawn(
            &mut Command::new(this_program()),
            "run::the_serving_process",
        )
    }

    /// Starts a server that may have so many descriptors open.
    fn start_with_descriptors(most: u32, process: &str) -> Self {
        let script = format!("ulimit -n {most}; exec \"$0\" \"$@\"");
        let mut shell = Command::new("sh");
        Self::spawn(shell.args(["-c", &script]).arg(this_program()), process)
    }

    fn spawn(program: &mut Command, process: &str) -> Self {
        let mut child = program
            .args(["--exact", process, "--nocapture"])
            .env(ROLE, "1")
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
        let addr = find(&mut stdout, "serving on ")
            .parse()
            .expect("an address");
        Self {
            child,
            stdout,
            addr,
        }
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(self.addr).expect("the server listens")
    }

    fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([name, &self.child.id().to_string()])
            .status();
        assert!(status.expect("kill is there").success());
    }

    fn outcome(mut self) -> String {
        let outcome = find(&mut self.stdout, "outcome ");
        self.child.wait().expect("it ends");
        outcome
    }
}

fn this_program() -> PathBuf {
    env::current_exe().expect("the path of this program")
}

/// Returns what follows `mark` in the first line that has it.
fn find(lines: &mut impl BufRead, mark: &str) -> String {
    loop {
        let mut line = String::new();
        assert_ne!(
            lines.read_line(&mut line).expect("text"),
            0,
            "the process ended early"
        );
        if let Some((_, rest)) = line.split_once(mark) {
            return rest.trim().to_owned();
        }
    }
}

fn get(stream: &mut TcpStream, path: &str) {
    write!(stream, "GET {path} HTTP/1.1\r\nHost: test\r\n\r\n").expect("the server reads");
}

fn read_until(stream: &mut TcpStream, mark: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(mark) {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("the server answers");
        text.push(char::from(byte[0]));
    }
    text
}

#[test]
fn sigterm_lets_a_slow_answer_finish_on_whichever_loop_it_is() {
    let server = Server::start();
    let mut streams: Vec<_> = (0..16).map(|_| server.connect()).collect();
    for stream in &mut streams {
        get(stream, "/warm");
        read_until(stream, "GET /warm []");
        get(stream, "/slow/300");
    }
    let mut idle = server.connect();
    get(&mut idle, "/warm");
    read_until(&mut idle, "GET /warm []");
    server.signal("-TERM");
    for stream in &mut streams {
        let mut answer = String::new();
        stream
            .read_to_string(&mut answer)
            .expect("the answer and the end");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
        assert!(answer.ends_with("GET /slow/300 []"), "{answer}");
    }
    assert_eq!(idle.read(&mut [0]).expect("the end"), 0);
    assert_eq!(server.outcome(), "Ok(())");
}

#[test]
fn a_second_ctrl_c_ends_at_once() {
    let server = Server::start();
    let mut stream = server.connect();
    get(&mut stream, "/slow/600000");
    let mut idle = server.connect();
    get(&mut idle, "/warm");
    read_until(&mut idle, "GET /warm []");
    server.signal("-INT");
    assert_eq!(idle.read(&mut [0]).expect("closed by the first signal"), 0);
    server.signal("-INT");
    assert_eq!(server.outcome(), "Err(Interrupted)");
}

#[test]
fn out_of_descriptors_it_accepts_again_when_there_are_some() {
    let server = Server::start_with_descriptors(48, "run::the_serving_process");
    let mut streams: Vec<_> = (0..80).map(|_| server.connect()).collect();
    for stream in &mut streams {
        get(stream, "/waiting");
    }
    let answered = |stream: &TcpStream| {
        stream
            .set_nonblocking(true)
            .expect("a property of the socket");
        stream.peek(&mut [0]).is_ok()
    };
    while streams.iter().filter(|stream| answered(stream)).count() < 20 {
        thread::yield_now();
    }
    assert!(
        !streams.iter().all(answered),
        "there are no descriptors for all of them"
    );
    drop(streams);
    let mut stream = server.connect();
    get(&mut stream, "/again");
    read_until(&mut stream, "GET /again []");
    drop(stream);
    server.signal("-TERM");
    assert_eq!(server.outcome(), "Ok(())");
}

#[test]
fn a_connection_takes_one_descriptor_the_first_one_too() {
    let server = Server::start_with_descriptors(32, "run::the_process_short_of_descriptors");
    let mut stream = server.connect();
    get(&mut stream, "/first");
    read_until(&mut stream, "GET /first []");
    assert_eq!(server.outcome(), "served");
}
