//! Runs the attacks in `tests/corpus`: servers that lie. Whatever way the bytes arrive, the fetch ends as the row says, and the
//! fetch after it gets its own answer, and nothing that was left over.

mod attack;
mod liar;

use std::collections::HashSet;
use std::error::Error;

use attack::{Attack, Next};
use liar::Liar;
use squall_client::{ClientConfig, HttpClient, HttpRequest};
use squall_ioloop::{IoLoop, sleep};

/// Rows that there are at least, so that a folder that is not found cannot pass.
const LEAST: usize = 60;

/// Longest input that is cut at each of its bytes; longer ones are cut at as many places.
const CUTS: usize = 120;

/// Runs `test` with each row on a loop whose clock jumps over waiting, and tells all that failed.
fn with_each(test: impl AsyncFn(&Attack, &Liar) -> Result<(), String>) {
    let attacks = attack::all();
    let mut failures = Vec::new();
    for attack in &attacks {
        let io_loop = IoLoop::with_paused_clock().expect("a loop");
        let outcome = IoLoop::run_sync(async {
            let liar = Liar::start()?;
            Ok::<_, Box<dyn Error>>(test(attack, &liar).await?)
        });
        io_loop.close();
        if let Err(failure) = outcome {
            failures.push(format!("{attack}\n{failure}"));
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {} rows failed:\n\n{}",
        failures.len(),
        attacks.len(),
        failures.join("\n\n")
    );
}

/// Fetches twice, and compares.
async fn attempt(attack: &Attack, liar: &Liar, pieces: &[&[u8]]) -> Result<(), String> {
    let client = HttpClient::with_config(ClientConfig {
        limits: attack.limits,
        ..ClientConfig::default()
    });
    liar.prepare(pieces, attack.end);
    let request = HttpRequest::new(attack.method.clone(), &liar.url);
    attack.judge(&client.fetch(request).await)?;
    // What it has to say, it says before it is asked again.
    sleep(liar.patience()).await;
    let before = liar.connections();
    let after = client.fetch(&liar.url).await;
    let after = after.map_err(|err| format!("the next fetch: {err}"))?;
    if (after.code, after.text().as_ref()) != (200, "true") {
        return Err(format!(
            "the next fetch got {} {}",
            after.code,
            after.text()
        ));
    }
    let next = if liar.connections() == before {
        Next::Same
    } else {
        Next::New
    };
    if next != attack.next {
        return Err(format!("the next fetch took a connection that is {next:?}"));
    }
    Ok(())
}

#[test]
fn each_row_is_another_attack() {
    let attacks = attack::all();
    assert!(attacks.len() >= LEAST, "{} rows", attacks.len());
    let mut names = HashSet::new();
    let mut inputs = HashSet::new();
    let again = attacks.iter().filter(|attack| {
        let settings: Vec<&str> = ["method", "server", "with"]
            .into_iter()
            .flat_map(|key| attack.row.all(key))
            .collect();
        let new_name = names.insert(&attack.row.name);
        !(inputs.insert((&attack.row.bytes, settings)) && new_name)
    });
    let again: Vec<String> = again.map(Attack::to_string).collect();
    assert!(
        again.is_empty(),
        "not the first of their name or bytes: {again:#?}"
    );
}

#[test]
fn lies_that_come_at_once() {
    with_each(async |attack, liar| attempt(attack, liar, &[&attack.row.bytes]).await);
}

#[test]
fn lies_that_come_in_two_pieces_cut_anywhere() {
    with_each(async |attack, liar| {
        let bytes = &attack.row.bytes;
        let step = bytes.len().div_ceil(CUTS).max(1);
        for cut in (1..bytes.len()).step_by(step) {
            let (first, second) = bytes.split_at(cut);
            attempt(attack, liar, &[first, second])
                .await
                .map_err(|failure| format!("cut at {cut}: {failure}"))?;
        }
        Ok(())
    });
}

#[test]
fn lies_that_come_byte_by_byte() {
    with_each(async |attack, liar| {
        let bytes = &attack.row.bytes;
        let size = bytes.len().div_ceil(10 * CUTS).max(1);
        let pieces: Vec<&[u8]> = bytes.chunks(size).collect();
        attempt(attack, liar, &pieces).await
    });
}
