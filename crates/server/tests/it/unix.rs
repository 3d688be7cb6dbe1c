//! Unix sockets, and sockets that the process was started with.

use std::env;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use http::Response;
use squall_http::Body;
use squall_net::{IoStream, UnixOptions, inherited_listeners};
use squall_server::{HttpServer, Request};

use crate::wire::Wire;
use crate::{echo, on_loop};

/// Set in the process that inherits sockets.
const ROLE: &str = "SQUALL_TEST_INHERITS";

fn socket_path(name: &str) -> PathBuf {
    env::temp_dir().join(format!("squall-server-{}-{name}.sock", std::process::id()))
}

#[test]
fn requests_are_served_and_the_file_goes_with_the_server() {
    on_loop(async {
        let path = socket_path("served");
        let service = |request: Request| async move {
            let info = request.connect_info();
            let info = info.expect("the server's");
            Response::new(Body::from(format!("{} to {}.", info.peer, info.local)))
        };
        let serving = HttpServer::new(move || service)
            .listen_unix(&path, &UnixOptions::default())?
            .listen("127.0.0.1:0")?
            .serve()?;
        let named = format!("unix:{}", path.display());
        assert_eq!(serving.addresses()[0].to_string(), named);
        assert_eq!(serving.local_addrs(), [serving.local_addr()]);

        let mut wire = Wire::new(IoStream::connect_unix(&path).await?);
        wire.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
        wire.until(&format!("unix to {named}.")).await;
        let report = serving.stop(Duration::from_secs(5)).await;
        assert_eq!(report.idle, 1);
        assert!(!path.exists(), "the file is removed");
        Ok(())
    });
}

#[test]
fn a_path_in_use_is_refused_with_a_remedy() {
    on_loop(async {
        let path = socket_path("taken");
        let options = UnixOptions::default();
        let _serving = HttpServer::new(|| echo)
            .listen_unix(&path, &options)?
            .serve()?;
        let err = HttpServer::new(|| echo)
            .listen_unix(&path, &options)
            .expect_err("it is taken");
        assert_eq!(err.kind(), io::ErrorKind::AddrInUse);
        assert!(err.to_string().contains("another program listens"), "{err}");
        Ok(())
    });
}

/// Not a test but the process that the one below starts.
#[test]
fn the_process_that_inherits() {
    if env::var_os(ROLE).is_none() {
        return;
    }
    let inherited = inherited_listeners().expect("they are in order");
    let names: Vec<_> = inherited.iter().map(|one| one.name.clone()).collect();
    assert!(inherited_listeners().expect("none").is_empty());
    let mut server = HttpServer::new(|| echo).loops(3);
    for one in inherited {
        server = server.listen_on(one.socket);
    }
    writeln!(io::stdout(), "inherited {}", names.join(" and ")).expect("the test reads");
    server.run().expect("it stops by a signal");
}

#[test]
fn inherited_sockets_serve_clients_that_came_before_the_process() {
    let path = socket_path("inherited");
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let unix = UnixListener::bind(&path).expect("a new path");
    let mut early = std::net::TcpStream::connect(tcp.local_addr().expect("bound")).expect("queued");
    let mut early_unix = UnixStream::connect(&path).expect("queued");

    // The standard streams carry the sockets to a shell that gives them the numbers which a service manager does.
    let script = "exec 3<&0 4<&2 </dev/null 2>/dev/null; \
        LISTEN_PID=$$ LISTEN_FDS=2 LISTEN_FDNAMES=web:local exec \"$0\" \"$@\"";
    let mut child = Command::new("sh")
        .args(["-c", script])
        .arg(env::current_exe().expect("this program"))
        .args(["--exact", "unix::the_process_that_inherits", "--nocapture"])
        .env(ROLE, "1")
        .stdin(Stdio::from(OwnedFd::from(tcp)))
        .stderr(Stdio::from(OwnedFd::from(unix)))
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    // Kept to the end, for the process writes to it until then.
    let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
    let named = stdout
        .by_ref()
        .lines()
        .map(|line| line.expect("text"))
        .find(|line| line.contains("inherited"));
    assert!(named.is_some_and(|line| line.ends_with("inherited web and local")));

    for stream in [&mut early as &mut dyn Conversation, &mut early_unix] {
        stream
            .write_all(b"GET /early HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
            .expect("sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.ends_with("GET /early []"), "{answer}");
    }
    let killed = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(killed.success());
    io::copy(&mut stdout, &mut io::sink()).expect("its end");
    assert!(child.wait().expect("it ends").success());
    std::fs::remove_file(&path).expect("the file is left to whoever made it");
}

trait Conversation: Read + Write {}

impl<T: Read + Write> Conversation for T {}
