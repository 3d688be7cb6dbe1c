//! Serving over TLS: our own client, and other programs where the machine has them.

use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use http::Response;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use squall_http::Body;
use squall_ioloop::{IoLoop, ThreadPoolExecutor, moment, sleep, spawn};
use squall_net::IoStream;
use squall_net::tls::{ClientTls, ServerTls};
use squall_server::{Config, HttpServer, Request, Serving, WhenFull};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::log::Log;
use crate::on_loop;
use crate::wire::Wire;

/// The files of an authority, and of a server and a client that it vouches for.
struct Files(PathBuf);

impl Files {
    fn new(test: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("squall-https-{}-{test}", std::process::id()));
        fs::create_dir(&folder).expect("a new folder");
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        // OpenSSL takes a certificate whose subject is its issuer's for self-signed.
        params
            .distinguished_name
            .push(DnType::CommonName, "the authority");
        let authority_key = KeyPair::generate().expect("a key");
        let authority = params.self_signed(&authority_key).expect("a certificate");
        let write = |name: &str, text: String| fs::write(folder.join(name), text).expect("written");
        write("ca.pem", authority.pem());
        for (name, usage) in [
            ("server", ExtendedKeyUsagePurpose::ServerAuth),
            ("client", ExtendedKeyUsagePurpose::ClientAuth),
        ] {
            let names = ["localhost", "127.0.0.1"].map(str::to_owned);
            let mut params = CertificateParams::new(names).expect("names");
            params.extended_key_usages = vec![usage];
            params.distinguished_name.push(DnType::CommonName, name);
            let key = KeyPair::generate().expect("a key");
            let made = params.signed_by(&key, &authority, &authority_key);
            write(&format!("{name}.pem"), made.expect("a certificate").pem());
            write(&format!("{name}.key"), key.serialize_pem());
        }
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn server(&self) -> io::Result<ServerTls> {
        ServerTls::new(self.path("server.pem"), self.path("server.key"))
    }

    fn client(&self) -> io::Result<ClientTls> {
        ClientTls::trusting(self.path("ca.pem"))
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).expect("it was there");
    }
}

/// Answers with what it knows of the connection.
async fn secured(request: Request) -> Response<Body> {
    let info = request.connect_info().and_then(|info| info.tls.clone());
    let text = info.map_or_else(
        || "plain".to_owned(),
        |info| {
            let (name, certificates) = (info.server_name.as_deref(), info.certificates.len());
            format!(
                "{} for {} from {certificates}",
                info.version,
                name.unwrap_or("nobody")
            )
        },
    );
    Response::new(Body::from(format!("{text}.")))
}

fn serve(config: Config, tls: ServerTls) -> io::Result<Serving> {
    HttpServer::new(|| secured)
        .config(config)
        .listen_tls("127.0.0.1:0", tls)?
        .serve()
}

/// Runs a program that asks the server on this loop.
async fn output_of(mut command: Command) -> Result<Option<String>, Box<dyn std::error::Error>> {
    command.stdin(Stdio::null());
    let name = command.get_program().to_string_lossy().into_owned();
    let ran = ThreadPoolExecutor::new(1)
        .submit(move || command.output())
        .await?;
    match ran {
        Ok(output) => {
            let said = [output.stdout, output.stderr].concat();
            Ok(Some(String::from_utf8_lossy(&said).into_owned()))
        }
        Err(err) if err.kind() == io::ErrorKind::NotFound => {
            let _ = writeln!(io::stderr(), "note: no {name} here, so the test skips");
            Ok(None)
        }
        Err(err) => Err(err.into()),
    }
}

async fn ask(serving: &Serving, tls: &ClientTls) -> Result<Wire, Box<dyn std::error::Error>> {
    let stream = IoStream::connect_tls("localhost", serving.local_addr().port(), tls).await?;
    let mut wire = Wire::new(stream);
    wire.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
    Ok(wire)
}

#[test]
fn requests_are_answered_and_a_stop_ends_with_the_closing_alert() {
    on_loop(async {
        let files = Files::new("served");
        let serving = serve(Config::default(), files.server()?)?;
        let mut wire = ask(&serving, &files.client()?).await?;
        wire.until("TLSv1.3 for localhost from 0.").await;
        // The name of another site, which is the service's affair.
        wire.send("GET / HTTP/1.1\r\nHost: other.test\r\n\r\n")
            .await;
        wire.until("TLSv1.3 for localhost from 0.").await;
        let stopping = spawn(serving.stop(Duration::from_secs(5)));
        let rest = wire.rest().await;
        let report = stopping.await?;
        // An end without the alert would have been an error of the reading.
        assert_eq!((report.idle, rest.as_str()), (1, ""));
        Ok(())
    });
}

#[test]
fn a_large_answer_arrives_whole_at_a_slow_reader() {
    on_loop(async {
        let files = Files::new("large");
        let service =
            |_request: Request| async { Response::new(Body::from(vec![b'x'; 3_000_000])) };
        let serving = HttpServer::new(move || service)
            .listen_tls("127.0.0.1:0", files.server()?)?
            .serve()?;
        let mut wire = ask(&serving, &files.client()?).await?;
        let mut taken = 0;
        let mut buffer = vec![0; 10_000];
        // The connection stays open, so the last bytes come only if they are flushed.
        while taken < 3_000_000 {
            taken += wire.stream.read(&mut buffer).await?;
            moment().await;
        }
        Ok(())
    });
}

#[test]
fn a_client_that_takes_its_answer_late_gets_it_whole_and_is_parked_again() {
    on_loop(async {
        let files = Files::new("late");
        let service = |request: Request| async move {
            let body = match request.path() {
                "/large" => Body::from(vec![b'x'; 8_000_000]),
                _ => Body::from("small."),
            };
            Response::new(body)
        };
        let serving = HttpServer::new(move || service)
            .listen_tls("127.0.0.1:0", files.server()?)?
            .serve()?;
        let mut wire = ask(&serving, &files.client()?).await?;
        for _ in 0..3 {
            wire.until("small.").await;
            wire.send("GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n")
                .await;
            // The server has filled the socket before anything is taken.
            for _ in 0..2000 {
                moment().await;
            }
            let mut taken = 0;
            let mut buffer = vec![0; 100_000];
            while taken < 8_000_000 {
                taken += wire.stream.read(&mut buffer).await?;
            }
            wire.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        }
        wire.until("small.").await;
        Ok(())
    });
}

#[test]
fn requests_in_one_record_and_in_pieces_of_records_are_all_answered() {
    on_loop(async {
        let files = Files::new("records");
        let service = |request: Request| async move {
            let length = request
                .into_body()
                .collect(100_000)
                .await
                .map(|body| body.len());
            Response::new(Body::from(format!("{length:?}.")))
        };
        let serving = HttpServer::new(move || service)
            .listen_tls("127.0.0.1:0", files.server()?)?
            .serve()?;
        let mut wire = ask(&serving, &files.client()?).await?;
        wire.until("Ok(0).").await;
        let ask = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
        wire.send(ask.repeat(5)).await;
        for _ in 0..5 {
            wire.until("Ok(0).").await;
        }
        // Each record alone means nothing.
        for piece in ask.as_bytes().chunks(7) {
            wire.stream.write_all(piece).await?;
            wire.stream.flush().await?;
            moment().await;
        }
        wire.until("Ok(0).").await;
        let post = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90000\r\n\r\n";
        wire.send([post, &"b".repeat(90_000)].concat()).await;
        wire.until("Ok(90000).").await;
        Ok(())
    });
}

#[test]
fn idle_secured_connections_make_room_for_newcomers() {
    on_loop(async {
        let files = Files::new("room");
        let config = Config {
            max_connections: 2,
            when_full: WhenFull::CloseIdle,
            ..Config::default()
        };
        let serving = serve(config, files.server()?)?;
        let mut wires = Vec::new();
        for place in 0..5 {
            let mut wire = ask(&serving, &files.client()?).await?;
            if !wire.stream.can_park() {
                // Nor are the server's ends parked, of which alone this is said.
                return Ok(());
            }
            wire.until("from 0.").await;
            wires.push(wire);
            assert_eq!(serving.counts().open, wires.len().min(2) as u64, "{place}");
        }
        let counts = serving.counts();
        assert_eq!((counts.accepted, counts.requests), (5, 5));
        let report = serving.stop(Duration::from_secs(5)).await;
        assert_eq!((report.idle, report.cut), (2, 0));
        for wire in &mut wires {
            assert_eq!(wire.rest().await, "", "without the alert it is an error");
        }
        Ok(())
    });
}

#[test]
fn a_secured_connection_that_is_idle_for_too_long_ends_with_the_closing_alert() {
    on_loop(async {
        let files = Files::new("idle");
        let config = Config {
            keep_alive_timeout: Duration::from_millis(50),
            ..Config::default()
        };
        let serving = serve(config, files.server()?)?;
        let mut wire = ask(&serving, &files.client()?).await?;
        wire.until("from 0.").await;
        assert_eq!(
            wire.rest().await,
            "",
            "an end without the alert is an error"
        );
        while serving.counts().open > 0 {
            moment().await;
        }
        Ok(())
    });
}

#[test]
fn idle_secured_connections_have_no_tasks() {
    on_loop(async {
        let files = Files::new("tasks");
        let serving = serve(Config::default(), files.server()?)?;
        let mut wires = Vec::new();
        let mut counts = Vec::new();
        for _ in 0..6 {
            let mut wire = ask(&serving, &files.client()?).await?;
            if !wire.stream.can_park() {
                return Ok(());
            }
            wire.until("from 0.").await;
            wires.push(wire);
            counts.push(IoLoop::current().task_count());
        }
        assert_eq!(serving.counts().open, 6);
        assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
        Ok(())
    });
}

#[test]
fn a_client_certificate_reaches_the_service() {
    on_loop(async {
        let files = Files::new("client");
        let tls = ServerTls::builder(files.path("server.pem"), files.path("server.key"))
            .require_client_certificates(files.path("ca.pem"))
            .build()?;
        let serving = serve(Config::default(), tls)?;
        let with = ClientTls::with_certificate(
            files.path("ca.pem"),
            files.path("client.pem"),
            files.path("client.key"),
        )?;
        let mut wire = ask(&serving, &with).await?;
        wire.until("TLSv1.3 for localhost from 1.").await;
        // Refused at the latest by the first read.
        let port = serving.local_addr().port();
        let refused = match IoStream::connect_tls("localhost", port, &files.client()?).await {
            Err(_) => true,
            Ok(mut stream) => stream.read(&mut [0]).await.is_err(),
        };
        assert!(refused);
        assert_eq!(serving.counts().requests, 1);
        Ok(())
    });
}

#[test]
fn plain_http_gets_a_plain_400() {
    on_loop(async {
        let files = Files::new("plain");
        let serving = serve(Config::default(), files.server()?)?;
        let mut wire = Wire::new(IoStream::connect_addr(serving.local_addr()).await?);
        wire.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        let answer = wire.rest().await;
        assert!(
            answer.starts_with("HTTP/1.1 400 Bad Request\r\n"),
            "{answer}"
        );
        assert!(answer.contains("This port speaks https"), "{answer}");
        while serving.counts().open > 0 {
            moment().await;
        }
        Ok(())
    });
}

#[test]
fn the_silent_and_the_slow_are_cut_at_the_time_limit() {
    // The sockets of the test have no paused clock, so the limit is short.
    on_loop(async {
        let files = Files::new("silent");
        let config = Config {
            handshake_timeout: Duration::from_millis(100),
            ..Config::default()
        };
        let serving = serve(config, files.server()?)?;
        let mut silent = IoStream::connect_addr(serving.local_addr()).await?;
        let mut slow = IoStream::connect_addr(serving.local_addr()).await?;
        let trickle = spawn(async move {
            for byte in *b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" {
                if slow.write_all(&[byte]).await.is_err() {
                    break;
                }
                sleep(Duration::from_millis(20)).await;
            }
            slow.read(&mut [0]).await
        });
        assert_eq!(silent.read(&mut [0]).await?, 0);
        let slow_end = trickle.await?;
        assert!(!matches!(slow_end, Ok(1..)), "{slow_end:?}");
        while serving.counts().open > 0 {
            moment().await;
        }
        // Others are served meanwhile and afterwards.
        ask(&serving, &files.client()?)
            .await?
            .until("from 0.")
            .await;
        Ok(())
    });
}

#[test]
fn silent_clients_do_not_keep_others_out() {
    on_loop(async {
        let files = Files::new("crowd");
        let config = Config {
            max_handshakes: 4,
            ..Config::default()
        };
        let serving = serve(config, files.server()?)?;
        let mut silent = Vec::new();
        for _ in 0..20 {
            silent.push(IoStream::connect_addr(serving.local_addr()).await?);
        }
        while serving.counts().accepted < 20 {
            moment().await;
        }
        let mut wire = ask(&serving, &files.client()?).await?;
        wire.until("from 0.").await;
        // The four youngest may still be there, three beside ours.
        while serving.counts().open > 4 {
            moment().await;
        }
        Ok(())
    });
}

#[test]
fn the_log_tells_who_had_to_give_way_from_who_was_here_at_the_stop() {
    on_loop(async {
        let files = Files::new("cut");
        let config = Config {
            max_handshakes: 1,
            ..Config::default()
        };
        let serving = serve(config, files.server()?)?;
        let log = Log::catch();
        let mut first = IoStream::connect_addr(serving.local_addr()).await?;
        while serving.counts().accepted < 1 {
            moment().await;
        }
        let second = IoStream::connect_addr(serving.local_addr()).await?;
        first.read_to_end(&mut Vec::new()).await?;
        serving.stop(Duration::from_millis(20)).await;
        let lines = [
            format!(
                "INFO TLS handshake cut, it was the oldest of 1 (max_handshakes) peer={}",
                first.local_addr()?
            ),
            format!(
                "INFO no TLS handshake 20ms after the stop began (stop_timeout) peer={}",
                second.local_addr()?
            ),
        ];
        assert_eq!(log.at("INFO"), lines);
        Ok(())
    });
}

#[test]
fn a_reload_while_serving_is_seen_by_new_clients_alone() {
    on_loop(async {
        let (files, other) = (Files::new("reload"), Files::new("reloaded"));
        let tls = files.server()?;
        let serving = serve(Config::default(), tls.clone())?;
        let mut before = ask(&serving, &files.client()?).await?;
        before.until("from 0.").await;
        for name in ["server.pem", "server.key"] {
            fs::copy(other.path(name), files.path(name))?;
        }
        tls.reload()?;
        let mut after = ask(&serving, &other.client()?).await?;
        after.until("from 0.").await;
        before
            .send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .await;
        before.until("from 0.").await;
        assert!(ask(&serving, &files.client()?).await.is_err());
        Ok(())
    });
}

#[test]
fn curl_speaks_with_it() {
    on_loop(async {
        let files = Files::new("curl");
        let serving = serve(Config::default(), files.server()?)?;
        let url = format!("https://localhost:{}/", serving.local_addr().port());
        for (version, expected) in [("--tlsv1.3", "TLSv1.3"), ("--tls-max", "TLSv1.2")] {
            let mut curl = Command::new("curl");
            curl.args(["-sS", "--max-time", "10", "--http1.1", "--cacert"])
                .arg(files.path("ca.pem"))
                .arg(version);
            if version == "--tls-max" {
                curl.arg("1.2");
            }
            curl.args([&url, &url]);
            let Some(said) = output_of(curl).await? else {
                return Ok(());
            };
            let line = format!("{expected} for localhost from 0.");
            assert_eq!(said, line.repeat(2));
        }
        Ok(())
    });
}

#[test]
fn python_speaks_with_it_and_sees_the_closing_alert() {
    const SCRIPT: &str = r#"
import socket, ssl, sys
port, folder = int(sys.argv[1]), sys.argv[2]
context = ssl.create_default_context(cafile=folder + "/ca.pem")
context.set_alpn_protocols(["h2", "http/1.1"])
plain = socket.create_connection(("127.0.0.1", port), timeout=10)
# Without this flag, an end without the alert would be an error.
stream = context.wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False)
print(stream.selected_alpn_protocol())
stream.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
answer = b""
while part := stream.recv(4096):
    answer += part
print(answer.rsplit(b"\r\n", 1)[1].decode())
"#;
    on_loop(async {
        let files = Files::new("python");
        let serving = serve(Config::default(), files.server()?)?;
        let mut python = Command::new("python3");
        python
            .args(["-c", SCRIPT, &serving.local_addr().port().to_string()])
            .arg(&files.0);
        if let Some(said) = output_of(python).await? {
            assert_eq!(said, "http/1.1\nTLSv1.3 for localhost from 0.\n");
        }
        Ok(())
    });
}

#[test]
fn garbage_leaves_the_server_alive() {
    on_loop(async {
        let files = Files::new("garbage");
        let serving = serve(Config::default(), files.server()?)?;
        let addr = serving.local_addr();
        let flood = ThreadPoolExecutor::new(1).submit(move || {
            for number in 0..200_u32 {
                let mut stream = TcpStream::connect(addr)?;
                let mut bytes = vec![22, 3, 1];
                bytes.extend((0..number).map(|place| (place * 7 + number) as u8));
                // The server may have hung up by now.
                if stream.write_all(&bytes).is_ok() && number % 3 == 0 {
                    let _ = stream.shutdown(std::net::Shutdown::Write);
                    let _ = stream.read(&mut [0; 64]);
                }
            }
            Ok::<_, io::Error>(())
        });
        flood.await??;
        ask(&serving, &files.client()?)
            .await?
            .until("from 0.")
            .await;
        Ok(())
    });
}

#[test]
fn a_server_of_both_kinds_serves_both() {
    on_loop(async {
        let files = Files::new("both");
        let serving = HttpServer::new(|| secured)
            .listen("127.0.0.1:0")?
            .listen_tls("127.0.0.1:0", files.server()?)?
            .serve()?;
        let [plain, secured] = serving.local_addrs() else {
            return Err("two addresses".into());
        };
        let mut wire = Wire::new(IoStream::connect_addr(*plain).await?);
        wire.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
        wire.until("plain.").await;
        let client = files.client()?;
        let stream = IoStream::connect_tls("127.0.0.1", secured.port(), &client).await?;
        let mut wire = Wire::new(stream);
        wire.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n").await;
        wire.until("TLSv1.3 for nobody from 0.").await;
        Ok(())
    });
}
