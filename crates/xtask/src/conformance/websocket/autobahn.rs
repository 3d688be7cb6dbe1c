//! The Autobahn suite, as kosoku runs it: 517 cases against our server, and as many against our client.

use std::process::Command;
use std::time::Duration;

use super::pieces::Pieces;
use crate::conformance::outside::{output_of, python};
use crate::conformance::server::Server;
use crate::conformance::tally::Tally;
use crate::conformance::{Scene, Step, Trouble};

/// The cases of the suite.
const CASES: usize = 517;
/// The cases that go through the pieces: all but the limits (9), and of those about compression (12, 13) one for each way to
/// agree on it.
const SMALL: [&str; 20] = [
    "1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*", "12.1.1", "12.2.1", "12.3.1",
    "12.4.1", "12.5.1", "13.1.1", "13.2.1", "13.3.1", "13.4.1", "13.5.1", "13.6.1", "13.7.1",
];
/// How many they are.
const SMALL_CASES: usize = 259;

/// Compression with contexts; the pieces and the client go without.
const CONTEXTS: [&str; 2] = ["--ws-deflate", "15"];

pub(super) const SERVER: Step = Step {
    name: "autobahn-server",
    what: "the Autobahn suite against our WebSocket server",
    floor: CASES + 1,
    run: |scene| {
        let server = Server::start(scene, "autobahn-server", &CONTEXTS)?;
        let mut tally = Tally::default();
        ask(scene, &server.address, &[], &mut tally)?;
        server.end(&mut tally);
        Ok(tally)
    },
};

pub(super) const SPLIT: Step = Step {
    name: "autobahn-split",
    what: "most of it again, through a proxy that cuts the bytes into pieces",
    floor: SMALL_CASES + 1,
    run: |scene| {
        let server = Server::start(scene, "autobahn-split", &[])?;
        let pieces = Pieces::start(&server.address)?;
        let mut tally = Tally::default();
        ask(scene, &pieces.address, &SMALL, &mut tally)?;
        server.end(&mut tally);
        Ok(tally)
    },
};

pub(super) const CLIENT: Step = Step {
    name: "autobahn-client",
    what: "the Autobahn suite against our WebSocket client",
    floor: CASES,
    run: |scene| {
        let mut suite = script(scene)?;
        // Without contexts, for some cases are about that, and only run where it is offered.
        suite.arg("client").arg(&scene.program).arg("--ws-client");
        let mut tally = Tally::default();
        tally.read(&output_of(suite, PATIENCE)?);
        Ok(tally)
    },
};

/// How long the suite may take on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(900);

fn script(scene: &Scene) -> Result<Command, Trouble> {
    let mut suite = Command::new(python(scene)?);
    suite.arg(scene.file("websocket/autobahn.py"));
    Ok(suite)
}

fn ask(scene: &Scene, address: &str, chosen: &[&str], tally: &mut Tally) -> Result<(), Trouble> {
    let mut suite = script(scene)?;
    suite
        .arg("server")
        .arg(format!("ws://{address}/ws"))
        .args(chosen);
    tally.read(&output_of(suite, PATIENCE)?);
    Ok(())
}
