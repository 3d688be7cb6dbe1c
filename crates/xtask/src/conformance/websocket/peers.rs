//! Other people's ends: clients of Python, Node and Java and a browser against our server, servers against our client.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::conformance::outside::{node_packages, output_of, program, python};
use crate::conformance::secure::identity;
use crate::conformance::server::Server;
use crate::conformance::tally::Tally;
use crate::conformance::{Scene, Step, Trouble};

/// Scripts of clients, and how many cases each has for a URL.
const SCRIPTS: [(&str, Interpreter, usize); 3] = [
    ("peers.py", from_python, 19),
    ("peers.mjs", from_node, 9),
    ("Peers.java", from_java, 7),
];
/// What the browser does.
const BROWSER_CASES: usize = 10;
/// The servers that a script starts.
const SERVER_SCRIPTS: [(&str, Interpreter, usize); 2] = [
    ("servers.py", from_python, 3),
    ("servers.mjs", from_node, 2),
];
/// What our client does with each of them, for each of its ways to compress.
const CHECKS: usize = 10;
const DEFLATE: [&str; 3] = ["shared", "15", "9"];
/// How long a script may take.
const PATIENCE: Duration = Duration::from_secs(150);

type Interpreter = fn(&Scene) -> Result<Command, Trouble>;

pub(super) const CLIENTS: Step = Step {
    name: "websocket-peers",
    what: "websockets, aiohttp, Tornado, ws and Java, with and without TLS",
    // Over TLS and without.
    floor: 2 * (SCRIPTS[0].2 + SCRIPTS[1].2 + SCRIPTS[2].2) + 1,
    run: ask_with_clients,
};

pub(super) const BROWSER: Step = Step {
    name: "websocket-browser",
    what: "Chromium's WebSocket",
    floor: BROWSER_CASES + 1,
    run: ask_with_browser,
};

pub(super) const SERVERS: Step = Step {
    name: "websocket-servers",
    what: "our WebSocket client against websockets, Tornado and ws",
    floor: (SERVER_SCRIPTS[0].2 + SERVER_SCRIPTS[1].2) * CHECKS * DEFLATE.len(),
    run: ask_servers,
};

fn from_python(scene: &Scene) -> Result<Command, Trouble> {
    Ok(Command::new(python(scene)?))
}

fn from_node(scene: &Scene) -> Result<Command, Trouble> {
    let mut node = Command::new(program("node", "nodejs")?);
    node.env("NODE_PATH", node_packages(scene)?.join("node_modules"));
    Ok(node)
}

fn from_java(_: &Scene) -> Result<Command, Trouble> {
    Ok(Command::new(program("java", "default-jdk-headless")?))
}

/// A command that runs a script.
fn script(scene: &Scene, name: &str, interpreter: Interpreter) -> Result<Command, Trouble> {
    let mut command = interpreter(scene)?;
    command.arg(scene.file("websocket").join(name));
    Ok(command)
}

fn ask_with_clients(scene: &Scene) -> Result<Tally, Trouble> {
    let files = identity(scene)?;
    let file = |name: &str| files.join(name).to_string_lossy().into_owned();
    let (cert, key, ca) = (file("server.pem"), file("server.key"), file("ca.pem"));
    let flags = [
        "--tls",
        "0",
        "--cert",
        &cert,
        "--key",
        &key,
        "--ws-subprotocols",
        "squall.chat,squall.echo",
        // Tornado's client passes over the wish to go without contexts (RFC 7692 section 7.1.1.2).
        "--ws-deflate",
        "15",
    ];
    let server = Server::start(scene, "websocket-peers", &flags)?;
    let mut tally = Tally::default();
    for (name, interpreter, _) in SCRIPTS {
        let mut client = script(scene, name, interpreter)?;
        client.arg(format!("ws://{}", server.address));
        if let Some(address) = &server.secure {
            client.arg(format!("wss://{address}")).arg(&ca);
        }
        tally.read(&output_of(client, PATIENCE)?);
    }
    server.end(&mut tally);
    Ok(tally)
}

fn ask_with_browser(scene: &Scene) -> Result<Tally, Trouble> {
    let browser = program("chromium", "chromium")?;
    let flags = ["--ws-subprotocols", "squall.chat,squall.echo"];
    let server = Server::start(scene, "websocket-browser", &flags)?;
    let mut tally = Tally::default();
    let mut driver = script(scene, "browser.mjs", from_node)?;
    driver.arg(browser).arg(server.url(""));
    tally.read(&output_of(driver, PATIENCE)?);
    server.end(&mut tally);
    Ok(tally)
}

fn ask_servers(scene: &Scene) -> Result<Tally, Trouble> {
    let mut tally = Tally::default();
    for (name, interpreter, count) in SERVER_SCRIPTS {
        let servers = Servers::start(script(scene, name, interpreter)?, count)?;
        for (name, url) in &servers.places {
            for deflate in DEFLATE {
                let mut client = Command::new(&scene.program);
                client.args(["--ws-deflate", deflate, "--ws-check", url]);
                let output = output_of(client, PATIENCE).map_err(|err| format!("{name}: {err}"))?;
                // Which of the servers it was that a case has failed with.
                let named = format!(" {name}, deflate {deflate}: ");
                let lines = output
                    .lines()
                    .map(|line| line.replacen(' ', &named, 1) + "\n");
                tally.read(&lines.collect::<String>());
            }
        }
    }
    Ok(tally)
}

/// Servers of a script, which end with it.
struct Servers {
    script: Child,
    /// Name and URL.
    places: Vec<(String, String)>,
}

impl Servers {
    fn start(mut command: Command, count: usize) -> Result<Self, String> {
        let name = PathBuf::from(command.get_program());
        let mut script = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|err| format!("cannot start `{}`: {err}", name.display()))?;
        let mut lines: Vec<String> = Vec::new();
        if let Some(output) = script.stdout.take() {
            // A script that fails ends its output, so this does not wait for ever.
            let read = BufReader::new(output).lines().take(count);
            lines.extend(read.map_while(Result::ok));
        }
        let places = lines.iter().filter_map(|line| line.split_once(' '));
        let places: Vec<(String, String)> = places
            .map(|(name, url)| (name.to_owned(), url.to_owned()))
            .collect();
        let servers = Self { script, places };
        match servers.places.len() {
            found if found == count => Ok(servers),
            _ => Err(format!(
                "expected {count} lines `NAME URL`, found {lines:?}"
            )),
        }
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        // It may have ended already, which is as good.
        let _ = self.script.kill();
        let _ = self.script.wait();
    }
}
