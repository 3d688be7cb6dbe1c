//! Wire bytes of other parsers' tests, sent to the server.
//!
//! The vectors are those of llhttp (in aiohttp's source package) and of gunicorn, taken from PyPI at test time. What
//! they state is what those two make of the bytes, and they disagree with each other and with the RFC here and there. So
//! the gate is consensus: where at least [`MAJORITY`] of five servers (nginx, aiohttp, Tornado, node, hyper) do what a
//! vector states, this one has to do so as well, but for [`choices::ON_PURPOSE`]; and it must agree with at least as many
//! as node does, of all vectors and of those that are no such choice. `consensus.txt` has what the five did, as `--against HOST:PORT` prints it.

mod answers;
mod choices;
mod collect;
mod gunicorn;
mod llhttp;
mod send;

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use super::outside::source_packages;
use super::server::Server;
use super::tally::Tally;
use super::{Scene, Step, Trouble};
use collect::Vector;
use send::Seen;

pub(super) const STEP: Step = Step {
    name: "vectors",
    what: "llhttp's and gunicorn's requests as bytes",
    floor: 199,
    run,
};

/// So many of the five servers make a consensus.
const MAJORITY: usize = 3;
/// What the five servers did, from the root of the project.
const CONSENSUS: &str = "crates/xtask/conformance/consensus.txt";
/// The letter of node in that file.
const NODE: char = 'n';

fn run(scene: &Scene) -> Result<Tally, Trouble> {
    let vectors = collect::all(&source_packages(scene)?)?;
    let known = consensus(&scene.root)?;
    let server = Server::start(scene, "vectors", &[])?;
    let seen = send::all(&server.address, &vectors)?;
    let mut tally = Tally::default();
    let mut score = Score::default();
    for (vector, seen) in vectors.iter().zip(&seen) {
        let name = &vector.name;
        let Some(friends) = known.get(name) else {
            tally.fail(format!("{name}: is not in {CONSENSUS}"));
            continue;
        };
        let agrees = seen.agrees(vector.expected);
        score.count(agrees, friends, listed(choices::ON_PURPOSE, name));
        judge(&mut tally, vector, seen, agrees, friends);
    }
    let is_known = |name: &str| vectors.iter().any(|vector| vector.name == name);
    let listed = choices::ON_PURPOSE.iter();
    for name in known
        .keys()
        .map(String::as_str)
        .chain(listed.map(|(name, _)| *name))
    {
        if !is_known(name) {
            tally.fail(format!("{name}: is listed, but not among the vectors"));
        }
    }
    println!("{score}");
    let [_, ours, node] = score.all;
    if ours < node || score.ours < score.node {
        tally.fail(
            "expected to agree with at least as many vectors as node, with the choices and without",
        );
    }
    server.end(&mut tally);
    Ok(tally)
}

/// With how many vectors this server and node agree.
#[derive(Debug, Default)]
struct Score {
    /// All vectors, and how many of them each agrees with.
    all: [usize; 3],
    /// Vectors without those that are a choice of ours, which are no matter of good and bad.
    rest: usize,
    ours: usize,
    node: usize,
}

impl Score {
    fn count(&mut self, agrees: bool, friends: &str, on_purpose: bool) {
        let node = friends.contains(NODE);
        for (sum, counts) in self.all.iter_mut().zip([true, agrees, node]) {
            *sum += usize::from(counts);
        }
        if !on_purpose {
            self.rest += 1;
            self.ours += usize::from(agrees);
            self.node += usize::from(node);
        }
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [all, ours, node] = self.all;
        write!(
            f,
            "agrees with {ours} of {all} vectors (node {node}); but for choices, with {} of {} (node {})",
            self.ours, self.rest, self.node
        )
    }
}

fn listed(list: &[(&str, &str)], name: &str) -> bool {
    list.iter().any(|(known, _)| *known == name)
}

/// Counts one vector: agreement passes, disagreement with a consensus fails, any other is skipped.
fn judge(tally: &mut Tally, vector: &Vector, seen: &Seen, agrees: bool, friends: &str) {
    let name = &vector.name;
    if let Some(flaw) = seen.flaw() {
        tally.fail(format!("{name}: {flaw}"));
        return;
    }
    let on_purpose = listed(choices::ON_PURPOSE, name);
    match agrees {
        true if on_purpose => tally.fail(format!(
            "{name}: does what is stated; take it off the list of choices"
        )),
        true => tally.pass(),
        false if on_purpose || friends.len() < MAJORITY => tally.skipped += 1,
        false => tally.fail(format!(
            "{name}: expected {}, found {seen} ({} of 5 servers do what is expected)\n      {}",
            vector.expected,
            friends.len(),
            vector.wire.escape_ascii()
        )),
    }
}

/// Asks another server, and prints what it does with each vector: a tab, `+` or `-`, a tab, what was seen.
pub(super) fn against(root: &Path, address: &str) -> Result<bool, String> {
    let vectors = collect::all(&root.join("target/conformance/vectors"))?;
    let seen = send::all(address, &vectors)?;
    let mut score = 0;
    for (vector, seen) in vectors.iter().zip(&seen) {
        let agrees = seen.agrees(vector.expected);
        score += usize::from(agrees);
        let mark = if agrees { '+' } else { '-' };
        println!("{}\t{mark}\t{}\t{seen}", vector.name, vector.expected);
    }
    println!("agrees with {score} of {} vectors", vectors.len());
    Ok(true)
}

/// The letters of the servers that do what a vector states, by its name.
fn consensus(root: &Path) -> Result<BTreeMap<String, String>, String> {
    let text = fs::read_to_string(root.join(CONSENSUS))
        .map_err(|err| format!("cannot read {CONSENSUS}: {err}"))?;
    Ok(text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .filter_map(|line| line.split_once('\t'))
        .map(|(name, letters)| (name.to_owned(), letters.trim().to_owned()))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::collect::Expected;
    use super::*;

    fn judged(friends: &str, expected: Expected, answer: &[u8]) -> Tally {
        let vector = Vector {
            name: "a vector".to_owned(),
            wire: b"GET".to_vec(),
            expected,
        };
        let seen = Seen::of(answer, true);
        let mut tally = Tally::default();
        judge(&mut tally, &vector, &seen, seen.agrees(expected), friends);
        tally
    }

    #[test]
    fn only_a_majority_is_a_gate() {
        let ok = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(judged("", Expected::Answers(1), ok).passed, 1);
        assert_eq!(judged("na", Expected::Refusal, ok).skipped, 1);
        let tally = judged("nah", Expected::Refusal, ok);
        assert!(tally.failed[0].contains("3 of 5 servers"), "{tally:?}");
        let crash = b"HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n";
        assert_eq!(judged("", Expected::Refusal, crash).failed.len(), 1);
    }
}
