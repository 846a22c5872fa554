//! The producer states of a partition, with the rules of Kafka's `ProducerStateManager`.

use std::collections::{HashMap, VecDeque};

use headwater_protocol::ErrorCode;
use headwater_record::{BatchHeader, ProducerId};

/// The number of batches of a producer that are kept to recognise duplicates.
const REMEMBERED_BATCHES: usize = 5;

/// The producers of one partition.
#[derive(Debug, Default)]
pub(super) struct ProducerStates(HashMap<ProducerId, ProducerState>);

#[derive(Debug)]
struct ProducerState {
    epoch: i16,
    /// The last batches of the epoch, the newest last.
    batches: VecDeque<WrittenBatch>,
}

#[derive(Debug, Clone, Copy)]
struct WrittenBatch {
    first_sequence: i32,
    last_sequence: i32,
    base_offset: i64,
}

/// The result of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    Append,
    /// It was written at this offset.
    Duplicate(i64),
    Refuse(ErrorCode),
}

impl ProducerStates {
    /// Checks the epoch and the sequence of a batch.
    pub(super) fn check(&self, header: &BatchHeader) -> Check {
        let known = header.producer_id.and_then(|id| self.0.get(&id));
        let Some(known) = known else {
            // Like Kafka, accept any sequence of an unknown producer.
            return Check::Append;
        };
        let (epoch, first) = (header.producer_epoch.get(), header.base_sequence);
        if epoch < known.epoch {
            return Check::Refuse(ErrorCode::InvalidProducerEpoch);
        }
        let expected = if epoch > known.epoch {
            0
        } else {
            let duplicate = known.batches.iter().find(|batch| {
                (batch.first_sequence, batch.last_sequence) == (first, header.last_sequence())
            });
            if let Some(duplicate) = duplicate {
                return Check::Duplicate(duplicate.base_offset);
            }
            let last = known.batches.back();
            last.map_or(0, |last| last.last_sequence.wrapping_add(1) & i32::MAX)
        };
        if first == expected {
            Check::Append
        } else {
            Check::Refuse(ErrorCode::OutOfOrderSequenceNumber)
        }
    }

    /// Records a written batch.
    pub(super) fn add(&mut self, header: &BatchHeader, base_offset: i64) {
        let Some(id) = header.producer_id else {
            return;
        };
        let epoch = header.producer_epoch.get();
        let state = self.0.entry(id).or_insert(ProducerState {
            epoch,
            batches: VecDeque::new(),
        });
        if epoch != state.epoch {
            state.epoch = epoch;
            state.batches.clear();
        }
        state.batches.push_back(WrittenBatch {
            first_sequence: header.base_sequence,
            last_sequence: header.last_sequence(),
            base_offset,
        });
        if state.batches.len() > REMEMBERED_BATCHES {
            state.batches.pop_front();
        }
    }
}
