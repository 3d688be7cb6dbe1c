//! The short way: a serde deserializer for documents as they usually are.

mod containers;
mod number;
mod text;

use std::fmt;

use serde::Deserializer;
use serde::de::{self, Deserialize, IgnoredAny, Visitor};

use containers::{Elements, Members, Variant};
use number::Number;
use text::Text;

/// Containers within each other that are read here, as many as by `serde_json`.
const DEPTH: u8 = 127;

/// Reads a whole document.
pub(crate) fn read<'de, T: Deserialize<'de>>(text: &'de str) -> Result<T, Unusual> {
    let mut reader = Reader {
        text,
        at: 0,
        depth: DEPTH,
        gave_up: false,
        scratch: String::new(),
    };
    let value = T::deserialize(&mut reader)?;
    // Implementations of `Deserialize` may go on after an error, with a default in place of what it was about.
    if reader.gave_up || reader.next().is_some() {
        return Err(Unusual);
    }
    Ok(value)
}

/// The document is not one for the short way; what is the matter is for `serde_json` to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unusual;

impl fmt::Display for Unusual {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unusual JSON")
    }
}

impl std::error::Error for Unusual {}

impl de::Error for Unusual {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// What is read, and how far it has been.
#[derive(Debug)]
pub(crate) struct Reader<'de> {
    text: &'de str,
    /// Bytes that have been read.
    at: usize,
    /// Containers that may still be opened.
    depth: u8,
    /// Whether something was read that `serde_json` has to look at, whatever has become of the error.
    gave_up: bool,
    /// The last text that was not written as it is.
    scratch: String,
}

impl<'de> Reader<'de> {
    /// Leaves the document to `serde_json`.
    #[cold]
    fn give_up<T>(&mut self) -> Result<T, Unusual> {
        self.gave_up = true;
        Err(Unusual)
    }

    /// The byte at the place that has been reached.
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no white space, which stays unread.
    fn next(&mut self) -> Option<u8> {
        loop {
            match self.peek() {
                Some(b' ' | b'\n' | b'\r' | b'\t') => self.at += 1,
                byte => return byte,
            }
        }
    }

    /// Reads white space and `byte`.
    fn expect(&mut self, byte: u8) -> Result<(), Unusual> {
        if self.next() != Some(byte) {
            return self.give_up();
        }
        self.at += 1;
        Ok(())
    }

    /// Reads one of the three words of JSON.
    fn word(&mut self, word: &str) -> Result<(), Unusual> {
        let bytes = self.text.as_bytes();
        if !bytes[self.at..].starts_with(word.as_bytes()) {
            return self.give_up();
        }
        self.at += word.len();
        Ok(())
    }

    /// Reads what is between the bytes `open` and `close`.
    fn within<T>(
        &mut self,
        open: u8,
        close: u8,
        read: impl FnOnce(&mut Self) -> Result<T, Unusual>,
    ) -> Result<T, Unusual> {
        self.expect(open)?;
        let Some(depth) = self.depth.checked_sub(1) else {
            return self.give_up();
        };
        self.depth = depth;
        let Ok(value) = read(self) else {
            // Whoever goes on would not do so behind the end.
            return self.give_up();
        };
        self.depth += 1;
        self.expect(close)?;
        Ok(value)
    }

    fn whole_number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Unusual> {
        match self.number()? {
            Number::Unsigned(number) => visitor.visit_u64(number),
            Number::Negative(number) => visitor.visit_i64(number),
            Number::Fraction(_) => self.give_up(),
        }
    }

    fn any_number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Unusual> {
        match self.number()? {
            Number::Unsigned(number) => visitor.visit_u64(number),
            Number::Negative(number) => visitor.visit_i64(number),
            Number::Fraction(digits) => match digits.parse::<f64>() {
                Ok(number) if number.is_finite() => visitor.visit_f64(number),
                _ => self.give_up(),
            },
        }
    }
}

/// Methods that are the same for several types.
macro_rules! same {
    ($how:ident: $($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unusual> {
            self.$how(visitor)
        }
    )*};
}

/// Each method takes only what its counterpart in `serde_json` takes: a visitor may be ready for more, and would get
/// a value out of what is an error there.
impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Unusual;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unusual> {
        match self.next().unwrap_or_default() {
            b'"' => self.deserialize_str(visitor),
            b'{' => self.deserialize_map(visitor),
            b'[' => self.deserialize_seq(visitor),
            b'n' => self.deserialize_unit(visitor),
            b't' | b'f' => self.deserialize_bool(visitor),
            // Who asks for anything may want a fraction with all its digits, which `serde_json` can be told to keep.
            _ => self.whole_number(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unusual> {
        let value = self.next() == Some(b't');
        self.word(if value { "true" } else { "false" })?;
        visitor.visit_bool(value)
    }

    same! { whole_number:
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
    }

    same! { any_number: deserialize_f32 deserialize_f64 }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unusual> {
        match self.quoted()? {
            Text::Input(text) => visitor.visit_borrowed_str(text),
            Text::Scratch(text) => visitor.visit_str(text),
        }
    }

    same! { deserialize_str: deserialize_char deserialize_string deserialize_identifier }

    /// Texts and lists both may be bytes, and texts that are none may be, too.
    fn deserialize_bytes<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Unusual> {
        self.give_up()
    }

    same! { deserialize_bytes: deserialize_byte_buf }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unusual> {
        if self.next() == Some(b'n') {
            self.word("null")?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unusual> {
        self.next();
        self.word("null")?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unusual> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Unusual> {
        // By such a name `serde_json` knows the types that want the text itself.
        if name.starts_with('$') {
            return self.give_up();
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unusual> {
        self.within(b'[', b']', |reader| visitor.visit_seq(Elements::of(reader)))
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Unusual> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Unusual> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unusual> {
        self.within(b'{', b'}', |reader| visitor.visit_map(Members::of(reader)))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unusual> {
        match self.next() {
            Some(b'[') => self.deserialize_seq(visitor),
            _ => self.deserialize_map(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unusual> {
        match self.next() {
            Some(b'{') => self.within(b'{', b'}', |reader| {
                visitor.visit_enum(Variant::full(reader))
            }),
            _ => visitor.visit_enum(Variant::bare(self)),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Unusual> {
        match self.next().unwrap_or_default() {
            b'"' => self.quoted().map(drop)?,
            b'{' => self.deserialize_map(IgnoredAny).map(drop)?,
            b'[' => self.deserialize_seq(IgnoredAny).map(drop)?,
            b'n' => self.word("null")?,
            b't' => self.word("true")?,
            b'f' => self.word("false")?,
            _ => self.number().map(drop)?,
        }
        visitor.visit_unit()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::*;

    #[test]
    fn usual_documents_take_the_short_way() {
        let text = r#"{"id":12,"name":"Zoë","quoted":"\"\u00e9\"","list":[1,-2,true,null,{}],"long":"a text of more than sixteen bytes"}"#;
        assert_eq!(
            read::<Value>(text).unwrap(),
            serde_json::from_str::<Value>(text).unwrap()
        );
        assert_eq!(
            read::<Vec<f64>>(" [ 1 , 2.5 , -3e2 ] ").unwrap(),
            [1.0, 2.5, -300.0]
        );
        assert_eq!(read::<(Option<u8>, char)>(r#"[null,"x"]"#), Ok((None, 'x')));
        assert_eq!(
            read::<BTreeMap<String, ()>>(r#"{"a\n":null}"#)
                .unwrap()
                .len(),
            1
        );
    }

    #[test]
    fn all_others_are_left_alone() {
        for text in [
            "1.5",
            "1000000000000000000",
            "-0",
            "01",
            "[1,]",
            "",
            "1 1",
            r#""\ud800""#,
        ] {
            assert_eq!(read::<Value>(text), Err(Unusual), "{text}");
        }
        assert_eq!(read::<BTreeMap<u8, u8>>(r#"{"1":2}"#), Err(Unusual));
        assert_eq!(read::<u8>("256"), Err(Unusual));
    }

    #[test]
    fn depth_is_given_back() {
        let wide = format!("[{}[]]", "[[]],".repeat(1_000));
        assert!(read::<Value>(&wide).is_ok());
        let deep = "[".repeat(128) + &"]".repeat(128);
        assert_eq!(read::<Value>(&deep), Err(Unusual));
    }
}
