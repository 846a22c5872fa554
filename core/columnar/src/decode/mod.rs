//! Decodes record batches to Arrow.

mod assemble;
mod byte_column;
mod classic_column;
mod damage;
mod fetched;
mod header_column;
mod new_fields;
mod places;
mod plan;
mod rows;
mod undecoded;
mod walk;

pub use fetched::{Decoded, FetchedBatches};
pub use new_fields::NewField;
pub(crate) use places::Places;
pub use undecoded::UndecodedRecord;
pub(crate) use walk::short_record;

use arrow_schema::SchemaRef;
use headwater_record::{BatchError, Offset, RecordBatch, batches};

use crate::error::{DecodeError, DecodeErrorKind, SchemaError};
use crate::options::{DecodeOptions, Format};
use damage::with_next_offset;
use plan::TableShapes;
use rows::{AppendFailure, Rows, Window};

/// Decodes fetched bytes to tables of one schema.
#[derive(Debug)]
pub struct Decoder {
    options: DecodeOptions,
    plan: TableShapes,
}

impl Decoder {
    /// Checks that the options are compatible.
    pub fn new(options: DecodeOptions) -> Result<Self, SchemaError> {
        let plan = TableShapes::new(&options)?;
        Ok(Self { options, plan })
    }

    /// The options.
    pub fn options(&self) -> &DecodeOptions {
        &self.options
    }

    /// The schema of every table. `None` until JSON without a schema has seen a value; until then tables have the type
    /// `Null` for it.
    pub fn schema(&self) -> Option<SchemaRef> {
        self.plan.schema(&self.options)
    }

    /// Whether JSON without a schema has not seen a value yet.
    pub fn is_inferring(&self) -> bool {
        self.plan.is_inferring()
    }

    /// Fixes the type of JSON without a schema to the one inferred so far, or `Null`.
    pub fn fix(&mut self) -> Result<(), SchemaError> {
        self.plan.fix()
    }

    /// The formats of key and value, with the inferred types. Another decoder with these formats produces the same
    /// tables, whichever records it sees first.
    pub fn formats(&self) -> (Format, Format) {
        self.plan.formats(&self.options)
    }

    /// Decodes all records of the requested ranges, in the given order.
    ///
    /// Stops early at [`DecodeOptions::max_decompressed_bytes`], and before a record or batch that cannot be read;
    /// [`Decoded::next_offsets`] is where to continue. The call that starts at such a record fails. The decoder can be
    /// used after an error.
    pub fn decode(&mut self, fetched: &[FetchedBatches]) -> Result<Decoded, DecodeError> {
        self.decode_up_to(fetched, usize::MAX)
    }

    /// Like [`decode`](Self::decode), but stops after `max_records`.
    pub fn decode_up_to(
        &mut self,
        fetched: &[FetchedBatches],
        max_records: usize,
    ) -> Result<Decoded, DecodeError> {
        match self.decode_rows(fetched, max_records) {
            Err(failure) if failure.rows_before > 0 => {
                self.decode_rows(fetched, failure.rows_before)
            }
            decoded => decoded,
        }
        .map_err(|failure| *failure.error)
    }

    fn decode_rows(
        &mut self,
        fetched: &[FetchedBatches],
        max_records: usize,
    ) -> Result<Decoded, Failure> {
        self.plan.start_table(&self.options);
        let (key, value) = self.plan.byte_columns();
        let mut reading = DecodeCall {
            options: &self.options,
            rows: Rows::new(self.options.columns.clone(), key, value),
            rows_before: 0,
            position: 0,
            max_records,
            decompressed: 0,
        };
        let mut next_offsets: Vec<Offset> = fetched.iter().map(|fetched| fetched.from).collect();
        let mut complete = true;
        for (index, fetched) in fetched.iter().enumerate() {
            complete = match reading.read(fetched, &mut next_offsets[index]) {
                Ok(complete) => complete,
                // The table is full: the next call returns the error.
                Err(_) if reading.rows_before == max_records => false,
                Err(error) => {
                    let error = with_next_offset(error, &fetched.bytes, reading.position);
                    return Err(Failure::after(reading.rows_before, error));
                }
            };
            reading.rows.end_run(index);
            if !complete {
                break;
            }
        }
        let table = self.plan.assemble(&self.options, reading.rows, fetched)?;
        Ok(Decoded {
            batch: table.batch,
            json: table.json,
            next_offsets,
            complete,
            skipped: table.skipped,
            new_fields: table.new_fields,
        })
    }
}

/// An error, and the number of rows before it.
#[derive(Debug)]
pub(crate) struct Failure {
    rows_before: usize,
    error: Box<DecodeError>,
}

impl Failure {
    pub(crate) fn after(rows_before: usize, error: DecodeError) -> Self {
        Self {
            rows_before,
            error: Box::new(error),
        }
    }
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        Self::after(0, error)
    }
}

/// The state of one call.
struct DecodeCall<'a> {
    options: &'a DecodeOptions,
    rows: Rows,
    /// The number of rows before the current batch.
    rows_before: usize,
    /// The position of the current batch in its bytes.
    position: usize,
    max_records: usize,
    decompressed: usize,
}

impl DecodeCall<'_> {
    /// Reads the batches of one partition. Returns whether all of them were processed.
    fn read(&mut self, fetched: &FetchedBatches, next: &mut Offset) -> Result<bool, DecodeError> {
        let until = fetched.until;
        let mut filter = fetched.aborted.filter();
        // All uncompressed batches share one buffer, unless it is too long for the positions of views.
        let shared = i32::try_from(fetched.bytes.len()).is_ok();
        let mut shared_index = None;
        let mut batches = batches(&fetched.bytes);
        loop {
            self.rows_before = self.rows.count;
            let position = batches.position();
            self.position = position;
            let batch = match batches.next() {
                None => return Ok(true),
                Some(Ok(batch)) => batch,
                Some(Err(source)) => return Err(damaged(fetched, *next, source)),
            };
            let header = *batch.header();
            if header.base_offset >= until {
                return Ok(true);
            }
            let is_visible = filter
                .admit(&batch)
                .map_err(|source| damaged(fetched, *next, source))?;
            if header.next_offset() <= fetched.from {
                continue;
            }
            if !is_visible {
                self.check_crc(&batch)
                    .map_err(|source| damaged(fetched, *next, source))?;
            } else if !self.options.timestamps.excludes(&header) {
                let place = if shared && header.attributes.is_plain() {
                    let index = match shared_index {
                        Some(index) => Some(index),
                        None => self.rows.buffers.add(fetched.bytes.clone()),
                    };
                    shared_index = index;
                    index.map(|index| (index, position + headwater_record::HEADER_LEN))
                } else {
                    None
                };
                let window = Window {
                    from: fetched.from,
                    until,
                    max_rows: self.max_records - self.rows.count,
                };
                if let Some(stopped) = self
                    .read_batch(&batch, place, window)
                    .map_err(|kind| error_at(fetched, *next, kind))?
                {
                    *next = stopped.max(*next);
                    return Ok(false);
                }
            }
            *next = header.next_offset().min(until).max(*next);
        }
    }

    /// Reads a batch. If it was read only in part or not at all, returns the offset where to continue.
    fn read_batch(
        &mut self,
        batch: &RecordBatch,
        place: Option<(u32, usize)>,
        window: Window,
    ) -> Result<Option<Offset>, DecodeErrorKind> {
        let header = batch.header();
        let kind = DecodeErrorKind::damaged;
        if window.max_rows == 0 && header.record_count != 0 {
            return Ok(Some(header.base_offset));
        }
        if !header.attributes.is_plain() && self.decompressed >= self.options.max_decompressed_bytes
        {
            return Ok(Some(header.base_offset));
        }
        self.check_crc(batch).map_err(kind)?;
        if self.rows.count_only(header, window) {
            return Ok(None);
        }
        let records = batch.records(self.options.decompress_limit).map_err(kind)?;
        let plain = records.plain();
        if !header.attributes.is_plain() {
            self.decompressed += plain.len();
        }
        let build = || DecodeErrorKind::Build {
            reason: "the fetched bytes have too many parts".to_owned(),
        };
        let place = match place {
            Some(place) => place,
            None => (self.rows.buffers.add(plain.clone()).ok_or_else(build)?, 0),
        };
        self.rows
            .append(&records, place, window)
            .map_err(AppendFailure::into_kind)
    }

    fn check_crc(&self, batch: &RecordBatch) -> Result<(), BatchError> {
        if self.options.check_crc {
            batch.verify_crc()
        } else {
            Ok(())
        }
    }
}

fn error_at(fetched: &FetchedBatches, offset: Offset, kind: DecodeErrorKind) -> DecodeError {
    DecodeError {
        topic: fetched.topic.clone(),
        partition: fetched.partition,
        offset,
        kind,
        record: None,
    }
}

fn damaged(fetched: &FetchedBatches, next: Offset, source: BatchError) -> DecodeError {
    error_at(fetched, next, DecodeErrorKind::damaged(source))
}
