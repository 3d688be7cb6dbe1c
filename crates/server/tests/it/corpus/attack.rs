//! A row of the corpus, with what it expects.
//!
//! | key | meaning |
//! |---|---|
//! | `with` | settings of the server as `name=value`, several with a space between; see [`set`] |
//! | `client` | `ends`: it shuts down its side behind the last byte; else it waits |
//! | `answers` | the final statuses, or `none` |
//! | `then` | what becomes of the connection: `open`, `close`, `either`, `reset`, or what it waits for: `head`, `body` |
//! | `saw` | one request that reached the service: method, target, body; `!413` for a body that failed with that status, `!dropped` for one that was never complete, `!unread` where the service did not ask |
//! | `continue` | `always`: the client is asked for its body; `maybe`: if the body comes late; else never |
//! | `never` | text that is nowhere in the answers |
//! | `log` | `error`: the service made a mistake, which the log tells; else nothing above `info` is logged |

use std::fmt;
use std::path::Path;
use std::time::Duration;

use squall_corpus::{Row, unescape};
use squall_server::Config;

use super::trial::Outcome;
use super::victim::{Content, Seen};

/// What becomes of a connection after the last byte of an attack.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Then {
    /// It waits for the rest of a body.
    Body,
    Close,
    /// It is kept or not, by chance, and both are safe.
    Either,
    /// It waits for the rest of a head.
    Head,
    /// It waits for the next request.
    Open,
    Reset,
}

#[derive(Clone, Debug)]
pub(super) struct Attack {
    pub(super) row: Row,
    pub(super) config: Config,
    pub(super) ends: bool,
    pub(super) then: Then,
    answers: Vec<u16>,
    saw: Vec<Seen>,
    asked: Asked,
    never: Vec<Vec<u8>>,
    service_errs: bool,
}

/// Whether the client is asked for its body by a 100.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Asked {
    Always,
    Maybe,
    Never,
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
            config: config(),
            ends: false,
            then: Then::Close,
            answers: Vec::new(),
            saw: Vec::new(),
            asked: Asked::Never,
            never: Vec::new(),
            service_errs: false,
            row,
        };
        let fields = attack.row.fields.clone();
        for key in ["answers", "then"] {
            if attack.row.all(key).count() != 1 {
                return Err(format!("expected one line `{key}:`"));
            }
        }
        for (key, value) in &fields {
            let unknown = || format!("`{key}: {value}` is not understood");
            match (key.as_str(), value.as_str()) {
                ("with", settings) => {
                    for setting in settings.split(' ') {
                        set(&mut attack.config, setting).ok_or_else(unknown)?;
                    }
                }
                ("client", "ends") => attack.ends = true,
                ("answers", "none") => {}
                ("answers", list) => {
                    for status in list.split(' ') {
                        attack.answers.push(status.parse().map_err(|_| unknown())?);
                    }
                }
                ("then", "body") => attack.then = Then::Body,
                ("then", "close") => attack.then = Then::Close,
                ("then", "either") => attack.then = Then::Either,
                ("then", "head") => attack.then = Then::Head,
                ("then", "open") => attack.then = Then::Open,
                ("then", "reset") => attack.then = Then::Reset,
                ("saw", seen) => attack.saw.push(read_seen(seen)?),
                ("continue", "always") => attack.asked = Asked::Always,
                ("continue", "maybe") => attack.asked = Asked::Maybe,
                ("never", text) => attack.never.push(unescape(text)?),
                ("log", "error") => attack.service_errs = true,
                _ => return Err(unknown()),
            }
        }
        Ok(attack)
    }

    /// What is expected when this request and its answer come first.
    pub(super) fn behind(&self, request: &str) -> Self {
        let mut attack = self.clone();
        attack.answers.insert(0, 200);
        attack
            .saw
            .insert(0, read_seen(request).expect("well written"));
        attack
    }

    /// What is expected when this request follows.
    pub(super) fn before(&self, request: &str) -> Self {
        let mut attack = self.clone();
        attack.answers.push(200);
        attack.saw.push(read_seen(request).expect("well written"));
        attack
    }

    /// Compares.
    pub(super) fn judge(&self, outcome: &Outcome) -> Result<(), String> {
        let then = match outcome.then {
            Then::Close | Then::Open if self.then == Then::Either => Then::Either,
            then => then,
        };
        let expected = (&self.answers, self.then, &self.saw);
        let found = (&outcome.answers, then, &outcome.saw);
        if expected != found {
            return Err(format!("expected: {expected:?}\nfound:    {found:?}"));
        }
        let asked_ok = match self.asked {
            Asked::Always => outcome.continues == 1,
            Asked::Maybe => outcome.continues <= 1,
            Asked::Never => outcome.continues == 0,
        };
        if !asked_ok {
            return Err(format!("found {} interim answers", outcome.continues));
        }
        for text in &self.never {
            if outcome
                .wire
                .windows(text.len())
                .any(|window| window.eq_ignore_ascii_case(text))
            {
                let wire = outcome.wire.escape_ascii();
                return Err(format!("found {} in {wire}", text.escape_ascii()));
            }
        }
        if self.service_errs == outcome.complaints.is_empty() {
            return Err(format!("logged: {:?}", outcome.complaints));
        }
        Ok(())
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

/// Time limits that tell by how long a connection waited what it waited for.
pub(super) const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
pub(super) const BODY_TIMEOUT: Duration = Duration::from_secs(60);
pub(super) const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(300);

fn config() -> Config {
    Config {
        head_timeout: HEAD_TIMEOUT,
        body_timeout: BODY_TIMEOUT,
        keep_alive_timeout: KEEP_ALIVE_TIMEOUT,
        ..Config::default()
    }
}

/// Applies one `name=value`.
fn set(config: &mut Config, setting: &str) -> Option<()> {
    let (name, value) = setting.split_once('=')?;
    let number: u64 = value.parse().ok()?;
    let limits = &mut config.limits;
    match name {
        "body_bytes" => limits.body_bytes = number,
        "chunk_extension_bytes" => limits.chunk_extension_bytes = number as usize,
        "half_close" => config.half_close = number > 0,
        "head_bytes" => limits.head_bytes = number as usize,
        "headers" => limits.headers = number as usize,
        "target_bytes" => limits.target_bytes = number as usize,
        "trailer_bytes" => limits.trailer_bytes = number as usize,
        "unread_bytes" => config.unread_bytes = number,
        _ => return None,
    }
    Some(())
}

/// Reads `METHOD TARGET BODY`.
fn read_seen(text: &str) -> Result<Seen, String> {
    let mut words = text.splitn(3, ' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Err(format!("expected `METHOD TARGET BODY`, found `{text}`"));
    };
    let content = match words.next().unwrap_or_default() {
        "!dropped" => Content::Dropped,
        "!unread" => Content::Unread,
        body => match body.strip_prefix('!') {
            Some(status) => Content::Failed(status.parse().map_err(|_| text.to_owned())?),
            None => Content::Whole(unescape(body)?),
        },
    };
    Ok(Seen {
        method: method.to_owned(),
        target: String::from_utf8(unescape(target)?).map_err(|_| text.to_owned())?,
        content,
    })
}
