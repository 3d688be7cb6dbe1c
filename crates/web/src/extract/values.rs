//! Turns the text of a path parameter or a query value into what a handler asked for.

use std::borrow::Cow;
use std::fmt;

use serde::de::value::{MapAccessDeserializer, SeqDeserializer, StringDeserializer};
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, Visitor,
};
use serde::forward_to_deserialize_any;

/// Why text is not the value a handler asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ValueError {
    pub(crate) problem: Problem,
    /// The parameter at fault, once it is known.
    pub(crate) field: Option<String>,
    /// What serde said: for the log.
    pub(crate) detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Problem {
    Invalid,
    Missing,
    /// The type cannot be read from parameters at all, which is the application's mistake.
    Shape,
    Unknown,
}

impl ValueError {
    pub(crate) fn shape(detail: impl fmt::Display) -> Self {
        Self::new(Problem::Shape, None, detail.to_string())
    }

    fn new(problem: Problem, field: Option<String>, detail: String) -> Self {
        Self {
            problem,
            field,
            detail,
        }
    }

    /// Names the parameter, unless something deeper has done so.
    pub(crate) fn at(mut self, field: &str) -> Self {
        self.field.get_or_insert_with(|| field.to_owned());
        self
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for ValueError {}

impl de::Error for ValueError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(Problem::Invalid, None, message.to_string())
    }

    /// We hand out text where one value is asked for; a map or sequence there means that the type asks for too much.
    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        let detail = format!("invalid type: {found}, expected {expected}");
        match found {
            de::Unexpected::Map | de::Unexpected::Seq => Self::shape(detail),
            _ => Self::new(Problem::Invalid, None, detail),
        }
    }

    fn missing_field(field: &'static str) -> Self {
        let detail = format!("missing field `{field}`");
        Self::new(Problem::Missing, Some(field.to_owned()), detail)
    }

    fn unknown_field(field: &str, _expected: &'static [&'static str]) -> Self {
        let detail = format!("unknown field `{field}`");
        Self::new(Problem::Unknown, Some(field.to_owned()), detail)
    }
}

/// A decoded parameter: its name and its text.
pub(crate) type Pair<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The text of one parameter, read as whatever is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Value<'a>(pub(crate) Cow<'a, str>);

impl<'a> Value<'a> {
    fn parse<T: std::str::FromStr<Err: fmt::Display>>(&self) -> Result<T, ValueError> {
        self.0.parse().map_err(de::Error::custom)
    }
}

impl<'de> IntoDeserializer<'de, ValueError> for Value<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! parsed {
    ($($method:ident => $visit:ident,)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
            visitor.$visit(self.parse()?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Value<'_> {
    type Error = ValueError;

    parsed! {
        deserialize_bool => visit_bool,
        deserialize_i8 => visit_i8,
        deserialize_i16 => visit_i16,
        deserialize_i32 => visit_i32,
        deserialize_i64 => visit_i64,
        deserialize_i128 => visit_i128,
        deserialize_u8 => visit_u8,
        deserialize_u16 => visit_u16,
        deserialize_u32 => visit_u32,
        deserialize_u64 => visit_u64,
        deserialize_u128 => visit_u128,
        deserialize_f32 => visit_f32,
        deserialize_f64 => visit_f64,
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.0 {
            Cow::Borrowed(text) => visitor.visit_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        visitor.visit_enum(UnitVariant(self.0))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, ValueError> {
        Err(ValueError::shape("one parameter cannot hold a sequence"))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, ValueError> {
        Err(ValueError::shape("one parameter cannot hold a map"))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { char str string bytes byte_buf unit unit_struct identifier }
}

/// Text as an enum whose variants hold nothing.
struct UnitVariant<'a>(Cow<'a, str>);

impl<'de> EnumAccess<'de> for UnitVariant<'_> {
    type Error = ValueError;
    type Variant = OnlyUnit;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, OnlyUnit), ValueError> {
        let name: StringDeserializer<ValueError> = self.0.into_owned().into_deserializer();
        Ok((seed.deserialize(name)?, OnlyUnit))
    }
}

struct OnlyUnit;

impl<'de> de::VariantAccess<'de> for OnlyUnit {
    type Error = ValueError;

    fn unit_variant(self) -> Result<(), ValueError> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        _seed: T,
    ) -> Result<T::Value, ValueError> {
        Err(ValueError::shape("a variant of a parameter holds nothing"))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _len: usize, _: V) -> Result<V::Value, ValueError> {
        Err(ValueError::shape("a variant of a parameter holds nothing"))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _fields: &'static [&'static str],
        _visitor: V,
    ) -> Result<V::Value, ValueError> {
        Err(ValueError::shape("a variant of a parameter holds nothing"))
    }
}

/// All values that came under one name.
struct Group<'g, 'a>(&'g [Pair<'a>]);

impl<'g> Group<'g, '_> {
    /// The only value; a second one is refused, because taking either would be a guess.
    fn single(&self) -> Result<Value<'g>, ValueError> {
        match self.0 {
            [(_, text)] => Ok(Value(Cow::Borrowed(text))),
            _ => Err(de::Error::custom("given more than once")),
        }
    }

    fn is_blank(&self) -> bool {
        matches!(self.0, [(_, text)] if text.is_empty())
    }
}

macro_rules! single {
    ($($method:ident($($arg:ident: $type:ty),*)),* $(,)?) => {$(
        fn $method<V: Visitor<'de>>(self, $($arg: $type,)* visitor: V) -> Result<V::Value, ValueError> {
            self.single()?.$method($($arg,)* visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Group<'_, '_> {
    type Error = ValueError;

    single! {
        deserialize_any(), deserialize_bool(),
        deserialize_i8(), deserialize_i16(), deserialize_i32(), deserialize_i64(), deserialize_i128(),
        deserialize_u8(), deserialize_u16(), deserialize_u32(), deserialize_u64(), deserialize_u128(),
        deserialize_f32(), deserialize_f64(),
        deserialize_char(), deserialize_str(), deserialize_string(), deserialize_bytes(), deserialize_byte_buf(),
        deserialize_unit(), deserialize_unit_struct(name: &'static str), deserialize_identifier(),
        deserialize_map(), deserialize_struct(name: &'static str, fields: &'static [&'static str]),
        deserialize_enum(name: &'static str, variants: &'static [&'static str]),
    }

    /// An empty value is none: a form sends its empty fields too.
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        if self.is_blank() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        let values = self.0.iter().map(|(_, text)| Value(Cow::Borrowed(text)));
        let mut sequence = SeqDeserializer::new(values);
        let value = visitor.visit_seq(&mut sequence)?;
        sequence.end()?;
        Ok(value)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_unit()
    }
}

/// Named parameters, read as a struct or map; parameters of one name make one list.
pub(crate) struct Named<'g, 'a> {
    pairs: &'g [Pair<'a>],
    /// The values of the name that was handed out last.
    group: &'g [Pair<'a>],
}

impl<'g, 'a> Named<'g, 'a> {
    /// Groups the pairs by sorting them, so that a peer's many names cost n log n and no hash that it could attack.
    pub(crate) fn new(pairs: &'g mut [Pair<'a>]) -> Self {
        pairs.sort_by(|one, two| one.0.cmp(&two.0));
        Self { pairs, group: &[] }
    }

    pub(crate) fn deserializer(self) -> MapAccessDeserializer<Self> {
        MapAccessDeserializer::new(self)
    }
}

impl<'de> MapAccess<'de> for Named<'_, '_> {
    type Error = ValueError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, ValueError> {
        let Some((name, _)) = self.pairs.first() else {
            return Ok(None);
        };
        let same = self.pairs.partition_point(|pair| pair.0 == *name);
        (self.group, self.pairs) = self.pairs.split_at(same);
        let key = seed.deserialize(Value(Cow::Borrowed(name)));
        key.map(Some).map_err(|err| err.at(name))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<S::Value, ValueError> {
        let value = seed.deserialize(Group(self.group));
        value.map_err(|err| match self.group.first() {
            Some((name, _)) => err.at(name),
            None => err,
        })
    }
}
