//! Record batches to Arrow.

mod assemble;
mod byte_column;
mod classic_column;
mod fetched;
mod header_column;
mod places;
mod plan;
mod rows;
mod walk;

pub use fetched::{Decoded, Fetched};
pub(crate) use places::Places;
pub(crate) use walk::short_record;

use arrow_schema::SchemaRef;
use headwater_record::{BatchError, Offset, RecordBatch, batches};

use crate::error::{DecodeError, DecodeErrorKind, SchemaError};
use crate::options::DecodeOptions;
use plan::Plan;
use rows::{Rows, Window};

/// Turns fetched bytes into tables of one schema.
#[derive(Debug)]
pub struct Decoder {
    options: DecodeOptions,
    plan: Plan,
}

impl Decoder {
    /// Checks that the options go together.
    pub fn new(options: DecodeOptions) -> Result<Self, SchemaError> {
        let plan = Plan::new(&options)?;
        Ok(Self { options, plan })
    }

    /// The options.
    pub fn options(&self) -> &DecodeOptions {
        &self.options
    }

    /// The schema of every table; `None` while JSON without a schema has not seen an object (until then it has the type `Null`).
    pub fn schema(&self) -> Option<SchemaRef> {
        self.plan.schema(&self.options)
    }

    /// Decodes all records of the wanted ranges, in the order given.
    ///
    /// Stops early only at [`DecodeOptions::max_decompressed_bytes`]; [`Decoded::next_offsets`] says where to go on. After an error the
    /// decoder can be used again.
    pub fn decode(&mut self, fetched: &[Fetched]) -> Result<Decoded, DecodeError> {
        self.decode_up_to(fetched, usize::MAX)
    }

    /// As [`decode`](Self::decode), and stops after `max_records`.
    pub fn decode_up_to(
        &mut self,
        fetched: &[Fetched],
        max_records: usize,
    ) -> Result<Decoded, DecodeError> {
        let (key, value) = self.plan.byte_columns();
        let mut reading = Reading {
            options: &self.options,
            rows: Rows::new(self.options.columns.clone(), key, value),
            max_records,
            decompressed: 0,
        };
        let mut next_offsets: Vec<Offset> = fetched.iter().map(|fetched| fetched.from).collect();
        let mut complete = true;
        for (index, fetched) in fetched.iter().enumerate() {
            complete = reading.read(fetched, &mut next_offsets[index])?;
            reading.rows.end_run(index);
            if !complete {
                break;
            }
        }
        let (batch, skipped) = self.plan.assemble(&self.options, reading.rows, fetched)?;
        Ok(Decoded {
            batch,
            next_offsets,
            complete,
            skipped,
        })
    }
}

/// One call: what was read, and what may still be.
struct Reading<'a> {
    options: &'a DecodeOptions,
    rows: Rows,
    max_records: usize,
    decompressed: usize,
}

impl Reading<'_> {
    /// Reads the batches of one partition. Returns whether all of them were passed.
    fn read(&mut self, fetched: &Fetched, next: &mut Offset) -> Result<bool, DecodeError> {
        let until = fetched.until.unwrap_or(Offset::MAX);
        // One buffer for all plain batches, unless views could not reach its end.
        let shared = i32::try_from(fetched.batches.len()).is_ok();
        let mut shared_index = None;
        let mut batches = batches(&fetched.batches);
        loop {
            let position = batches.position();
            let batch = match batches.next() {
                None => return Ok(true),
                Some(Ok(batch)) => batch,
                Some(Err(source)) => {
                    return Err(error_at(
                        fetched,
                        *next,
                        DecodeErrorKind::Damaged {
                            source,
                            next_offset: None,
                        },
                    ));
                }
            };
            let header = *batch.header();
            if header.next_offset() <= fetched.from {
                continue;
            }
            if header.base_offset >= until {
                return Ok(true);
            }
            if header.attributes.is_control() {
                self.check_crc(&batch)
                    .map_err(|source| damaged(fetched, *next, &batch, source))?;
            } else {
                let place = if shared && header.attributes.is_plain() {
                    let index = match shared_index {
                        Some(index) => Some(index),
                        None => self.rows.buffers.add(fetched.batches.clone()),
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

    /// Returns the offset to go on at when the batch was not, or not wholly, read.
    fn read_batch(
        &mut self,
        batch: &RecordBatch,
        place: Option<(u32, usize)>,
        window: Window,
    ) -> Result<Option<Offset>, DecodeErrorKind> {
        let header = batch.header();
        let kind = |source| DecodeErrorKind::Damaged {
            source,
            next_offset: Some(header.next_offset()),
        };
        if window.max_rows == 0 && header.record_count > 0 {
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
            .map_err(|failure| failure.into_kind(header))
    }

    fn check_crc(&self, batch: &RecordBatch) -> Result<(), BatchError> {
        if self.options.check_crc {
            batch.verify_crc()
        } else {
            Ok(())
        }
    }
}

fn error_at(fetched: &Fetched, offset: Offset, kind: DecodeErrorKind) -> DecodeError {
    DecodeError {
        topic: fetched.topic.clone(),
        partition: fetched.partition,
        offset,
        kind,
    }
}

fn damaged(
    fetched: &Fetched,
    next: Offset,
    batch: &RecordBatch,
    source: BatchError,
) -> DecodeError {
    let next_offset = Some(batch.header().next_offset());
    error_at(
        fetched,
        next,
        DecodeErrorKind::Damaged {
            source,
            next_offset,
        },
    )
}
