//! A range of rows, sorted by partition.

use headwater_record::PartitionId;

use super::bytes_column::{BytesColumn, Reader};
use super::options::EncodeOptions;
use super::prepared::PreparedTable;
use crate::error::EncodeError;
use crate::murmur2::partition_for_key;

/// The number of rows that are sorted, or written as JSON, at a time: few enough that their bytes stay in the
/// processor's cache.
pub(super) const CHUNK_ROWS: usize = 4096;

/// Rows `first..first + rows` of the table, and their partitions.
#[derive(Debug)]
pub(super) struct RowChunk {
    pub(super) first: usize,
    pub(super) rows: usize,
    pub(super) key: BytesColumn,
    pub(super) value: BytesColumn,
    pub(super) order: Order,
}

/// How the rows of a chunk are distributed to partitions.
#[derive(Debug)]
pub(super) enum Order {
    /// All rows go to this one.
    One(PartitionId),
    /// No row has a key: all go to the sticky partition, which may change with each batch.
    Sticky,
    /// Sorted by partition, within each partition in table order.
    Sorted(SortedRows),
}

/// The rows of each partition.
#[derive(Debug, Default)]
pub(super) struct SortedRows {
    /// Row numbers relative to the start of the chunk.
    rows: Vec<u32>,
    /// The end of each partition's rows.
    ends: Vec<u32>,
}

impl SortedRows {
    /// The rows of one partition.
    pub(super) fn of(&self, partition: usize) -> &[u32] {
        let start = partition
            .checked_sub(1)
            .map_or(0, |before| self.ends[before] as usize);
        &self.rows[start..self.ends[partition] as usize]
    }

    /// A stable counting sort in two passes.
    fn by(targets: &[u32], partition_count: usize) -> Self {
        let mut ends = vec![0u32; partition_count];
        for target in targets {
            ends[*target as usize] += 1;
        }
        let mut next = 0;
        for end in &mut ends {
            next += *end;
            *end = next - *end;
        }
        let mut rows = vec![0; targets.len()];
        for (row, target) in targets.iter().enumerate() {
            let at = &mut ends[*target as usize];
            rows[*at as usize] = row as u32;
            *at += 1;
        }
        Self { rows, ends }
    }
}

/// Assigns rows without a key: to one partition up to about a batch, then to the next.
#[derive(Clone, Debug)]
pub(super) struct Sticky {
    pub(super) partition: i32,
    gathered: usize,
    /// The bytes assigned to each partition.
    pub(super) placed: Vec<u64>,
}

impl Sticky {
    pub(super) fn new(options: &EncodeOptions) -> Self {
        let partition = options
            .sticky_partition
            .get()
            .rem_euclid(options.partition_count.max(1));
        Self {
            partition,
            gathered: 0,
            placed: vec![0; options.partition_count.max(1) as usize],
        }
    }

    /// Switches to the next partition.
    pub(super) fn advance(&mut self, partition_count: i32) {
        self.partition = (self.partition + 1) % partition_count.max(1);
        self.gathered = 0;
    }

    /// Counts bytes assigned to the partition.
    pub(super) fn place(&mut self, bytes: usize) {
        self.placed[self.partition as usize] += bytes as u64;
    }

    fn take(&mut self, bytes: usize, options: &EncodeOptions) -> i32 {
        if self.gathered >= options.batch.capacity {
            self.advance(options.partition_count);
        }
        self.gathered += bytes;
        self.place(bytes);
        self.partition
    }
}

impl RowChunk {
    /// Loads the rows from `first` on.
    pub(super) fn load(
        table: &PreparedTable,
        first: usize,
        options: &EncodeOptions,
        sticky: &mut Sticky,
    ) -> Result<Self, EncodeError> {
        let sorts = table.partitions.is_some()
            || options.partition.is_none() && options.partition_count > 1;
        let keyless = matches!(&table.key, super::source::Source::Bytes(key) if key.is_all_null());
        let sorts = sorts && !(keyless && table.partitions.is_none());
        let left = table.rows - first;
        let rows = if sorts || table.is_written() {
            left.min(CHUNK_ROWS)
        } else {
            left
        };
        let (key, value) = (table.key.rows(first, rows)?, table.value.rows(first, rows)?);
        let order = match options.partition {
            _ if sorts => Order::Sorted(sort(table, (&key, &value), first, rows, options, sticky)),
            Some(partition) => Order::One(partition),
            None if options.partition_count <= 1 => Order::One(PartitionId::new(0)),
            None => Order::Sticky,
        };
        Ok(Self {
            first,
            rows,
            key,
            value,
            order,
        })
    }
}

fn sort(
    table: &PreparedTable,
    (key, value): (&BytesColumn, &BytesColumn),
    first: usize,
    rows: usize,
    options: &EncodeOptions,
    sticky: &mut Sticky,
) -> SortedRows {
    let named = |row: usize| {
        let partitions = table.partitions.as_ref()?;
        (!arrow_array::Array::is_null(partitions, row)).then(|| partitions.value(row) as u32)
    };
    let target = |row: usize| {
        if let Some(partition) = named(first + row) {
            return partition;
        }
        if let Some(partition) = options.partition {
            return partition.get() as u32;
        }
        let partition = match key.get(row) {
            Some(key) => partition_for_key(key, options.partition_count).get(),
            None => sticky.take(value.get(row).map_or(0, <[u8]>::len) + 8, options),
        };
        partition as u32
    };
    let targets: Vec<u32> = (0..rows).map(target).collect();
    SortedRows::by(&targets, options.partition_count.max(1) as usize)
}
