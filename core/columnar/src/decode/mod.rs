//! Record batches to Arrow.

mod fetched;

pub use fetched::{Decoded, Fetched};

use arrow_schema::SchemaRef;

use crate::error::{DecodeError, SchemaError};
use crate::options::DecodeOptions;

/// Turns fetched bytes into tables of one schema.
#[derive(Debug)]
pub struct Decoder {
    options: DecodeOptions,
}

impl Decoder {
    /// Checks that the options go together.
    pub fn new(options: DecodeOptions) -> Result<Self, SchemaError> {
        Ok(Self { options })
    }

    /// The options.
    pub fn options(&self) -> &DecodeOptions {
        &self.options
    }

    /// The schema of every table; `None` while JSON without a schema has not seen a record.
    pub fn schema(&self) -> Option<SchemaRef> {
        todo!()
    }

    /// Decodes all records of the wanted ranges, in the order given.
    ///
    /// Stops early only at [`DecodeOptions::max_decompressed_bytes`]; [`Decoded::next_offsets`] says where to go on.
    pub fn decode(&mut self, fetched: &[Fetched]) -> Result<Decoded, DecodeError> {
        self.decode_up_to(fetched, usize::MAX)
    }

    /// As [`decode`](Self::decode), and stops after `max_records`.
    pub fn decode_up_to(&mut self, fetched: &[Fetched], max_records: usize) -> Result<Decoded, DecodeError> {
        todo!("{fetched:?} {max_records}")
    }
}
