//! Logs with initial records.

use bytes::Bytes;
use headwater_record::{BatchBuilder, BatchHeader, BatchOptions};

use super::State;

impl State {
    /// Appends batches with these numbers of records to a partition.
    pub(crate) fn append(&mut self, topic: &str, partition: i32, batches: &[usize]) {
        let place = (topic.to_owned(), partition);
        let log = self.logs.entry(place).or_default();
        let mut next = log.last().map_or(0, |last: &Bytes| {
            BatchHeader::parse(last).unwrap().next_offset().get()
        });
        for records in batches {
            let mut builder = BatchBuilder::new(BatchOptions {
                capacity: 1 << 20,
                ..BatchOptions::default()
            });
            for _ in 0..*records {
                let appended = builder.try_append(0, None, Some(b"some value"), &[]);
                appended.unwrap();
            }
            let encoded = builder.finish().unwrap();
            // The base offset is the first field of a batch.
            let mut batch = next.to_be_bytes().to_vec();
            batch.extend_from_slice(&encoded[8..]);
            log.push(batch.into());
            next += i64::try_from(*records).unwrap();
        }
    }
}
