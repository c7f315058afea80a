//! Messages as CBOR without names: a field and a variant is the number of its place in its type, as in COSE (RFC 9052).
//! Invariant: what is read is what its type says and nothing else; no length is left open, and nothing describes itself.
//!
//! A struct is a map from numbers to values, so that a field that is not written leaves a gap; a variant is its number, or a map of one
//! entry from its number to what belongs to it. All ends are of one build, which knows the places.

mod reader;
mod writer;

use std::fmt::Display;

use minicbor::encode::Write;
use minicbor::{Decoder, Encoder};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use reader::Reader;
use writer::Writer;

/// Not what its type says, or not what this form can say. Whoever sent it is told no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a message of its type")]
pub(crate) struct NotOfItsType;

impl serde::ser::Error for NotOfItsType {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

impl serde::de::Error for NotOfItsType {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

impl From<minicbor::decode::Error> for NotOfItsType {
    fn from(_: minicbor::decode::Error) -> Self {
        Self
    }
}

impl<E> From<minicbor::encode::Error<E>> for NotOfItsType {
    fn from(_: minicbor::encode::Error<E>) -> Self {
        Self
    }
}

type Outcome<T = ()> = Result<T, NotOfItsType>;

/// Writes `message` behind what `out` holds.
pub(crate) fn write<M: Serialize, W: Write>(out: W, message: &M) -> Outcome<W> {
    let mut encoder = Encoder::new(out);
    message.serialize(&mut Writer(&mut encoder))?;
    Ok(encoder.into_writer())
}

/// Reads a message that stands at the beginning of `bytes`.
pub(crate) fn read<'de, M: Deserialize<'de>>(bytes: &'de [u8]) -> Outcome<M> {
    M::deserialize(&mut Reader(Decoder::new(bytes)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Fields {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seldom: Option<i64>,
        pair: (u8, bool),
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
        sort: Sort,
        many: BTreeMap<String, Vec<Sort>>,
    }

    #[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    enum Sort {
        #[default]
        Plain,
        Two(u32, char),
        Named {
            limit: Option<u64>,
        },
        Wide(i128),
        Broken(f64),
    }

    fn there_and_back(fields: &Fields) -> Outcome<Fields> {
        read(&write(Vec::new(), fields)?)
    }

    #[test]
    fn a_field_keeps_its_number_when_another_is_not_written() {
        let fields = Fields { seldom: Some(-3), bytes: vec![1, 2], ..Fields::default() };
        for (fields, canonical) in [
            (fields.clone(), &b"\xa5\x00\x22\x01\x82\x00\xf4\x02\x42\x01\x02\x03\x00\x04\xa0"[..]),
            (Fields { seldom: None, ..fields }, b"\xa4\x01\x82\x00\xf4\x02\x42\x01\x02\x03\x00\x04\xa0"),
        ] {
            assert_eq!(write(Vec::new(), &fields).unwrap(), canonical);
            assert_eq!(read(canonical), Ok(fields));
        }
    }

    #[test]
    fn what_has_more_than_one_form_is_neither_written_nor_read() {
        let sorted = |sort| Fields { sort, ..Fields::default() };
        for sort in [Sort::Plain, Sort::Two(7, 'x'), Sort::Named { limit: None }, Sort::Named { limit: Some(u64::MAX) }] {
            let fields = Fields { many: BTreeMap::from([("a".to_owned(), vec![sort, Sort::Plain])]), ..sorted(sort) };
            assert_eq!(there_and_back(&fields), Ok(fields));
        }
        for sort in [Sort::Wide(1), Sort::Broken(1.0)] {
            assert_eq!(there_and_back(&sorted(sort)), Err(NotOfItsType), "{sort:?}");
        }
        assert!(read::<f64>(b"\xfb\x3f\xf0\0\0\0\0\0\0").is_err());
        assert!(read::<serde::de::IgnoredAny>(b"\x01").is_err(), "nothing is passed over");
        assert!(read::<Vec<u8>>(b"\x9f\x01\xff").is_err(), "no length is left open");
    }

    /// A length of which the packet holds nothing.
    #[test]
    fn a_length_alone_makes_no_room() {
        let mut reader = Reader(Decoder::new(b"\x9b\0\0\xff\xff\xff\xff\xff\xff\x01"));
        let left = reader.array().unwrap();
        assert_eq!((left, reader.entries(left).hint()), (0xffff_ffff_ffff, Some(1)));
        assert!(read::<Vec<u64>>(b"\x9b\0\0\xff\xff\xff\xff\xff\xff\x01").is_err());
    }
}
