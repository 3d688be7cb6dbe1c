//! Real clients: those of Python, Node and Java, each a script that reports its cases.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::outside::{node_packages, output_of, program, python};
use super::server::Server;
use super::tally::Tally;
use super::{Scene, Step, Trouble, shown};

pub(super) const PYTHON: Step = Step {
    name: "python",
    what: "requests, httpx, urllib, http.client, aiohttp, Tornado",
    floor: 31,
    run: |scene| {
        let python = python(scene)?;
        run(scene, "python", Command::new(python), "clients.py")
    },
};

pub(super) const NODE: Step = Step {
    name: "node",
    what: "node:http, undici, fetch",
    floor: 18,
    run: |scene| {
        let mut node = Command::new(program("node", "nodejs")?);
        node.env("NODE_PATH", node_packages(scene)?.join("node_modules"));
        run(scene, "node", node, "clients.mjs")
    },
};

pub(super) const JAVA: Step = Step {
    name: "java",
    what: "java.net.http.HttpClient",
    floor: 13,
    run: |scene| {
        let java = program("java", "default-jdk-headless")?;
        run(scene, "java", Command::new(java), "Clients.java")
    },
};

/// How long a script may take.
const PATIENCE: Duration = Duration::from_secs(120);

fn run(scene: &Scene, name: &str, mut command: Command, script: &str) -> Result<Tally, Trouble> {
    let folder = shown(scene)?;
    let server = Server::start(scene, name, &["--static", &folder.to_string_lossy()])?;
    let script: PathBuf = scene.root.join("crates/xtask/conformance").join(script);
    command.arg(script).arg(server.url(""));
    let mut tally = Tally::default();
    tally.read(&output_of(command, PATIENCE)?);
    server.end(&mut tally);
    Ok(tally)
}
