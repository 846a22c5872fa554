//! Arrow to record batches.

mod columns;
mod options;

pub use columns::KeyValueColumns;
pub use options::EncodeOptions;

use bytes::Bytes;
use headwater_record::PartitionId;

use crate::error::EncodeError;

/// A batch, ready for a produce request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedBatch {
    /// Where it goes.
    pub partition: PartitionId,
    /// The batch, with base offset 0, without producer state unless the options have it.
    pub bytes: Bytes,
    /// How many records it has.
    pub record_count: usize,
}

/// Encodes tables.
#[derive(Debug)]
pub struct Encoder {
    options: EncodeOptions,
}

impl Encoder {
    /// An encoder for one topic. Buffers are used again from table to table.
    pub fn new(options: EncodeOptions) -> Self {
        Self { options }
    }

    /// The options.
    pub fn options(&self) -> &EncodeOptions {
        &self.options
    }

    /// Encodes the rows. Batches come one by one as they fill, so memory stays at one open batch a partition; drop each before
    /// asking for the next and its buffer is used again. Rows of a partition keep their order.
    pub fn encode<'a>(
        &'a mut self,
        rows: &'a arrow_array::RecordBatch,
        columns: &KeyValueColumns,
    ) -> Result<EncodedBatches<'a>, EncodeError> {
        let _ = (rows, columns);
        todo!()
    }
}

/// The batches of one table. Dropping it early drops the rows not yet handed out.
#[derive(Debug)]
pub struct EncodedBatches<'a> {
    encoder: &'a mut Encoder,
}

impl Iterator for EncodedBatches<'_> {
    type Item = Result<EncodedBatch, EncodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        let _ = &self.encoder.options;
        todo!()
    }
}
