//! Collects the rows of one table: the content of each column, before it becomes Arrow.

use headwater_record::{BatchHeader, Offset, Records, TimestampType};

use super::byte_column::ByteColumn;
use super::header_column::HeaderColumn;
use super::places::Places;
use super::walk::Walk;
use crate::error::DecodeErrorKind;
use crate::projection::{Column, Projection};
use crate::trusted::{Block, Buffers, Columns, fill};

/// If a run has fewer records than this, no further run is tried in the batch.
const RUN_MIN: usize = 16;

/// The collected columns. Columns that are not requested stay empty.
#[derive(Debug)]
pub(crate) struct Rows {
    wanted: Projection,
    keep_offsets: bool,
    keep_timestamps: bool,
    pub(crate) buffers: Buffers,
    pub(crate) count: usize,
    /// The origin of the rows: the index of the [`FetchedBatches`](super::FetchedBatches) and the first row after them.
    pub(crate) runs: Vec<(usize, usize)>,
    pub(crate) offsets: Vec<i64>,
    pub(crate) timestamps: Vec<i64>,
    pub(crate) key: Option<ByteColumn>,
    pub(crate) value: Option<ByteColumn>,
    pub(crate) headers: Option<HeaderColumn>,
    pub(crate) timestamp_types: Vec<i8>,
    pub(crate) leader_epochs: Vec<i32>,
}

/// The requested rows of a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    pub(crate) from: Offset,
    pub(crate) until: Offset,
    pub(crate) max_rows: usize,
}

impl Window {
    fn has_all_of(&self, header: &BatchHeader) -> bool {
        self.from <= header.base_offset
            && header.last_offset() < self.until
            && header.record_count.max(0) as usize <= self.max_rows
    }
}

impl Rows {
    pub(crate) fn new(
        wanted: Projection,
        key: Option<ByteColumn>,
        value: Option<ByteColumn>,
    ) -> Self {
        let can_fail = [&key, &value]
            .into_iter()
            .flatten()
            .any(ByteColumn::can_be_wrong);
        let headers = wanted.contains(Column::Headers).then(HeaderColumn::default);
        Self {
            // An error message includes the offset.
            keep_offsets: can_fail || wanted.contains(Column::Offset),
            keep_timestamps: wanted.contains(Column::Timestamp),
            wanted,
            buffers: Buffers::default(),
            count: 0,
            runs: Vec::new(),
            offsets: Vec::new(),
            timestamps: Vec::new(),
            key,
            value,
            headers,
            timestamp_types: Vec::new(),
            leader_epochs: Vec::new(),
        }
    }

    /// Appends the records of a batch within the window. If the window's rows were used up before the end of the batch,
    /// returns the offset after the last record that was read.
    pub(crate) fn append(
        &mut self,
        records: &Records,
        place: (u32, usize),
        window: Window,
    ) -> Result<Option<Offset>, AppendFailure> {
        let before = self.count;
        let (index, base) = place;
        let buffers = std::mem::take(&mut self.buffers);
        let block = buffers.block(index, base..base + records.plain().len());
        let stopped = match &block {
            Some(block) => self.walk(records, block, window),
            None => Err(AppendFailure::Build),
        };
        self.buffers = buffers;
        let stopped = stopped?;
        self.append_batch_columns(records.header(), self.count - before);
        for column in [&mut self.key, &mut self.value].into_iter().flatten() {
            column
                .end_batch(&self.buffers)
                .ok_or(AppendFailure::Build)?;
        }
        Ok(stopped)
    }

    /// The hot loop. All decisions that do not depend on a record are made before it. There is one loop for all cases,
    /// so that reading a record is inlined.
    fn walk(
        &mut self,
        records: &Records,
        block: &Block<'_>,
        window: Window,
    ) -> Result<Option<Offset>, AppendFailure> {
        let header = records.header();
        // No record is shorter than seven bytes, so a false count cannot cause a large allocation.
        let room = records.count().min(block.plain().len() / 7 + 1);
        let columns = Columns {
            offsets: self.keep_offsets.then_some(&mut self.offsets),
            timestamps: self.keep_timestamps.then_some(&mut self.timestamps),
            key: self.key.as_mut().map(ByteColumn::views),
            value: self.value.as_mut().map(ByteColumn::views),
        };
        let (headers, first_row) = (&mut self.headers, self.count);
        let places = Places::of(header);
        let trims = (!window.has_all_of(header)).then_some(window);
        let (result, rows) = fill(columns, block, room, |rows| {
            let mut walk = Walk::new(block.plain(), header.record_count);
            let mut walk_all = || {
                let mut runs = trims.is_none();
                while !walk.is_done() {
                    if runs {
                        let before = rows.rows();
                        let left = walk.left();
                        let at = rows.push_run(walk.position(), left, places);
                        let ran = rows.rows() - before;
                        walk.skip_to(at, ran);
                        // If the kinds of records alternate, runs cost more than they save.
                        runs = ran >= RUN_MIN;
                        if ran == left {
                            break;
                        }
                    }
                    let (index, record) = walk.next()?;
                    let offset = places
                        .offset(record.offset_delta)
                        .ok_or(AppendFailure::Place { index })?;
                    if let Some(window) = trims {
                        if offset < window.from || offset >= window.until {
                            continue;
                        }
                        if rows.rows() == window.max_rows {
                            return Ok(Some(offset));
                        }
                    }
                    if let Some(headers) = headers {
                        headers.push(first_row + rows.rows(), record, block.plain());
                    }
                    let timestamp_ms = places.timestamp_ms(record.timestamp_delta);
                    rows.push(offset.get(), timestamp_ms, record.key, record.value);
                }
                walk.end()?;
                Ok(None)
            };
            (walk_all(), rows.rows())
        });
        self.count += rows;
        result
    }

    /// Counts the records of a batch that lies completely in the window, if only their number is requested.
    pub(crate) fn count_only(&mut self, header: &BatchHeader, window: Window) -> bool {
        let wants_nothing = self.wanted.is_empty() && self.key.is_none() && self.value.is_none();
        let counts = wants_nothing && window.has_all_of(header) && header.record_count >= 0;
        if counts {
            self.count += header.record_count as usize;
        }
        counts
    }

    fn append_batch_columns(&mut self, header: &BatchHeader, rows: usize) {
        if self.wanted.contains(Column::TimestampType) {
            let kind = i8::from(header.attributes.timestamp_type() == TimestampType::LogAppendTime);
            self.timestamp_types
                .resize(self.timestamp_types.len() + rows, kind);
        }
        if self.wanted.contains(Column::LeaderEpoch) {
            self.leader_epochs
                .resize(self.leader_epochs.len() + rows, header.leader_epoch.get());
        }
    }

    /// Assigns the rows since the last call to that [`FetchedBatches`](super::FetchedBatches).
    pub(crate) fn end_run(&mut self, fetched: usize) {
        if self.runs.last().map_or(0, |run| run.1) < self.count {
            self.runs.push((fetched, self.count));
        }
    }

    /// The index of the [`FetchedBatches`](super::FetchedBatches) of a row.
    pub(crate) fn fetched_of(&self, row: usize) -> usize {
        let run = self.runs.partition_point(|run| run.1 <= row);
        self.runs
            .get(run)
            .or(self.runs.last())
            .map_or(0, |run| run.0)
    }
}

/// The reason why the records of a batch could not be appended.
#[derive(Debug)]
pub(crate) enum AppendFailure {
    Damaged(headwater_record::BatchError),
    Place { index: usize },
    Build,
}

impl From<headwater_record::BatchError> for AppendFailure {
    fn from(error: headwater_record::BatchError) -> Self {
        Self::Damaged(error)
    }
}

impl AppendFailure {
    pub(crate) fn into_kind(self) -> DecodeErrorKind {
        let source = match self {
            Self::Damaged(source) => source,
            Self::Place { index } => headwater_record::BatchError::Record {
                index,
                defect: headwater_record::RecordDefect::OffsetOverflow,
            },
            Self::Build => {
                return DecodeErrorKind::Build {
                    reason: "a column would have more than 2 GiB".to_owned(),
                };
            }
        };
        DecodeErrorKind::damaged(source)
    }
}
