//! The reading half. Invariant: every value is asked for by its type; what describes itself or is passed over is not read.

use minicbor::Decoder;
use minicbor::data::Type;
use serde::de::{DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor, value::U32Deserializer};

use super::{NotOfItsType, Outcome};

/// Reads from where it stands.
pub(super) struct Reader<'de>(pub(super) Decoder<'de>);

impl<'de> Reader<'de> {
    pub(super) const fn entries(&mut self, left: u64) -> Entries<'_, 'de> {
        Entries { reader: self, left }
    }

    pub(super) fn array(&mut self) -> Outcome<u64> {
        self.0.array()?.ok_or(NotOfItsType)
    }

    fn map(&mut self) -> Outcome<u64> {
        self.0.map()?.ok_or(NotOfItsType)
    }

    /// So many elements, no fewer and no more.
    fn array_of(&mut self, len: usize) -> Outcome {
        if self.array()? == len as u64 { Ok(()) } else { Err(NotOfItsType) }
    }
}

macro_rules! read_plain {
    ($($name:ident: $method:ident => $visit:ident,)*) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
            visitor.$visit(self.0.$method()?)
        }
    )*};
}

macro_rules! read_nothing {
    ($($name:ident,)*) => {$(
        fn $name<V: Visitor<'de>>(self, _: V) -> Outcome<V::Value> {
            Err(NotOfItsType)
        }
    )*};
}

impl<'de> serde::Deserializer<'de> for &mut Reader<'de> {
    type Error = NotOfItsType;

    read_plain! {
        deserialize_bool: bool => visit_bool,
        deserialize_i8: i8 => visit_i8,
        deserialize_i16: i16 => visit_i16,
        deserialize_i32: i32 => visit_i32,
        deserialize_i64: i64 => visit_i64,
        deserialize_u8: u8 => visit_u8,
        deserialize_u16: u16 => visit_u16,
        deserialize_u32: u32 => visit_u32,
        deserialize_u64: u64 => visit_u64,
        deserialize_char: char => visit_char,
        deserialize_str: str => visit_borrowed_str,
        deserialize_string: str => visit_borrowed_str,
        deserialize_bytes: bytes => visit_borrowed_bytes,
        deserialize_byte_buf: bytes => visit_borrowed_bytes,
        deserialize_identifier: u64 => visit_u64,
    }

    // What describes itself, what is passed over, and what has more than one form.
    read_nothing! { deserialize_any, deserialize_ignored_any, deserialize_f32, deserialize_f64, }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        if self.0.datatype()? == Type::Null {
            self.0.null()?;
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        self.array_of(0)?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Outcome<V::Value> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Outcome<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        let left = self.array()?;
        visitor.visit_seq(self.entries(left))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Outcome<V::Value> {
        self.array_of(len)?;
        visitor.visit_seq(self.entries(len as u64))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, _: &'static str, len: usize, visitor: V) -> Outcome<V::Value> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Outcome<V::Value> {
        let left = self.map()?;
        visitor.visit_map(self.entries(left))
    }

    fn deserialize_struct<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Outcome<V::Value> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Outcome<V::Value> {
        if self.0.datatype()? != Type::Map {
            return visitor.visit_enum(U32Deserializer::new(self.0.u32()?));
        }
        if self.map()? != 1 {
            return Err(NotOfItsType);
        }
        visitor.visit_enum(Filled(self))
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// Entries of an array or a map that are still to come.
pub(super) struct Entries<'r, 'de> {
    reader: &'r mut Reader<'de>,
    left: u64,
}

impl Entries<'_, '_> {
    fn next(&mut self) -> bool {
        let is_one_left = self.left > 0;
        self.left = self.left.saturating_sub(1);
        is_one_left
    }

    /// Each takes a byte at least, so that a length alone makes no room.
    pub(super) fn hint(&self) -> Option<usize> {
        let most = self.reader.0.input().len().saturating_sub(self.reader.0.position());
        Some(usize::try_from(self.left).map_or(most, |left| left.min(most)))
    }
}

impl<'de> SeqAccess<'de> for Entries<'_, 'de> {
    type Error = NotOfItsType;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Outcome<Option<T::Value>> {
        if self.next() { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }

    fn size_hint(&self) -> Option<usize> {
        self.hint()
    }
}

impl<'de> MapAccess<'de> for Entries<'_, 'de> {
    type Error = NotOfItsType;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Outcome<Option<K::Value>> {
        if self.next() { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Outcome<V::Value> {
        seed.deserialize(&mut *self.reader)
    }

    fn size_hint(&self) -> Option<usize> {
        self.hint()
    }
}

/// A variant to which something belongs.
struct Filled<'r, 'de>(&'r mut Reader<'de>);

impl<'de> EnumAccess<'de> for Filled<'_, 'de> {
    type Error = NotOfItsType;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Outcome<(V::Value, Self)> {
        let variant = self.0.0.u32()?;
        Ok((seed.deserialize(U32Deserializer::<NotOfItsType>::new(variant))?, self))
    }
}

impl<'de> VariantAccess<'de> for Filled<'_, 'de> {
    type Error = NotOfItsType;

    fn unit_variant(self) -> Outcome {
        Err(NotOfItsType)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Outcome<T::Value> {
        seed.deserialize(self.0)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Outcome<V::Value> {
        serde::Deserializer::deserialize_tuple(self.0, len, visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Outcome<V::Value> {
        serde::Deserializer::deserialize_map(self.0, visitor)
    }
}
