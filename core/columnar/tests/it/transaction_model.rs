//! `read_committed` over arbitrary logs: interleaved transactions of three producers, compacted, read from any offset
//! in pieces of any size, compared with a model of the rules of Kafka's consumer.

use crate::support::{TransactionLog, aborted, decode_pieces, rows};
use headwater_columnar::{Column, DecodeOptions, Decoder, FetchedBatches, Projection};
use headwater_record::{Compression, ControlType, visible_batches};
use proptest::collection::vec;
use proptest::prelude::*;

/// One batch of the model's log.
#[derive(Clone, Copy, Debug)]
enum Step {
    Plain {
        records: usize,
    },
    Write {
        producer_id: i64,
        records: usize,
    },
    End {
        producer_id: i64,
        marker: ControlType,
    },
}

/// The effect of compaction on a batch.
#[derive(Clone, Copy, Debug)]
enum Compaction {
    Keep,
    Thin,
    Empty,
    Remove,
}

fn any_step() -> impl Strategy<Value = Step> {
    let producer = 0..3i64;
    prop_oneof![
        2 => (1..4usize).prop_map(|records| Step::Plain { records }),
        6 => (producer.clone(), 1..4usize).prop_map(|(producer_id, records)| Step::Write { producer_id, records }),
        2 => producer.clone().prop_map(|producer_id| Step::End { producer_id, marker: ControlType::Commit }),
        3 => producer.prop_map(|producer_id| Step::End { producer_id, marker: ControlType::Abort }),
    ]
}

fn any_compaction() -> impl Strategy<Value = Compaction> {
    prop_oneof![
        8 => Just(Compaction::Keep),
        1 => Just(Compaction::Thin),
        1 => Just(Compaction::Empty),
        2 => Just(Compaction::Remove),
    ]
}

/// A batch in the model.
#[derive(Clone, Debug)]
struct ModelBatch {
    /// The offsets of the remaining records.
    offsets: Vec<i64>,
    last_offset: i64,
    /// The producer of a transactional batch or a marker.
    producer_id: Option<i64>,
    /// `None` for data.
    marker: Option<ControlType>,
    position: usize,
}

/// An aborted transaction, as in a broker's index.
#[derive(Clone, Copy, Debug)]
struct ModelTransaction {
    producer_id: i64,
    first_offset: i64,
    marker_offset: i64,
}

/// A log, and the expected result of reading it.
#[derive(Debug, Default)]
struct Model {
    log: TransactionLog,
    batches: Vec<ModelBatch>,
    aborted: Vec<ModelTransaction>,
    /// The offsets of non-transactional and committed records.
    committed: Vec<i64>,
    /// For each producer, the offsets of its open transaction.
    open: [Vec<i64>; 3],
}

impl Model {
    /// The log that these steps write. Transactions that are open at the end are aborted.
    fn new(steps: &[(Step, Compaction)]) -> Self {
        let mut model = Self::default();
        for (step, compaction) in steps {
            model.write(*step, *compaction);
        }
        for producer_id in 0..3 {
            let marker = ControlType::Abort;
            model.write(
                Step::End {
                    producer_id,
                    marker,
                },
                Compaction::Keep,
            );
        }
        model
    }

    fn write(&mut self, step: Step, compaction: Compaction) {
        let base = self.log.end();
        match step {
            Step::Plain { records } => {
                self.log.plain(&rows(records));
                self.committed.extend(base..self.log.end());
                self.add(base, None, None, compaction);
            }
            Step::Write {
                producer_id,
                records,
            } => {
                let codec = [Compression::None, Compression::Lz4][records % 2];
                self.log.transactional(producer_id, codec, &rows(records));
                self.open[producer_id as usize].extend(base..self.log.end());
                self.add(base, Some(producer_id), None, compaction);
            }
            Step::End {
                producer_id,
                marker,
            } => {
                let transaction = std::mem::take(&mut self.open[producer_id as usize]);
                let Some(first_offset) = transaction.first().copied() else {
                    return;
                };
                self.log.marker(producer_id, marker);
                if marker == ControlType::Commit {
                    self.committed.extend(transaction);
                } else {
                    self.aborted.push(ModelTransaction {
                        producer_id,
                        first_offset,
                        marker_offset: base,
                    });
                }
                self.add(base, Some(producer_id), Some(marker), compaction);
            }
        }
    }

    /// Adds the last batch of the log, and compacts it in both.
    fn add(
        &mut self,
        base: i64,
        producer_id: Option<i64>,
        marker: Option<ControlType>,
        compaction: Compaction,
    ) {
        let mut offsets: Vec<i64> = (base..self.log.end()).collect();
        let position = self.log.positions().last().copied().unwrap();
        match compaction {
            Compaction::Keep => {}
            Compaction::Thin => {
                offsets.remove(0);
                self.log.thin_last();
            }
            Compaction::Empty => {
                offsets.clear();
                self.log
                    .compact_last(|batch| Some(batch.header().emptied()));
            }
            Compaction::Remove => {
                self.log.compact_last(|_| None);
                return;
            }
        }
        self.batches.push(ModelBatch {
            // A marker is one record: a thinned or emptied control batch has none.
            marker: marker
                .filter(|_| !offsets.is_empty())
                .or(marker.map(|_| ControlType::Other(-1))),
            offsets,
            last_offset: self.log.end() - 1,
            producer_id,
            position,
        });
    }

    /// The transactions that a broker lists for a fetch from the offset.
    fn aborted_since(&self, from: i64) -> Vec<(i64, i64)> {
        self.aborted
            .iter()
            .filter(|transaction| transaction.marker_offset >= from)
            .map(|transaction| (transaction.producer_id, transaction.first_offset))
            .collect()
    }

    /// The offsets of visible records by Kafka's rules, for a reader that starts at this batch, from the definition: a
    /// batch is aborted if a transaction of its producer began at or before its last offset, and no ABORT marker came
    /// in between.
    fn visible(&self, first_batch: usize, aborted: &[(i64, i64)]) -> Vec<i64> {
        let batches = &self.batches[first_batch..];
        let is_aborted = |index: usize| {
            let batch = &batches[index];
            aborted.iter().any(|(producer_id, first_offset)| {
                let ended = batches[..index].iter().any(|marker| {
                    marker.producer_id == Some(*producer_id)
                        && marker.marker == Some(ControlType::Abort)
                        && marker.last_offset >= *first_offset
                });
                batch.producer_id == Some(*producer_id)
                    && *first_offset <= batch.last_offset
                    && !ended
            })
        };
        (0..batches.len())
            .filter(|index| batches[*index].marker.is_none() && !is_aborted(*index))
            .flat_map(|index| batches[index].offsets.clone())
            .collect()
    }
}

proptest! {
    #[test]
    fn any_part_of_any_log_is_decoded_as_kafka_reads_it(
        steps in vec((any_step(), any_compaction()), 1..40),
        start in any::<prop::sample::Index>(),
        cuts in vec(0..80i64, 0..4),
        max_records in 1..12usize,
        check_crc in any::<bool>(),
    ) {
        let model = Model::new(&steps);
        prop_assume!(!model.batches.is_empty());
        let first_batch = start.index(model.batches.len());
        let first = &model.batches[first_batch];
        let from = model.batches[..first_batch].last().map_or(0, |batch| batch.last_offset + 1);
        let bytes = model.log.bytes().slice(first.position..);
        let list = model.aborted_since(from);
        let expected = model.visible(first_batch, &list);
        let list = aborted(&list);

        let options = DecodeOptions { check_crc, ..DecodeOptions::default() };
        let mut cuts: Vec<i64> = cuts.into_iter().map(|cut| cut.clamp(from, model.log.end())).collect();
        cuts.extend([from, model.log.end()]);
        cuts.sort_unstable();
        let fetched = FetchedBatches::new("t", 0, bytes.clone(), from).without(list.clone());
        prop_assert_eq!(&decode_pieces(options.clone(), &fetched, &cuts, max_records), &expected);

        let by_header: usize = visible_batches(&bytes, &list).map(|batch| batch.unwrap().header().record_count as usize).sum();
        prop_assert_eq!(by_header, expected.len());
        let count = DecodeOptions { columns: Projection::none(), ..options };
        let counted = Decoder::new(count).unwrap().decode_up_to(&[fetched], usize::MAX).unwrap();
        prop_assert_eq!(counted.batch.num_rows(), expected.len());
    }

    #[test]
    fn records_decoded_from_a_log_with_all_markers_were_committed(
        steps in vec(any_step(), 1..40),
        start in any::<prop::sample::Index>(),
    ) {
        let steps: Vec<_> = steps.into_iter().map(|step| (step, Compaction::Keep)).collect();
        let mut model = Model::new(&steps);
        prop_assume!(!model.batches.is_empty());
        let first = &model.batches[start.index(model.batches.len())];
        let from = first.last_offset - first.offsets.len() as i64 + 1;
        let list = aborted(&model.aborted_since(from));
        let fetched = FetchedBatches::new("t", 0, model.log.bytes().slice(first.position..), from).without(list);
        let options = DecodeOptions { columns: Projection::of(&[Column::Offset]), ..DecodeOptions::default() };
        let decoded = decode_pieces(options, &fetched, &[from, model.log.end()], usize::MAX);
        model.committed.sort_unstable();
        model.committed.retain(|offset| *offset >= from);
        prop_assert_eq!(decoded, model.committed);
    }
}
