//! The parameters of the route.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use http::StatusCode;
use serde::de::value::SeqDeserializer;
use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::values::{Named, Pair, Problem, Value, ValueError};
use crate::{Context, Failure, FromRequest};

/// The parameters of the route, percent-decoded.
///
/// `T` is a single value where the route has one parameter, a tuple with a member for each parameter in the order of
/// the path, or a struct or map with a field for each name. Values are what `FromStr` makes of them: numbers, `bool`,
/// `char`, `String`, enums without data.
///
/// A decoded value may hold a slash: `/hello/a%2Fb` has the name `a/b`. Whoever makes a file name of it must look.
///
/// # Examples
///
/// ```
/// use squall_web::{Application, Path};
///
/// async fn hello(Path(name): Path<String>) -> String {
///     format!("Hello, {name}")
/// }
///
/// async fn comment(Path((article, comment)): Path<(String, u32)>) -> String {
///     format!("comment {comment} on {article}")
/// }
///
/// let app = Application::new()
///     .get("/hello/{name}", hello)
///     .get("/articles/{slug}/comments/{number}", comment);
/// # app.check().unwrap();
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Path<T> {
    type Rejection = PathRejection;

    async fn from_request(cx: &mut Context) -> Result<Self, PathRejection> {
        let mut pairs = Vec::with_capacity(cx.path_parameters().len());
        for (name, value) in cx.path_parameters() {
            pairs.push((Cow::Borrowed(name), value?));
        }
        let value = T::deserialize(Parameters(pairs)).map_err(PathRejection::of)?;
        Ok(Self(value))
    }

    fn is_ready(_cx: &Context) -> bool {
        true
    }
}

/// The parameters of a route did not fit the handler.
#[derive(Clone, Debug, PartialEq)]
pub struct PathRejection {
    kind: Kind,
    /// The parameter at fault, if it is only one.
    name: Option<String>,
    detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// 400: the peer sent a value that is none.
    Invalid,
    /// 400: the value is not UTF-8 once decoded.
    NotUtf8,
    /// 500: the handler's type does not fit the route.
    Shape,
}

impl PathRejection {
    pub(crate) fn not_utf8(name: &str) -> Self {
        Self {
            kind: Kind::NotUtf8,
            name: Some(name.to_owned()),
            detail: format!("path parameter `{name}` is not UTF-8"),
        }
    }

    pub(crate) fn no_parameter(name: &str) -> Self {
        Self {
            kind: Kind::Shape,
            name: None,
            detail: format!("the route has no parameter `{name}`"),
        }
    }

    fn of(error: ValueError) -> Self {
        // A missing parameter is never the peer's doing: the route decides which there are.
        let kind = match error.problem {
            Problem::Invalid => Kind::Invalid,
            Problem::Missing | Problem::Shape | Problem::Unknown => Kind::Shape,
        };
        let detail = match &error.field {
            Some(name) => format!("path parameter `{name}`: {}", error.detail),
            None => error.detail,
        };
        Self {
            kind,
            name: error.field,
            detail,
        }
    }
}

impl Failure for PathRejection {
    fn status(&self) -> StatusCode {
        match self.kind {
            Kind::Invalid | Kind::NotUtf8 => StatusCode::BAD_REQUEST,
            Kind::Shape => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn message(&self) -> Cow<'static, str> {
        match (self.kind, &self.name) {
            (Kind::Shape, _) => Cow::Borrowed(""),
            (Kind::NotUtf8, Some(name)) => format!("path parameter `{name}` is not UTF-8").into(),
            (_, Some(name)) => format!("path parameter `{name}` is not valid").into(),
            (_, None) => Cow::Borrowed("the path is not valid"),
        }
    }
}

impl fmt::Display for PathRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl Error for PathRejection {}

/// All parameters of a route, read as whatever the handler asked for.
struct Parameters<'a>(Vec<Pair<'a>>);

impl<'a> Parameters<'a> {
    fn single(self) -> Result<(Cow<'a, str>, Value<'a>), ValueError> {
        let count = self.0.len();
        let mut pairs = self.0.into_iter();
        match (pairs.next(), count) {
            (Some((name, text)), 1) => Ok((name, Value(text))),
            _ => Err(count_error(1, count)),
        }
    }

    fn values(self, wanted: Option<usize>) -> Result<Vec<Pair<'a>>, ValueError> {
        match wanted {
            Some(wanted) if wanted != self.0.len() => Err(count_error(wanted, self.0.len())),
            _ => Ok(self.0),
        }
    }
}

fn count_error(wanted: usize, found: usize) -> ValueError {
    ValueError::shape(format!(
        "the handler asks for {wanted} path parameters, its route has {found}"
    ))
}

macro_rules! single {
    ($($method:ident($($arg:ident: $type:ty),*)),* $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, $($arg: $type,)* visitor: V) -> Result<V::Value, ValueError> {
            let (name, value) = self.single()?;
            value.$method($($arg,)* visitor).map_err(|err| err.at(&name))
        }
    )*};
}

impl<'de> Deserializer<'de> for Parameters<'_> {
    type Error = ValueError;

    single! {
        deserialize_bool(),
        deserialize_i8(), deserialize_i16(), deserialize_i32(), deserialize_i64(), deserialize_i128(),
        deserialize_u8(), deserialize_u16(), deserialize_u32(), deserialize_u64(), deserialize_u128(),
        deserialize_f32(), deserialize_f64(),
        deserialize_char(), deserialize_str(), deserialize_string(), deserialize_bytes(), deserialize_byte_buf(),
        deserialize_option(), deserialize_identifier(),
        deserialize_enum(name: &'static str, variants: &'static [&'static str]),
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        if self.0.len() == 1 {
            let (name, value) = self.single()?;
            return value.deserialize_any(visitor).map_err(|err| err.at(&name));
        }
        self.deserialize_map(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        sequence(self.values(None)?, visitor)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        sequence(self.values(Some(len))?, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(mut self, visitor: V) -> Result<V::Value, ValueError> {
        Named::new(&mut self.0)
            .deserializer()
            .deserialize_any(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { unit_struct ignored_any }
}

fn sequence<'de, V: Visitor<'de>>(
    pairs: Vec<Pair<'_>>,
    visitor: V,
) -> Result<V::Value, ValueError> {
    let mut reached = None;
    let values = pairs
        .iter()
        .inspect(|(name, _)| reached = Some(name))
        .map(|(_, text)| Value(Cow::Borrowed(text)));
    let read = visitor.visit_seq(SeqDeserializer::new(values));
    // The value that failed is the last that was handed out.
    read.map_err(|err| match reached {
        Some(name) => err.at(name),
        None => err,
    })
}
