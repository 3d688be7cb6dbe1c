//! Runs the attacks in `tests/corpus`: whatever way the bytes arrive, the answers, what reached the service, and what
//! becomes of the connection are those of the row.

mod attack;
mod trial;
mod victim;

use std::collections::HashSet;

use attack::{Attack, Then};
use trial::{Trial, pieces};

use crate::on_paused_loop;

/// Rows that there are at least, so that a folder that is not found cannot pass.
const LEAST: usize = 250;

/// Longest input that is cut at each of its bytes; longer ones are cut at as many places.
const CUTS: usize = 400;

const BEFORE: &[u8] = b"GET /before HTTP/1.1\r\nHost: a\r\n\r\n";
const AFTER: &[u8] = b"GET /after HTTP/1.1\r\nHost: a\r\n\r\n";

/// Runs `test` with each row, and tells all that failed.
fn with_each(test: impl AsyncFn(&Attack) -> Result<(), String>) {
    let attacks = attack::all();
    let mut failures = Vec::new();
    for attack in &attacks {
        on_paused_loop(async {
            if let Err(failure) = test(attack).await {
                failures.push(format!("{attack}\n{failure}"));
            }
            Ok(())
        });
    }
    assert!(
        failures.is_empty(),
        "{} of {} rows failed:\n\n{}",
        failures.len(),
        attacks.len(),
        failures.join("\n\n")
    );
}

#[test]
fn each_row_is_another_attack() {
    let attacks = attack::all();
    assert!(attacks.len() >= LEAST, "{} rows", attacks.len());
    let mut names = HashSet::new();
    let mut inputs = HashSet::new();
    let again = attacks.iter().filter(|attack| {
        let settings: Vec<&str> = ["with", "client"]
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
fn attacks_that_come_at_once() {
    with_each(async |attack| {
        let outcome = Trial::of(attack).run(&[&attack.row.bytes]).await?;
        attack.judge(&outcome)
    });
}

#[test]
fn attacks_that_come_in_two_pieces_cut_anywhere() {
    with_each(async |attack| {
        let bytes = &attack.row.bytes;
        let step = bytes.len().div_ceil(CUTS).max(1);
        for cut in (1..bytes.len()).step_by(step) {
            let (first, second) = bytes.split_at(cut);
            let outcome = Trial::of(attack).run(&[first, second]).await?;
            attack
                .judge(&outcome)
                .map_err(|failure| format!("cut at {cut}: {failure}"))?;
        }
        Ok(())
    });
}

#[test]
fn attacks_that_come_byte_by_byte() {
    with_each(async |attack| {
        let bytes = &attack.row.bytes;
        let size = bytes.len().div_ceil(4 * CUTS).max(1);
        let outcome = Trial::of(attack).run(&pieces(bytes, size)).await?;
        attack.judge(&outcome)
    });
}

#[test]
fn attacks_over_a_socket() {
    with_each(async |attack| {
        let bytes = &attack.row.bytes;
        let outcome = Trial::of(attack).run_on_socket(&[bytes]).await?;
        attack.judge(&outcome)?;
        let behind = [BEFORE, bytes].concat();
        let (first, second) = behind.split_at(BEFORE.len());
        let outcome = Trial::of(attack).run_on_socket(&[first, second]).await?;
        attack
            .behind("GET /before")
            .judge(&outcome)
            .map_err(|failure| format!("behind a good request: {failure}"))
    });
}

#[test]
fn attacks_behind_a_good_request() {
    with_each(async |attack| {
        let bytes = [BEFORE, &attack.row.bytes].concat();
        let outcome = Trial::of(attack).run(&[&bytes]).await?;
        attack.behind("GET /before").judge(&outcome)
    });
}

#[test]
fn attacks_in_front_of_another_request() {
    with_each(async |attack| {
        // What an incomplete request swallows is its own affair, and nothing comes after the end.
        let expected = match attack.then {
            Then::Body | Then::Either | Then::Head => return Ok(()),
            _ if attack.ends => return Ok(()),
            Then::Open => attack.before("GET /after"),
            Then::Close | Then::Reset => attack.clone(),
        };
        let bytes = [&attack.row.bytes, AFTER].concat();
        let outcome = Trial::of(attack).run(&[&bytes]).await?;
        expected.judge(&outcome)
    });
}
