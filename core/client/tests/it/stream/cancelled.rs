//! Each record is delivered once and in order, whichever calls are cancelled.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use headwater_client::{BatchStream, Consumer, Event, Operation};

use super::{TOPIC, at, consumer, partition, places, run, stream};
use crate::support::FakeCluster;

const SEEDS: u64 = 150;
const PARTITIONS: i32 = 3;

/// Splitmix64.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    fn one_in(&mut self, end: u64) -> bool {
        self.below(end) == 0
    }
}

/// Polls a future at most `polls` times, then drops it.
async fn cancelled_after<F: Future>(mut polls: u64, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if polls == 0 => Poll::Ready(None),
        Poll::Pending => {
            polls -= 1;
            Poll::Pending
        }
    })
    .await
}

/// The reader, with the next offset of each partition.
struct Reader {
    chance: Chance,
    next: BTreeMap<i32, i64>,
    streams: Vec<BatchStream>,
}

impl Reader {
    fn delivered(&mut self, seed: u64, (partition, offset): (i32, i64)) {
        let next = self.next.entry(partition).or_default();
        assert_eq!(offset, *next, "seed {seed}, partition {partition}");
        *next += 1;
    }

    fn operation(&mut self) -> Operation {
        match self.chance.below(4) {
            0 => Operation::poll(
                Duration::from_millis(self.chance.below(3)),
                Some(1 + self.chance.below(700) as usize),
            ),
            1 | 2 => {
                let stream = self.chance.below(self.streams.len() as u64) as usize;
                Operation::NextBatch(self.streams[stream].clone())
            }
            _ => Operation::NextMessage,
        }
    }

    /// One call, which may be cancelled while it waits, or after its completion and before its records have reached the
    /// caller.
    async fn step(&mut self, seed: u64, consumer: &mut Consumer) {
        let operation = self.operation();
        let polls = self.chance.below(6);
        let event = cancelled_after(polls, consumer.next_event(&operation)).await;
        let Some(event) = event.map(Result::unwrap) else {
            return;
        };
        match event {
            Event::Batch(_) if self.chance.one_in(3) => consumer.take_back(),
            Event::Batch(batch) => {
                for place in places(&batch) {
                    self.delivered(seed, place);
                }
            }
            Event::Message => {
                for _ in 0..=self.chance.below(600) {
                    let Some(message) = consumer.ready_message().unwrap() else {
                        break;
                    };
                    let (partition, offset) = message.place().unwrap();
                    if self.chance.one_in(50) {
                        consumer.take_back();
                        continue;
                    }
                    self.delivered(seed, (partition.partition.get(), offset.get()));
                }
            }
            Event::End | Event::Rebalance(_) | Event::Left => panic!("{event:?}"),
        }
    }

    /// Another call that may come between two reads.
    async fn interlude(&mut self, seed: u64, consumer: &mut Consumer) {
        let number = self.chance.below(PARTITIONS as u64) as i32;
        match self.chance.below(5) {
            0 => consumer.pause(&[partition(number)]).unwrap(),
            1 | 2 => consumer.resume(&[]).unwrap(),
            3 => {
                let next: Vec<_> = (0..PARTITIONS)
                    .map(|number| self.next.get(&number).copied().unwrap_or_default())
                    .collect();
                assert_eq!(consumer.consumed(), at(&next), "seed {seed}");
            }
            _ => tokio::task::yield_now().await,
        }
    }
}

async fn read_all(seed: u64, mut consumer: Consumer, records: i64) {
    let mut reader = Reader {
        chance: Chance(seed),
        next: BTreeMap::new(),
        streams: [100, 4_500, 65_536].map(stream).to_vec(),
    };
    let mut steps = 0;
    while reader.next.values().sum::<i64>() < records * i64::from(PARTITIONS) {
        if reader.chance.one_in(3) {
            reader.interlude(seed, &mut consumer).await;
        }
        // A stream fails if all partitions are paused.
        if consumer.paused().len() == PARTITIONS as usize {
            consumer.resume(&[]).unwrap();
        }
        if reader
            .next
            .values()
            .filter(|next| **next == records)
            .count()
            == 2
        {
            consumer.resume(&[]).unwrap();
        }
        reader.step(seed, &mut consumer).await;
        steps += 1;
        assert!(steps < 20_000, "seed {seed}: {:?}", reader.next);
    }
}

#[test]
fn cancelled_calls_deliver_each_record_once_and_in_order() {
    for seed in 0..SEEDS {
        let cluster = FakeCluster::with_nodes(2, TOPIC, PARTITIONS);
        let mut chance = Chance(seed ^ 0xdead_beef);
        let records = 3_000 + chance.below(5_000) as usize;
        for number in 0..PARTITIONS {
            let size = 1 + chance.below(2_000) as usize;
            let mut batches = vec![size; records / size];
            batches.extend((!records.is_multiple_of(size)).then_some(records % size));
            cluster.state().append(TOPIC, number, &batches);
        }
        cluster.state().fetch_takes = Duration::from_millis(chance.below(3));
        let (bytes, per_partition) = match chance.below(3) {
            0 => ("1000", "1000"),
            1 => ("200000", "20000"),
            _ => ("52428800", "1048576"),
        };
        let pairs = [
            ("fetch.max.bytes", bytes),
            ("max.partition.fetch.bytes", per_partition),
        ];
        run(&cluster, async |client| {
            let consumer = consumer(&client, &pairs).await;
            Box::pin(read_all(seed, consumer, records as i64)).await;
        });
    }
}
