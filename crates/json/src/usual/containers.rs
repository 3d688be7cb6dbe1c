//! Objects, arrays, and the variants of enums.

use serde::Deserializer;
use serde::de::{DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde::forward_to_deserialize_any;

use super::text::Text;
use super::{Reader, Unusual};

/// What is between two brackets.
#[derive(Debug)]
pub(super) struct Elements<'a, 'de> {
    reader: &'a mut Reader<'de>,
    first: bool,
}

impl<'a, 'de> Elements<'a, 'de> {
    pub(super) fn of(reader: &'a mut Reader<'de>) -> Self {
        let first = true;
        Self { reader, first }
    }

    /// Whether there is another element before the byte `close`, which stays unread, as does the element.
    fn another(&mut self, close: u8) -> Result<bool, Unusual> {
        let next = self.reader.next();
        if next == Some(close) {
            return Ok(false);
        }
        if self.first {
            self.first = false;
            return Ok(true);
        }
        self.reader.expect(b',')?;
        Ok(true)
    }
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = Unusual;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Unusual> {
        if !self.another(b']')? {
            return Ok(None);
        }
        // Behind a comma; an element that reads nothing would not mind.
        if self.reader.next() == Some(b']') {
            return self.reader.give_up();
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

/// What is between two braces.
#[derive(Debug)]
pub(super) struct Members<'a, 'de>(Elements<'a, 'de>);

impl<'a, 'de> Members<'a, 'de> {
    pub(super) fn of(reader: &'a mut Reader<'de>) -> Self {
        Self(Elements::of(reader))
    }
}

impl<'de> MapAccess<'de> for Members<'_, 'de> {
    type Error = Unusual;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Unusual> {
        if !self.0.another(b'}')? {
            return Ok(None);
        }
        seed.deserialize(Key::of(self.0.reader)?).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Unusual> {
        self.0.reader.expect(b':')?;
        seed.deserialize(&mut *self.0.reader)
    }
}

/// The name of a member.
///
/// `serde_json` also makes numbers and more of it, for maps with such keys.
#[derive(Debug)]
struct Key<'a, 'de>(&'a mut Reader<'de>);

impl<'a, 'de> Key<'a, 'de> {
    /// Reads white space and the first quotation mark of a name, whether anybody reads the name or not.
    fn of(reader: &'a mut Reader<'de>) -> Result<Self, Unusual> {
        reader.expect(b'"')?;
        Ok(Self(reader))
    }
}

/// What no name is read as.
macro_rules! unusual {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Unusual> {
            self.0.give_up()
        }
    )*};
}

impl<'de> Deserializer<'de> for Key<'_, 'de> {
    type Error = Unusual;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unusual> {
        match self.0.rest_of_quoted()? {
            Text::Input(text) => visitor.visit_borrowed_str(text),
            Text::Scratch(text) => visitor.visit_str(text),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unusual> {
        if name.starts_with('$') {
            return self.0.give_up();
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unusual> {
        // A variant reads its name with both quotation marks.
        self.0.at -= 1;
        visitor.visit_enum(Variant::bare(self.0))
    }

    forward_to_deserialize_any! { char identifier ignored_any str string }

    unusual! {
        deserialize_bool deserialize_byte_buf deserialize_bytes deserialize_f32 deserialize_f64
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_map deserialize_option deserialize_seq
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_unit
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: V,
    ) -> Result<V::Value, Unusual> {
        self.0.give_up()
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Unusual> {
        self.0.give_up()
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        _: V,
    ) -> Result<V::Value, Unusual> {
        self.0.give_up()
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Unusual> {
        self.0.give_up()
    }
}

/// A variant of an enum.
#[derive(Debug)]
pub(super) struct Variant<'a, 'de> {
    reader: &'a mut Reader<'de>,
    has_content: bool,
}

impl<'a, 'de> Variant<'a, 'de> {
    /// One that is only a name.
    pub(super) fn bare(reader: &'a mut Reader<'de>) -> Self {
        let has_content = false;
        Self {
            reader,
            has_content,
        }
    }

    /// One with content: what is in an object with one member.
    pub(super) fn full(reader: &'a mut Reader<'de>) -> Self {
        let has_content = true;
        Self {
            reader,
            has_content,
        }
    }

    /// The content, which has to be there.
    fn content(self) -> Result<&'a mut Reader<'de>, Unusual> {
        if self.has_content {
            Ok(self.reader)
        } else {
            self.reader.give_up()
        }
    }
}

impl<'de> EnumAccess<'de> for Variant<'_, 'de> {
    type Error = Unusual;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Unusual> {
        let name = seed.deserialize(Key::of(self.reader)?)?;
        if self.has_content {
            self.reader.expect(b':')?;
        }
        Ok((name, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'_, 'de> {
    type Error = Unusual;

    fn unit_variant(self) -> Result<(), Unusual> {
        if self.has_content {
            self.reader.next();
            self.reader.word("null")?;
        }
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Unusual> {
        seed.deserialize(self.content()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Unusual> {
        self.content()?.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unusual> {
        self.content()?.deserialize_struct("", fields, visitor)
    }
}
