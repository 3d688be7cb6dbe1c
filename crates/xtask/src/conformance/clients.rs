//! Real clients: those of Python, Node and Java, each a script that reports its cases.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::outside::{node_packages, output_of, program, python};
use super::server::Server;
use super::tally::Tally;
use super::{Scene, Step, Trouble, shown};

/// A script, and what runs it.
struct Client {
    name: &'static str,
    script: &'static str,
    cases: usize,
    command: fn(&Scene) -> Result<Command, Trouble>,
}

const PYTHON_CLIENT: Client = Client {
    name: "python",
    script: "clients.py",
    cases: 30,
    command: |scene| Ok(Command::new(python(scene)?)),
};

const NODE_CLIENT: Client = Client {
    name: "node",
    script: "clients.mjs",
    cases: 17,
    command: |scene| {
        let mut node = Command::new(program("node", "nodejs")?);
        node.env("NODE_PATH", node_packages(scene)?.join("node_modules"));
        Ok(node)
    },
};

const JAVA_CLIENT: Client = Client {
    name: "java",
    script: "Clients.java",
    cases: 12,
    command: |_| Ok(Command::new(program("java", "default-jdk-headless")?)),
};

/// The cases of all clients together.
pub(super) const CASES: usize = PYTHON_CLIENT.cases + NODE_CLIENT.cases + JAVA_CLIENT.cases;

pub(super) const PYTHON: Step = Step {
    name: PYTHON_CLIENT.name,
    what: "requests, httpx, urllib, http.client, aiohttp, Tornado",
    floor: PYTHON_CLIENT.cases + 1,
    run: |scene| PYTHON_CLIENT.step(scene),
};

pub(super) const NODE: Step = Step {
    name: NODE_CLIENT.name,
    what: "node:http, undici, fetch",
    floor: NODE_CLIENT.cases + 1,
    run: |scene| NODE_CLIENT.step(scene),
};

pub(super) const JAVA: Step = Step {
    name: JAVA_CLIENT.name,
    what: "java.net.http.HttpClient",
    floor: JAVA_CLIENT.cases + 1,
    run: |scene| JAVA_CLIENT.step(scene),
};

/// How long a script may take.
const PATIENCE: Duration = Duration::from_secs(120);

/// Has all clients ask the server at `url`, whose certificate is of the authority `ca`.
pub(super) fn all(
    scene: &Scene,
    url: &str,
    ca: Option<&str>,
    tally: &mut Tally,
) -> Result<(), Trouble> {
    for client in [PYTHON_CLIENT, NODE_CLIENT, JAVA_CLIENT] {
        client.ask(scene, url, ca, tally)?;
    }
    Ok(())
}

impl Client {
    fn step(&self, scene: &Scene) -> Result<Tally, Trouble> {
        let folder = shown(scene)?;
        let server = Server::start(scene, self.name, &["--static", &folder.to_string_lossy()])?;
        let mut tally = Tally::default();
        self.ask(scene, &server.url(""), None, &mut tally)?;
        server.end(&mut tally);
        Ok(tally)
    }

    fn ask(
        &self,
        scene: &Scene,
        url: &str,
        ca: Option<&str>,
        tally: &mut Tally,
    ) -> Result<(), Trouble> {
        let scripts: PathBuf = scene.root.join("crates/xtask/conformance");
        let mut command = (self.command)(scene)?;
        command.arg(scripts.join(self.script)).arg(url).args(ca);
        tally.read(&output_of(command, PATIENCE)?);
        Ok(())
    }
}
