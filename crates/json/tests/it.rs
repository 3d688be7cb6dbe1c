//! Whatever a document is, the same comes out as from `serde_json`: the value, or the error with its place.

use std::collections::{BTreeMap, HashMap};
use std::fmt::{self, Debug};

use serde::de::{DeserializeOwned, EnumAccess, Error, VariantAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

#[derive(Debug, Deserialize, PartialEq)]
struct Order {
    id: u64,
    #[serde(default)]
    paid: bool,
    customer: Option<Customer>,
    #[serde(default)]
    lines: Vec<Line>,
    note: String,
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct Customer {
    name: String,
    tags: Vec<Tag>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Tag(char);

#[derive(Debug, Deserialize, PartialEq)]
struct Line {
    count: u8,
    cents: i32,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

#[derive(Debug, Default, Deserialize, PartialEq)]
enum Shape {
    #[default]
    Nothing,
    Circle(u32),
    Line(i8, i8),
    Square {
        side: u16,
    },
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(tag = "kind")]
enum Event {
    Joined { who: String },
    Left { who: String, after: f64 },
}

#[derive(Debug, Deserialize, PartialEq)]
#[serde(untagged)]
enum Either {
    Number(i64),
    Text(String),
    Both(i64, String),
}

#[derive(Debug, Deserialize, PartialEq, Eq, Hash)]
struct Name(String);

/// Goes on after an error, with a default in place of the value, as careful readers of other people's data do.
#[derive(Debug, PartialEq)]
struct Lenient<T>(T);

impl<'de, T: Default + Deserialize<'de>> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Ok(Self(T::deserialize(from).unwrap_or_default()))
    }
}

#[derive(Debug, Deserialize, PartialEq)]
struct Forgiving {
    id: Lenient<u64>,
    price: Lenient<f64>,
    any: Lenient<Value>,
    #[serde(default)]
    lists: Vec<Lenient<Vec<u8>>>,
    b: Option<Lenient<u8>>,
}

/// Reads nothing at all.
#[derive(Debug, Eq, Hash, PartialEq)]
struct Deaf;

impl<'de> Deserialize<'de> for Deaf {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Ok(Self)
    }
}

/// An enum whose variants are numbers, or texts.
#[derive(Debug, PartialEq)]
struct Numbered(u32);

impl<'de> Deserialize<'de> for Numbered {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_enum("Numbered", &[], Variants)
    }
}

struct Variants;

impl<'de> Visitor<'de> for Variants {
    type Value = Numbered;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a variant")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<Numbered, A::Error> {
        let (Number(number), content) = access.variant()?;
        content.unit_variant()?;
        Ok(Numbered(number))
    }
}

/// A number that may be a text.
struct Number(u32);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_u32(Digits)
    }
}

struct Digits;

impl Visitor<'_> for Digits {
    type Value = Number;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("digits")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Number, E> {
        Ok(Number(number as u32))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Number, E> {
        text.parse().map(Number).map_err(E::custom)
    }
}

/// Documents that are read, and some that are not, as each of the types.
const DOCUMENTS: &[&str] = &[
    r#"{"id":7,"paid":true,"customer":{"name":"Zoë","tags":["x","é"]},"lines":[{"count":3,"cents":-250,"more":[1,2.5]}],"note":"Please ring \"twice\".\nLeave it at the door. \ud83c\udf89 \u00e9\/\\\b\f\r\t"}"#,
    " {\n\t\"note\" : \"x\" , \"id\" : 1 , \"customer\" : null , \"unknown\" : { \"a\" : [ ] , \"b\" : { } , \"c\" : -1.5e+7 , \"d\" : false } }\r\n",
    r#"{"id":1,"note":"a","note":"b"}"#,
    r#"{"id":18446744073709551615,"note":""}"#,
    r#"{"id":18446744073709551616,"note":""}"#,
    r#"{"id":1.0,"note":""}"#,
    r#"{"id":-1,"note":""}"#,
    r#"{"paid":1,"id":1,"note":""}"#,
    r#"[7,true,null,[],"as a list"]"#,
    r#"{"customer":{"name":"x","tags":[],"more":1},"id":1,"note":""}"#,
    r#"{"customer":{"name":"x","tags":["two"]},"id":1,"note":""}"#,
    r#""Nothing""#,
    r#"{"Nothing":null}"#,
    r#"{"Circle":12}"#,
    r#"{"Circle":12,"Line":[1,2]}"#,
    r#"{"Line":[1,-2]}"#,
    r#"{"Line":[1,-2,3]}"#,
    r#"{"Line":[1]}"#,
    r#"{"Square":{"side":4}}"#,
    r#"{"Square":[4]}"#,
    r#""Other""#,
    r#"{"kind":"Joined","who":"Ada"}"#,
    r#"{"who":"Ada","after":1,"kind":"Left"}"#,
    r#"{"who":"Ada","after":1.25,"kind":"Left"}"#,
    r#"{"1":2,"3":4}"#,
    r#"{"a\n":1,"b":2}"#,
    r#"{"true":1}"#,
    "[]",
    "[ ]",
    "{}",
    "{ }",
    "[1]",
    "[1,]",
    "[,1]",
    "[1 2]",
    "{,}",
    r#"{"a":1,}"#,
    r#"{"a" 1}"#,
    r#"{"a":}"#,
    r#"{1:2}"#,
    "[1}",
    "0",
    "-0",
    "-0.0",
    "00",
    "01",
    "-1",
    "-",
    "+1",
    "1.",
    ".5",
    "1e5",
    "1E+05",
    "1e",
    "1e400",
    "0.1",
    "255",
    "256",
    "-128",
    "-129",
    "999999999999999999",
    "1000000000000000000",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "340282366920938463463374607431768211455",
    "null",
    "nul",
    "nullx",
    "true",
    "True",
    "truefalse",
    "false",
    "fals",
    "NaN",
    r#""""#,
    r#""x""#,
    r#""é""#,
    "\"a text of more than sixteen bytes, and then one more: \u{7f}é🎉\"",
    "\"a text of more than sixteen bytes with a tab\tin it\"",
    "\"never ended",
    r#""\x""#,
    r#""\"#,
    r#""\u12"#,
    r#""\u12g4""#,
    r#""\u+123""#,
    r#""\ud800""#,
    r#""\ud800\n""#,
    r#""\ud800\ud800""#,
    r#""\udc00""#,
    r#""\u0000""#,
    "",
    " ",
    "1 2",
    "\u{feff}1",
    "\"a\" x",
    r#"["Nothing",{"Circle":1}]"#,
    r#"{"id":1234567890123456789,"price":1.5,"any":[1.5,{"a":-0}],"b":01}"#,
    r#"{"id":-0,"price":1e999,"any":1.5,"lists":[[300],"b":1}"#,
    r#"{"id":"x","price":null,"any":"\ud800","lists":[[1],[256],[2,"x"],7,[1,]],"b":300}"#,
    r#"{"id":1,"price":true,"any":{"a":[1,}],"lists":[{}]}"#,
    "[300]",
    "[-,1]",
    "[[1,2],[300],[1]",
    "[,]",
    "{:1}",
    r#"{"5":null}"#,
    "{5:null}",
    r#""5""#,
    r#"[[1,"a"],"b",-5]"#,
];

fn same<T: DeserializeOwned + Debug + PartialEq>(json: &[u8]) {
    let ours = squall_json::from_slice::<T>(json);
    let theirs = match str::from_utf8(json) {
        Ok(text) => serde_json::from_str::<T>(text),
        Err(_) => serde_json::from_slice::<T>(json),
    };
    match (ours, theirs) {
        (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs, "{}", json.escape_ascii()),
        (Err(ours), Err(theirs)) => {
            assert_eq!(
                ours.to_string(),
                theirs.to_string(),
                "{}",
                json.escape_ascii()
            );
        }
        (ours, theirs) => panic!("{ours:?} and not {theirs:?}: {}", json.escape_ascii()),
    }
}

fn same_as_anything(json: &[u8]) {
    same::<Value>(json);
    same::<Order>(json);
    same::<Customer>(json);
    same::<Line>(json);
    same::<Shape>(json);
    same::<Vec<Shape>>(json);
    same::<Event>(json);
    same::<Either>(json);
    same::<Vec<Either>>(json);
    same::<HashMap<Name, u8>>(json);
    same::<BTreeMap<u8, i64>>(json);
    same::<BTreeMap<bool, i64>>(json);
    same::<HashMap<String, Option<Value>>>(json);
    same::<(u8, String)>(json);
    same::<Vec<u8>>(json);
    same::<Vec<i64>>(json);
    same::<()>(json);
    same::<bool>(json);
    same::<char>(json);
    same::<String>(json);
    same::<u8>(json);
    same::<i8>(json);
    same::<u64>(json);
    same::<i64>(json);
    same::<u128>(json);
    same::<f64>(json);
    same::<f32>(json);
    same::<Option<f64>>(json);
    same::<Box<[Option<u64>]>>(json);
    same::<Forgiving>(json);
    same::<Vec<Lenient<Option<u8>>>>(json);
    same::<Vec<Lenient<Vec<u8>>>>(json);
    same::<Lenient<Value>>(json);
    same::<Lenient<Shape>>(json);
    same::<Vec<Deaf>>(json);
    same::<HashMap<Deaf, u8>>(json);
    same::<HashMap<String, Deaf>>(json);
    same::<Numbered>(json);
}

#[test]
fn documents_are_what_serde_json_says() {
    for document in DOCUMENTS {
        same_as_anything(document.as_bytes());
    }
}

/// Each document with each of its ends missing, and what is left behind another document.
#[test]
fn parts_of_documents_are_what_serde_json_says() {
    for document in DOCUMENTS {
        for end in 0..document.len() {
            let part = &document.as_bytes()[..end];
            same::<Value>(part);
            same::<Order>(part);
            same::<Shape>(part);
            same::<Event>(part);
            same::<Option<f64>>(part);
            same::<BTreeMap<u8, i64>>(part);
            same::<Forgiving>(part);
            same::<Lenient<Value>>(part);
        }
    }
}

/// Each byte of each document replaced by one that means something, or by no text at all.
#[test]
fn damaged_documents_are_what_serde_json_says() {
    for document in DOCUMENTS {
        for at in 0..document.len() {
            for byte in *b"\"\\{}[],:0-.eun \n\0\x1f\x80\xff" {
                let mut bytes = document.as_bytes().to_vec();
                bytes[at] = byte;
                same::<Value>(&bytes);
                same::<Order>(&bytes);
                same::<Event>(&bytes);
                same::<Forgiving>(&bytes);
                same::<Vec<Lenient<Vec<u8>>>>(&bytes);
            }
        }
    }
}

/// Special bytes at every place of a text, so at every place of the registers that it is looked at in.
#[test]
fn special_bytes_are_found_wherever_they_are() {
    for length in 0..70 {
        for at in 0..length {
            for special in ["\"", "\\\"", "\\u0041", "\n", "é", "\\"] {
                let mut text = "x".repeat(length);
                text.replace_range(at..=at, special);
                for document in [format!("\"{text}\""), format!("{{\"{text}\":\"{text}\"}}")] {
                    same::<String>(document.as_bytes());
                    same::<BTreeMap<String, String>>(document.as_bytes());
                }
            }
        }
    }
}

#[test]
fn numbers_of_every_length_are_what_serde_json_says() {
    for digits in 1..25 {
        for digit in ["1", "9", "0"] {
            for (before, after) in [("", ""), ("-", ""), ("", ".5"), ("-", "e1"), ("[", "]")] {
                let document = format!("{before}{}{after}", digit.repeat(digits));
                same::<Value>(document.as_bytes());
                same::<u64>(document.as_bytes());
                same::<i64>(document.as_bytes());
                same::<Vec<u32>>(document.as_bytes());
            }
        }
    }
}

#[test]
fn nesting_is_refused_where_serde_json_refuses_it() {
    for depth in [1, 126, 127, 128, 129, 100_000] {
        let list = "[".repeat(depth) + &"]".repeat(depth);
        let object = "{\"a\":".repeat(depth) + "1" + &"}".repeat(depth);
        same::<Value>(list.as_bytes());
        same::<Value>(object.as_bytes());
        // What nobody asked for is skipped.
        let unknown = format!(r#"{{"id":1,"unknown":{list},"note":""}}"#);
        same::<Order>(unknown.as_bytes());
    }
}

/// `serde_json` may be off by the last bit, by default.
#[test]
fn fractions_are_the_nearest_ones() {
    for digits in 1..25 {
        nearest(&format!("{}.5", "9".repeat(digits)));
        nearest(&format!("0.{}e9", "7".repeat(digits)));
    }
    for text in [
        "0.1",
        "1.7976931348623157e308",
        "5e-324",
        "123456.789e-7",
        "9007199254740993.0",
    ] {
        nearest(text);
    }
}

fn nearest(text: &str) {
    let read: f64 = squall_json::from_slice(text.as_bytes()).expect("a number");
    let digits = text.find('.').unwrap_or(0);
    // Numbers with many digits in front of the point are left to `serde_json`.
    if digits <= 18 {
        assert_eq!(read, text.parse::<f64>().expect("a number"), "{text}");
    }
}
