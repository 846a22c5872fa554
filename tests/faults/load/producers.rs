//! Producers: one that sends records patiently, one whose records expire soon, and one that sends tables.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use headwater::{
    BatchResult, BulkOptions, Engine, ErrorKind, Offset, PartitionId, Producer, ProducerConfig,
    Record, RecordMetadata, Result, SendHandle,
};
use headwater_fault_tests::chance::Chance;
use headwater_fault_tests::history::{Event, RecordId, UNKNOWN_OFFSET};

use super::{SharedState, spawn};

/// The maximum number of records without a result.
const UNANSWERED_MAX: usize = 400;
const PATIENT: [(&str, &str); 2] = [("linger.ms", "5"), ("request.timeout.ms", "5000")];
/// Its records expire while a broker is away, so that the result of some is unknown.
const IMPATIENT: [(&str, &str); 3] = [
    ("linger.ms", "2"),
    ("request.timeout.ms", "800"),
    ("delivery.timeout.ms", "1500"),
];

/// Whether a producer waits until its records are written, however long it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Patience {
    Patient,
    Impatient,
}

struct Source {
    shared: Arc<SharedState>,
    producer: Producer,
    number: u32,
    next: u64,
    chance: Chance,
    patience: Patience,
}

/// Starts all producers.
pub(super) fn start(shared: &Arc<SharedState>, client: &Engine, seed: u64) -> Vec<JoinHandle<()>> {
    let source = |number: u32, patience| {
        let config: &[_] = match patience {
            Patience::Patient => &PATIENT,
            Patience::Impatient => &IMPATIENT,
        };
        Source {
            shared: Arc::clone(shared),
            producer: client.producer(ProducerConfig::parse(config.iter().copied()).unwrap()),
            number,
            next: 0,
            chance: Chance::of(&[seed, 2, u64::from(number)]),
            patience,
        }
    };
    let (patient, impatient) = (source(0, Patience::Patient), source(1, Patience::Impatient));
    let tables = source(2, Patience::Patient);
    vec![
        spawn("producer 0".to_owned(), || patient.send_records()),
        spawn("producer 1".to_owned(), || impatient.send_records()),
        spawn("producer 2".to_owned(), || tables.send_tables()),
    ]
}

impl Source {
    /// Sends records one by one, by key or to a partition, and handles their results in the order of sending.
    fn send_records(mut self) {
        let mut unanswered: VecDeque<(RecordId, SendHandle)> = VecDeque::new();
        while !self.shared.producers_stop() {
            for _ in 0..self.chance.within(1..8) {
                self.send_one(&mut unanswered);
            }
            while unanswered
                .front()
                .is_some_and(|(_, handle)| handle.is_done())
                || unanswered.len() > UNANSWERED_MAX
            {
                let (record, handle) = unanswered.pop_front().unwrap();
                self.settle(record, handle.wait());
            }
            self.pause();
        }
        for (record, handle) in unanswered {
            self.settle(record, handle.wait());
        }
    }

    fn send_one(&mut self, unanswered: &mut VecDeque<(RecordId, SendHandle)>) {
        let record = self.next_record();
        let value = record.to_string();
        let topic = self.shared.topic.clone();
        let mut message = Record::new(&topic, value.as_bytes());
        if self.chance.one_in(2) {
            message = message.key(value.as_bytes());
        } else {
            message = message.partition(self.partition());
        }
        match self.producer.send_blocking(&message) {
            Ok(handle) => unanswered.push_back((record, handle)),
            Err(error) => {
                self.shared.recorder.record(Event::Refused(record));
                self.note(&error);
            }
        }
    }

    /// Sends tables to one partition each, and waits for each.
    fn send_tables(mut self) {
        while !self.shared.producers_stop() {
            let records: Vec<_> = (0..self.chance.within(1..40))
                .map(|_| self.next_record())
                .collect();
            let values = records.iter().map(RecordId::to_string);
            let column: ArrayRef = Arc::new(StringArray::from_iter_values(values));
            let table = RecordBatch::try_from_iter([("value", column)]).unwrap();
            let partition = PartitionId::new(self.partition());
            let options = BulkOptions {
                value: Some("value".to_owned()),
                partition: Some(partition),
                ..BulkOptions::default()
            };
            let sending = self
                .producer
                .send_batch(&self.shared.topic, &table, &options);
            match self.producer.runtime().block_on(sending) {
                Ok(result) => self.acknowledge(&records, partition, &result),
                Err(error) => {
                    for record in records {
                        self.shared.recorder.record(Event::Unknown(record));
                    }
                    self.note(&error);
                }
            }
            self.pause();
        }
    }

    fn acknowledge(&self, records: &[RecordId], partition: PartitionId, result: &BatchResult) {
        let ranges = result.offsets.get(&partition).into_iter().flatten();
        let offsets = ranges.flat_map(|range| range.start.get()..range.end.get());
        let mut offsets: Vec<_> = offsets.collect();
        if offsets.len() < records.len() {
            // It is unknown which rows have no offset.
            offsets = vec![UNKNOWN_OFFSET; records.len()];
        }
        assert_eq!(offsets.len(), records.len(), "an offset for each row");
        for (record, offset) in records.iter().zip(offsets) {
            let event = Event::Acknowledged(*record, partition.get(), offset);
            self.shared.recorder.record(event);
        }
    }

    fn settle(&self, record: RecordId, result: Result<RecordMetadata>) {
        let event = match result {
            Ok(written) => {
                let offset = written.offset.map_or(UNKNOWN_OFFSET, Offset::get);
                Event::Acknowledged(record, written.partition.get(), offset)
            }
            Err(error) => {
                self.note(&error);
                Event::Unknown(record)
            }
        };
        self.shared.recorder.record(event);
    }

    /// A patient producer writes every record, except to partitions missing from its metadata.
    fn note(&self, error: &headwater::Error) {
        let has_changed = self.shared.topic_has_changed.load(Ordering::Relaxed);
        let is_unknown = has_changed && error.kind() == ErrorKind::UnknownTopicOrPartition;
        if self.patience == Patience::Patient && !is_unknown {
            self.shared
                .fail(format!("producer {}: {error:?}", self.number));
        }
    }

    fn next_record(&mut self) -> RecordId {
        let record = RecordId {
            producer: self.number,
            sequence: self.next,
        };
        self.next += 1;
        self.shared.recorder.record(Event::Send(record));
        record
    }

    fn partition(&mut self) -> i32 {
        let partitions = self.shared.partitions.load(Ordering::Relaxed);
        self.chance.within(0..partitions as u64) as i32
    }

    fn pause(&mut self) {
        std::thread::sleep(Duration::from_millis(self.chance.within(2..25)));
    }
}
