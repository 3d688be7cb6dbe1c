//! The query of the URI.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use http::StatusCode;
use percent_encoding::percent_decode;
use serde::de::DeserializeOwned;

use super::values::{Named, Pair, Problem, ValueError};
use crate::{Context, Failure, FromRequest};

/// How much of a parameter's name is quoted to the peer and the log, in characters.
const QUOTED: usize = 64;

/// The query of the URI, in the form `application/x-www-form-urlencoded` (WHATWG URL section 5.1).
///
/// `T` is a struct or map with a field for each name. A field that is a `Vec` holds the values of all parameters of
/// its name, in their order; any other field given twice is refused. An `Option` is `None` when its parameter is
/// absent or empty, as forms send empty fields too. Unknown parameters are ignored, unless the type says otherwise
/// (`#[serde(deny_unknown_fields)]`).
///
/// With `#[serde(flatten)]` serde reads the fields of the inner struct as text only: numbers do not work there.
///
/// # Examples
///
/// ```
/// use serde::Deserialize;
/// use squall_web::Query;
///
/// #[derive(Deserialize)]
/// struct Search {
///     q: String,
///     page: Option<u32>,
///     #[serde(default)]
///     tag: Vec<String>,
/// }
///
/// // /search?q=loops&tag=rust&tag=async
/// async fn search(Query(search): Query<Search>) -> String {
///     format!("{}, page {}, {:?}", search.q, search.page.unwrap_or(1), search.tag)
/// }
/// # let _ = search;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Rejection = QueryRejection;

    async fn from_request(cx: &mut Context) -> Result<Self, QueryRejection> {
        parse(cx.uri().query().unwrap_or("")).map(Self)
    }

    fn is_ready(_cx: &Context) -> bool {
        true
    }
}

fn parse<T: DeserializeOwned>(query: &str) -> Result<T, QueryRejection> {
    let pairs: Result<Vec<Pair<'_>>, QueryRejection> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name)?, decode(value)?))
        })
        .collect();
    let named = T::deserialize(Named::new(&mut pairs?).deserializer());
    named.map_err(QueryRejection::of)
}

fn decode(text: &str) -> Result<Cow<'_, str>, QueryRejection> {
    if !text.contains(['%', '+']) {
        return Ok(Cow::Borrowed(text));
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_decode(spaced.as_bytes()).decode_utf8();
    decoded
        .map(|text| Cow::Owned(text.into_owned()))
        .map_err(|_| QueryRejection::not_utf8())
}

/// The query did not fit the handler.
#[derive(Clone, Debug, PartialEq)]
pub struct QueryRejection {
    /// None: the encoding itself is broken.
    problem: Option<Problem>,
    name: Option<String>,
    detail: String,
}

impl QueryRejection {
    fn not_utf8() -> Self {
        Self {
            problem: None,
            name: None,
            detail: "the query is not UTF-8".to_owned(),
        }
    }

    fn of(error: ValueError) -> Self {
        let name = error.field.map(quotable);
        let detail = match &name {
            Some(name) => format!("query parameter `{name}`: {}", error.detail),
            None => error.detail,
        };
        Self {
            problem: Some(error.problem),
            name,
            detail,
        }
    }
}

/// A name that a peer may have chosen, made short and printable.
fn quotable(name: String) -> String {
    let short: String = name.chars().take(QUOTED).collect();
    short.escape_debug().to_string()
}

impl Failure for QueryRejection {
    fn status(&self) -> StatusCode {
        match self.problem {
            Some(Problem::Shape) => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    fn message(&self) -> Cow<'static, str> {
        let what = match self.problem {
            None => return Cow::Borrowed("the query is not UTF-8"),
            Some(Problem::Shape) => return Cow::Borrowed(""),
            Some(Problem::Invalid) => "not valid",
            Some(Problem::Missing) => "missing",
            Some(Problem::Unknown) => "not known",
        };
        match &self.name {
            Some(name) => format!("query parameter `{name}` is {what}").into(),
            None => Cow::Borrowed("the query is not valid"),
        }
    }
}

impl fmt::Display for QueryRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl Error for QueryRejection {}
