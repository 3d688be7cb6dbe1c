//! A row of the corpus, with what it expects.
//!
//! | key | meaning |
//! |---|---|
//! | `method` | of the request; else GET |
//! | `with` | limits of the client as `name=value`, several with a space between |
//! | `server` | `closes` or `resets` behind the last byte; else it waits |
//! | `answer` | the fetch succeeds: the status, and the body |
//! | `error` | the fetch fails: `closed`, `large`, `malformed`, `timeout` |
//! | `lacks` | a field that the answer has not |
//! | `next` | the next fetch takes the `same` connection or a `new` one |

use std::fmt;
use std::path::Path;

use http::Method;
use squall_client::{Error, Response};
use squall_corpus::{Row, unescape};
use squall_http::h1::Limits;

use super::liar::End;

/// Which connection the next fetch takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Next {
    New,
    Same,
}

#[derive(Debug)]
pub(super) struct Attack {
    pub(super) row: Row,
    pub(super) method: Method,
    pub(super) limits: Limits,
    pub(super) end: End,
    pub(super) next: Next,
    outcome: Outcome,
    lacks: Vec<String>,
}

/// How a fetch ends.
#[derive(Debug, Eq, PartialEq)]
enum Outcome {
    Answer(u16, Vec<u8>),
    Closed,
    Large,
    Malformed,
    Timeout,
    /// Of no sort that a lie should cause.
    Other(String),
}

/// Reads all rows.
pub(super) fn all() -> Vec<Attack> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let rows = squall_corpus::read(&folder).expect("the corpus is well written");
    rows.into_iter()
        .map(|row| {
            let place = row.place.clone();
            Attack::new(row).unwrap_or_else(|err| panic!("{place}: {err}"))
        })
        .collect()
}

impl Attack {
    fn new(row: Row) -> Result<Self, String> {
        let mut attack = Self {
            method: Method::GET,
            limits: Limits::default(),
            end: End::Waits,
            next: Next::New,
            outcome: Outcome::Timeout,
            lacks: Vec::new(),
            row,
        };
        let count =
            |keys: &[&str]| -> usize { keys.iter().map(|key| attack.row.all(key).count()).sum() };
        if (count(&["answer", "error"]), count(&["next"])) != (1, 1) {
            return Err("expected one `answer:` or `error:`, and one `next:`".to_owned());
        }
        let fields = attack.row.fields.clone();
        for (key, value) in &fields {
            let unknown = || format!("`{key}: {value}` is not understood");
            match (key.as_str(), value.as_str()) {
                ("method", method) => attack.method = method.parse().map_err(|_| unknown())?,
                ("with", settings) => {
                    for setting in settings.split(' ') {
                        set(&mut attack.limits, setting).ok_or_else(unknown)?;
                    }
                }
                ("server", "closes") => attack.end = End::Closes,
                ("server", "resets") => attack.end = End::Resets,
                ("answer", answer) => {
                    let (code, body) = answer.split_once(' ').unwrap_or((answer, ""));
                    let code = code.parse().map_err(|_| unknown())?;
                    attack.outcome = Outcome::Answer(code, unescape(body)?);
                }
                ("error", "closed") => attack.outcome = Outcome::Closed,
                ("error", "large") => attack.outcome = Outcome::Large,
                ("error", "malformed") => attack.outcome = Outcome::Malformed,
                ("error", "timeout") => attack.outcome = Outcome::Timeout,
                ("lacks", name) => attack.lacks.push(name.to_owned()),
                ("next", "new") => attack.next = Next::New,
                ("next", "same") => attack.next = Next::Same,
                _ => return Err(unknown()),
            }
        }
        Ok(attack)
    }

    /// Compares.
    pub(super) fn judge(&self, fetched: &Result<Response, Error>) -> Result<(), String> {
        let found = Outcome::of(fetched);
        if found != self.outcome {
            return Err(format!(
                "expected: {:?}\nfound:    {found:?}, {fetched:?}",
                self.outcome
            ));
        }
        let Ok(response) = fetched else {
            return Ok(());
        };
        match self
            .lacks
            .iter()
            .find(|name| response.headers.contains_key(name.as_str()))
        {
            Some(name) => Err(format!("found the field {name}")),
            None => Ok(()),
        }
    }
}

impl Outcome {
    fn of(fetched: &Result<Response, Error>) -> Self {
        match fetched {
            Ok(response) => Self::Answer(response.code, response.body.to_vec()),
            Err(err) if err.is_timeout() => Self::Timeout,
            Err(err) if err.is_body_too_large() => Self::Large,
            Err(err) if err.is_malformed() => Self::Malformed,
            Err(err) if err.is_closed() => Self::Closed,
            Err(err) => Self::Other(err.to_string()),
        }
    }
}

impl fmt::Display for Attack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Row {
            name, place, from, ..
        } = &self.row;
        write!(f, "{place}: {name} ({from})")
    }
}

/// Applies one `name=value`.
fn set(limits: &mut Limits, setting: &str) -> Option<()> {
    let (name, value) = setting.split_once('=')?;
    let number: usize = value.parse().ok()?;
    match name {
        "body_bytes" => limits.body_bytes = number as u64,
        "chunk_extension_bytes" => limits.chunk_extension_bytes = number,
        "head_bytes" => limits.head_bytes = number,
        "headers" => limits.headers = number,
        "interim_responses" => limits.interim_responses = number as u32,
        "trailer_bytes" => limits.trailer_bytes = number,
        _ => return None,
    }
    Some(())
}
