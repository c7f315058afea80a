//! The writing half. Invariant: numbers and lengths take their shortest form, and nothing is written that could have another one.

use minicbor::Encoder;
use minicbor::encode::Write;
use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple, SerializeTupleStruct, SerializeTupleVariant,
};

use super::{NotOfItsType, Outcome};

/// Writes what it is given behind what was written.
pub(super) struct Writer<'a, W>(pub(super) &'a mut Encoder<W>);

impl<W: Write> Writer<'_, W> {
    fn map(&mut self, len: usize) -> Outcome {
        self.0.map(len as u64)?;
        Ok(())
    }

    fn array(&mut self, len: usize) -> Outcome {
        self.0.array(len as u64)?;
        Ok(())
    }

    /// What belongs to a variant comes next.
    fn variant(&mut self, variant: u32) -> Outcome {
        self.map(1)?;
        self.0.u32(variant)?;
        Ok(())
    }
}

macro_rules! write_plain {
    ($($name:ident: $type:ty => $method:ident,)*) => {$(
        fn $name(self, value: $type) -> Outcome {
            self.0.$method(value)?;
            Ok(())
        }
    )*};
}

impl<'w, 'a, W: Write> serde::Serializer for &'w mut Writer<'a, W> {
    type Ok = ();
    type Error = NotOfItsType;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Fields<'w, 'a, W>;
    type SerializeStructVariant = Fields<'w, 'a, W>;

    write_plain! {
        serialize_bool: bool => bool,
        serialize_i8: i8 => i8,
        serialize_i16: i16 => i16,
        serialize_i32: i32 => i32,
        serialize_i64: i64 => i64,
        serialize_u8: u8 => u8,
        serialize_u16: u16 => u16,
        serialize_u32: u32 => u32,
        serialize_u64: u64 => u64,
        serialize_char: char => char,
        serialize_str: &str => str,
        serialize_bytes: &[u8] => bytes,
    }

    /// No message holds one: the same number has more than one form.
    fn serialize_f32(self, _: f32) -> Outcome {
        Err(NotOfItsType)
    }

    fn serialize_f64(self, _: f64) -> Outcome {
        Err(NotOfItsType)
    }

    fn serialize_none(self) -> Outcome {
        self.0.null()?;
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Outcome {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Outcome {
        self.array(0)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Outcome {
        self.array(0)
    }

    fn serialize_unit_variant(self, _: &'static str, variant: u32, _: &'static str) -> Outcome {
        self.0.u32(variant)?;
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Outcome {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(self, _: &'static str, variant: u32, _: &'static str, value: &T) -> Outcome {
        self.variant(variant)?;
        value.serialize(self)
    }

    fn serialize_seq(self, len: Option<usize>) -> Outcome<Self> {
        self.array(len.ok_or(NotOfItsType)?)?;
        Ok(self)
    }

    fn serialize_tuple(self, len: usize) -> Outcome<Self> {
        self.array(len)?;
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Outcome<Self> {
        self.serialize_tuple(len)
    }

    fn serialize_tuple_variant(self, _: &'static str, variant: u32, _: &'static str, len: usize) -> Outcome<Self> {
        self.variant(variant)?;
        self.serialize_tuple(len)
    }

    fn serialize_map(self, len: Option<usize>) -> Outcome<Self> {
        self.map(len.ok_or(NotOfItsType)?)?;
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, len: usize) -> Outcome<Self::SerializeStruct> {
        self.map(len)?;
        Ok(Fields { writer: self, number: 0 })
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        variant: u32,
        _: &'static str,
        len: usize,
    ) -> Outcome<Self::SerializeStructVariant> {
        self.variant(variant)?;
        self.serialize_struct(name, len)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

macro_rules! write_elements {
    ($($trait:ident::$method:ident,)*) => {$(
        impl<W: Write> $trait for &mut Writer<'_, W> {
            type Ok = ();
            type Error = NotOfItsType;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Outcome {
                value.serialize(&mut **self)
            }

            fn end(self) -> Outcome {
                Ok(())
            }
        }
    )*};
}

write_elements! {
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field,
}

impl<W: Write> SerializeMap for &mut Writer<'_, W> {
    type Ok = ();
    type Error = NotOfItsType;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Outcome {
        key.serialize(&mut **self)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Outcome {
        value.serialize(&mut **self)
    }

    fn end(self) -> Outcome {
        Ok(())
    }
}

/// The fields of a struct: each, written or not, has a number.
pub(super) struct Fields<'w, 'a, W> {
    writer: &'w mut Writer<'a, W>,
    number: u32,
}

macro_rules! write_fields {
    ($($trait:ident,)*) => {$(
        impl<W: Write> $trait for Fields<'_, '_, W> {
            type Ok = ();
            type Error = NotOfItsType;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, _: &'static str, value: &T) -> Outcome {
                self.writer.0.u32(self.number)?;
                self.number += 1;
                value.serialize(&mut *self.writer)
            }

            fn skip_field(&mut self, _: &'static str) -> Outcome {
                self.number += 1;
                Ok(())
            }

            fn end(self) -> Outcome {
                Ok(())
            }
        }
    )*};
}

write_fields! { SerializeStruct, SerializeStructVariant, }
