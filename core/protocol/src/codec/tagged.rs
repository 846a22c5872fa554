//! Tagged fields: the optional fields at the end of a struct in a flexible version.
//!
//! ```text
//! count    unsigned varint
//! count *  tag unsigned varint, length unsigned varint, value
//! ```
//!
//! Fields with their default are left out. Tags are ascending.

use bytes::Bytes;

use super::{EncodeError, Encoder};

/// The unknown tagged fields of a struct, in the order of their tags, each tag once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UnknownTaggedFields(Option<Box<List>>);

/// Boxed, so that structs without unknown fields need one word instead of three.
#[derive(Clone, Debug, Default, PartialEq)]
struct List(Vec<TaggedField>);

/// A tagged field.
#[derive(Clone, Debug, PartialEq)]
pub struct TaggedField {
    /// The tag.
    pub tag: u32,
    /// The encoded value.
    pub value: Bytes,
}

impl UnknownTaggedFields {
    /// All fields, in the order of their tags.
    pub fn as_slice(&self) -> &[TaggedField] {
        self.0.as_deref().map_or(&[], |list| &list.0)
    }

    /// Whether there are no fields.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The value of `tag`.
    pub fn get(&self, tag: u32) -> Option<&Bytes> {
        let fields = self.as_slice();
        let at = fields.binary_search_by_key(&tag, |field| field.tag).ok()?;
        Some(&fields[at].value)
    }

    /// Sets the value of `tag`.
    pub fn insert(&mut self, tag: u32, value: Bytes) {
        self.push(tag, value);
        self.sort();
    }

    /// Appends a field. The caller sorts after the last one.
    pub(super) fn push(&mut self, tag: u32, value: Bytes) {
        self.0
            .get_or_insert_default()
            .0
            .push(TaggedField { tag, value });
    }

    /// Sorts by tag; of several values of one tag the last is kept.
    pub(super) fn sort(&mut self) {
        let Some(List(fields)) = self.0.as_deref_mut() else {
            return;
        };
        if fields.is_sorted_by(|left, right| left.tag < right.tag) {
            return;
        }
        fields.reverse();
        fields.sort_by_key(|field| field.tag);
        fields.dedup_by_key(|field| field.tag);
    }
}

/// Encodes the tagged fields of one struct, known and unknown ones, in the order of their tags.
#[derive(Debug)]
pub struct TagWriter<'a> {
    /// The unknown fields that are not written yet.
    unknown: &'a [TaggedField],
    count_position: usize,
    count: u32,
}

impl<'a> TagWriter<'a> {
    pub(super) fn begin(
        encoder: &mut Encoder<'_>,
        unknown: &'a super::UnknownTaggedFields,
    ) -> Result<Self, EncodeError> {
        let count_position = encoder.position();
        if encoder.is_flexible() {
            encoder.raw(&[0]);
        } else if !unknown.is_empty() {
            return Err(EncodeError::TaggedFieldsNotInVersion);
        }
        Ok(Self {
            unknown: unknown.as_slice(),
            count_position,
            count: 0,
        })
    }

    /// Writes the field `tag` with the value that `write` encodes. Tags must be ascending, and the version must be
    /// flexible.
    pub fn field(
        &mut self,
        encoder: &mut Encoder<'_>,
        tag: u32,
        write: &dyn Fn(&mut Encoder<'_>) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.unknown_below(encoder, tag);
        if self.unknown.first().is_some_and(|field| field.tag == tag) {
            return Err(EncodeError::TagTaken { tag });
        }
        self.count += 1;
        encoder.unsigned_varint(tag);
        let length_position = encoder.position();
        encoder.raw(&[0]);
        // Its length may move it, so nothing in it is shared.
        encoder.copying(write)?;
        let length = encoder.position() - length_position - 1;
        encoder.patch_varint(length_position, length as u32);
        Ok(())
    }

    /// Writes the remaining unknown fields, and the number of all fields.
    pub fn finish(mut self, encoder: &mut Encoder<'_>) -> Result<(), EncodeError> {
        if encoder.is_flexible() {
            self.unknown_below(encoder, u32::MAX);
            self.count += self.unknown.len() as u32;
            self.unknown
                .iter()
                .for_each(|field| write_unknown(encoder, field));
            encoder.patch_varint(self.count_position, self.count);
        }
        Ok(())
    }

    fn unknown_below(&mut self, encoder: &mut Encoder<'_>, tag: u32) {
        while let Some((field, rest)) = self.unknown.split_first()
            && field.tag < tag
        {
            write_unknown(encoder, field);
            self.unknown = rest;
            self.count += 1;
        }
    }
}

fn write_unknown(encoder: &mut Encoder<'_>, field: &TaggedField) {
    encoder.unsigned_varint(field.tag);
    encoder.unsigned_varint(field.value.len() as u32);
    encoder.raw(&field.value);
}
