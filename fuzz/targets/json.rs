//! Whatever is read as JSON: the same value comes out as from `serde_json`, or the same error.

#![no_main]

use std::collections::BTreeMap;
use std::fmt::Debug;

use libfuzzer_sys::fuzz_target;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

#[derive(Debug, Deserialize, PartialEq)]
#[serde(untagged)]
enum Shape {
    Bare(Kind),
    Named {
        kind: Kind,
        name: Option<String>,
        sizes: Vec<i16>,
    },
    Rest(BTreeMap<String, Value>),
}

#[derive(Debug, Deserialize, PartialEq)]
enum Kind {
    A,
    B(u8),
    C(char, bool),
    D { e: u64, f: () },
}

#[derive(Debug, Deserialize, PartialEq)]
struct Record {
    a: Kind,
    b: Option<Box<Record>>,
    #[serde(default)]
    c: Vec<String>,
    d: Option<(i64, u32)>,
}

/// Goes on after an error.
#[derive(Debug, PartialEq)]
struct Lenient<T>(T);

impl<'de, T: Default + Deserialize<'de>> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self(T::deserialize(from).unwrap_or_default()))
    }
}

fuzz_target!(|data: &[u8]| {
    same::<Value>(data);
    same::<Shape>(data);
    same::<Record>(data);
    same::<Vec<Kind>>(data);
    same::<Vec<Lenient<Vec<Lenient<u16>>>>>(data);
    same::<BTreeMap<String, Lenient<Value>>>(data);
    same::<BTreeMap<u16, String>>(data);
    fraction(data);
});

fn same<T: DeserializeOwned + Debug + PartialEq>(json: &[u8]) {
    let ours = squall_json::from_slice::<T>(json);
    let theirs = match str::from_utf8(json) {
        Ok(text) => serde_json::from_str::<T>(text),
        Err(_) => serde_json::from_slice::<T>(json),
    };
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs),
        (Err(ours), Err(theirs)) => assert_eq!(ours.to_string(), theirs.to_string()),
        (ours, theirs) => panic!("{ours:?} and not {theirs:?}"),
    }
}

/// The other one may be off by a little.
fn fraction(json: &[u8]) {
    let ours = squall_json::from_slice::<f64>(json);
    let theirs = serde_json::from_slice::<f64>(json);
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => {
            assert!((ours - theirs).abs() <= ours.abs() * 1e-12 || ours.abs() < 1e-290);
        }
        (Err(_), Err(_)) => {}
        // What is too large for the one may be rounded down by the other.
        (ours, theirs) => assert!(ours.or(theirs).is_ok_and(|number| number.abs() > 1e308)),
    }
}
