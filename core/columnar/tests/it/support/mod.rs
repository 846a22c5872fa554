//! Creates batches and tables for tests.

use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use bytes::{Bytes, BytesMut};
use headwater_columnar::{DecodeError, DecodeOptions, Decoded, Decoder, FetchedBatches};
use headwater_record::{
    AbortedTransactions, Attributes, BatchBuilder, BatchHeader, BatchOptions, Compression,
    ControlType, DecompressLimit, HEADER_LEN, Offset, ProducerEpoch, ProducerId,
    RecordBatch as KafkaBatch, control_batch, crc,
};

/// A record to be encoded.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Row {
    pub(crate) timestamp_ms: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(String, Option<Vec<u8>>)>,
}

impl Row {
    pub(crate) fn new(key: &str, value: &str) -> Self {
        Self {
            timestamp_ms: 1000,
            key: Some(key.into()),
            value: Some(value.into()),
            headers: Vec::new(),
        }
    }

    pub(crate) fn of_value(value: impl Into<Vec<u8>>) -> Self {
        Self {
            timestamp_ms: 1000,
            value: Some(value.into()),
            ..Self::default()
        }
    }
}

/// One batch of these rows, at that base offset.
pub(crate) fn batch_at(base_offset: i64, compression: Compression, rows: &[Row]) -> Bytes {
    let mut builder = BatchBuilder::new(BatchOptions {
        compression,
        capacity: 1 << 20,
        ..BatchOptions::default()
    });
    for row in rows {
        let headers: Vec<_> = row
            .headers
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_deref()))
            .collect();
        builder
            .try_append(
                row.timestamp_ms,
                row.key.as_deref(),
                row.value.as_deref(),
                &headers,
            )
            .unwrap();
    }
    let mut bytes = BytesMut::from(builder.finish().unwrap().as_ref());
    bytes[..8].copy_from_slice(&base_offset.to_be_bytes());
    bytes.freeze()
}

/// Consecutive batches.
pub(crate) fn log(batches: &[(Compression, &[Row])]) -> Bytes {
    let mut bytes = BytesMut::new();
    let mut offset = 0;
    for (compression, rows) in batches {
        bytes.extend_from_slice(&batch_at(offset, *compression, rows));
        offset += rows.len() as i64;
    }
    bytes.freeze()
}

/// One uncompressed batch of these values from offset 0.
pub(crate) fn values(values: &[&str]) -> Bytes {
    let rows: Vec<Row> = values.iter().map(|value| Row::of_value(*value)).collect();
    batch_at(0, Compression::None, &rows)
}

/// All records of these bytes, in partition 0 of topic `t`.
pub(crate) fn decode(options: DecodeOptions, bytes: Bytes) -> Decoded {
    Decoder::new(options)
        .unwrap()
        .decode(&[FetchedBatches::new("t", 0, bytes, 0)])
        .unwrap()
}

/// The message of the error from decoding.
pub(crate) fn refusal(options: DecodeOptions, bytes: Bytes) -> String {
    failure(options, bytes).1.to_string()
}

/// The tables before the error, and the error.
pub(crate) fn failure(options: DecodeOptions, bytes: Bytes) -> (Vec<Decoded>, DecodeError) {
    let mut decoder = Decoder::new(options).unwrap();
    let mut fetched = FetchedBatches::new("t", 0, bytes, 0);
    let mut tables = Vec::new();
    loop {
        match decoder.decode(std::slice::from_ref(&fetched)) {
            Ok(table) => {
                assert!(!table.complete && table.next_offsets[0] > fetched.from);
                fetched.from = table.next_offsets[0];
                tables.push(table);
            }
            Err(error) => return (tables, error),
        }
    }
}

/// The column of offsets.
pub(crate) fn offsets(batch: &RecordBatch) -> Vec<i64> {
    batch
        .column_by_name("offset")
        .unwrap()
        .as_primitive::<Int64Type>()
        .values()
        .to_vec()
}

/// The decoded offsets of each range between two of the `cuts`, in tables of `max_records`.
pub(crate) fn decode_pieces(
    options: DecodeOptions,
    fetched: &FetchedBatches,
    cuts: &[i64],
    max_records: usize,
) -> Vec<i64> {
    let mut decoder = Decoder::new(options).unwrap();
    let mut seen = Vec::new();
    for piece in cuts.windows(2) {
        let mut fetched = FetchedBatches {
            from: Offset::new(piece[0]),
            until: Offset::new(piece[1]),
            ..fetched.clone()
        };
        loop {
            let table = decoder
                .decode_up_to(std::slice::from_ref(&fetched), max_records)
                .unwrap();
            seen.extend(offsets(&table.batch));
            if table.complete {
                break;
            }
            assert!(table.next_offsets[0] > fetched.from);
            fetched.from = table.next_offsets[0];
        }
    }
    seen
}

/// The log of a partition with transactional producers.
#[derive(Debug, Default)]
pub(crate) struct TransactionLog {
    bytes: BytesMut,
    positions: Vec<usize>,
    end: i64,
}

impl TransactionLog {
    pub(crate) fn bytes(&self) -> Bytes {
        Bytes::copy_from_slice(&self.bytes)
    }

    /// The start of each batch.
    pub(crate) fn positions(&self) -> &[usize] {
        &self.positions
    }

    /// The offset after the last record.
    pub(crate) fn end(&self) -> i64 {
        self.end
    }

    pub(crate) fn plain(&mut self, rows: &[Row]) {
        self.append(&batch_at(self.end, Compression::None, rows));
    }

    pub(crate) fn idempotent(&mut self, producer_id: i64, rows: &[Row]) {
        self.append_of(producer_id, Compression::None, rows, Attributes::bits);
    }

    pub(crate) fn transactional(
        &mut self,
        producer_id: i64,
        compression: Compression,
        rows: &[Row],
    ) {
        self.append_of(producer_id, compression, rows, |attributes| {
            attributes.transactional().bits()
        });
    }

    /// A control batch with any records.
    pub(crate) fn control(&mut self, producer_id: i64, rows: &[Row]) {
        self.append_of(producer_id, Compression::None, rows, |attributes| {
            attributes.transactional().control().bits()
        });
    }

    pub(crate) fn marker(&mut self, producer_id: i64, control_type: ControlType) {
        let id = ProducerId::new(producer_id);
        self.append(&control_batch(
            control_type,
            1000,
            id,
            ProducerEpoch::new(0),
            0,
        ));
    }

    fn append_of(
        &mut self,
        producer_id: i64,
        compression: Compression,
        rows: &[Row],
        attributes: impl Fn(Attributes) -> i16,
    ) {
        let batch = batch_at(self.end, compression, rows);
        let header = BatchHeader::parse(&batch).unwrap();
        let header = BatchHeader {
            producer_id: Some(ProducerId::new(producer_id)),
            producer_epoch: ProducerEpoch::new(0),
            base_sequence: 0,
            attributes: Attributes::from_bits(attributes(header.attributes)),
            ..header
        };
        let mut batch = batch.to_vec();
        header.write(batch.first_chunk_mut::<HEADER_LEN>().unwrap());
        let crc = crc::crc32c(&batch[21..]);
        batch[17..21].copy_from_slice(&crc.to_be_bytes());
        self.append(&batch);
    }

    fn append(&mut self, batch: &[u8]) {
        let start = self.bytes.len();
        self.positions.push(start);
        self.bytes.extend_from_slice(batch);
        self.bytes[start..start + 8].copy_from_slice(&self.end.to_be_bytes());
        let header = BatchHeader::parse(batch).unwrap();
        self.end += i64::from(header.last_offset_delta) + 1;
    }

    /// Replaces the last batch, or removes it. Offsets stay used.
    pub(crate) fn compact_last(&mut self, compact: impl FnOnce(&KafkaBatch) -> Option<Bytes>) {
        let start = self.positions.pop().unwrap();
        let batch = KafkaBatch::parse(self.bytes.split_off(start).freeze()).unwrap();
        if let Some(batch) = compact(&batch) {
            self.positions.push(start);
            self.bytes.extend_from_slice(&batch);
        }
    }

    /// Removes the first record of the last batch.
    pub(crate) fn thin_last(&mut self) {
        self.compact_last(|batch| {
            let records = batch.records(DecompressLimit::default()).unwrap();
            let keep: Vec<bool> = (0..records.count()).map(|index| index > 0).collect();
            Some(records.rewritten(&keep, None).unwrap())
        });
    }
}

/// Transactions by producer id and first offset.
pub(crate) fn aborted(transactions: &[(i64, i64)]) -> AbortedTransactions {
    transactions
        .iter()
        .map(|(producer_id, first_offset)| {
            (ProducerId::new(*producer_id), Offset::new(*first_offset))
        })
        .collect()
}

/// `count` rows with different values.
pub(crate) fn rows(count: usize) -> Vec<Row> {
    (0..count)
        .map(|n| Row::of_value(format!("value {n}")))
        .collect()
}
