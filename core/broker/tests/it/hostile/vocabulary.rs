//! Names and records that are meaningful to a broker with the topics of the requests.

use std::sync::LazyLock;

use headwater_record::{
    BatchBuilder, BatchOptions, Compression, HEADER_LEN, ProducerEpoch, ProducerId, ProducerState,
    crc,
};

use super::schema::Random;
use super::schema::damage::mutate;
use super::schema::random::Vocabulary;

/// The position of a batch's CRC. It covers the bytes after it.
const CRC: usize = 17;
const COVERED: usize = 21;

/// Topics: `t` with three partitions, and `compacted` with one.
const WORDS: [&str; 13] = [
    "t",
    "t",
    "t",
    "t",
    "u",
    "compacted",
    "1",
    "",
    "retention.ms",
    "cleanup.policy",
    "compact",
    "segment.bytes",
    "message.max.bytes",
];

static RECORDS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(records);

/// The vocabulary for a broker with a topic of this id.
pub(crate) fn vocabulary(id: [u8; 16]) -> Vocabulary {
    Vocabulary {
        texts: WORDS.map(str::to_owned).to_vec(),
        ids: vec![id],
        records: RECORDS.clone(),
    }
}

/// Batches of every codec, with and without keys, and one of an idempotent producer.
fn records() -> Vec<Vec<u8>> {
    let producer = ProducerState {
        id: ProducerId::new(1),
        epoch: ProducerEpoch::new(0),
        base_sequence: 0,
    };
    let idempotent = BatchOptions {
        producer: Some(producer),
        ..BatchOptions::default()
    };
    let mut records = vec![batch(idempotent, None)];
    for compression in Compression::ALL {
        for key in [None, Some(&b"k"[..])] {
            let options = BatchOptions {
                compression,
                ..BatchOptions::default()
            };
            records.push(batch(options, key));
        }
    }
    records
}

fn batch(options: BatchOptions, key: Option<&[u8]>) -> Vec<u8> {
    let mut builder = BatchBuilder::new(options);
    for value in [&b"a"[..], b"bb"] {
        builder
            .try_append(1000, key, Some(value), &[("h", None)])
            .unwrap();
    }
    builder.finish().unwrap().to_vec()
}

/// Damages the inside of a batch and corrects its length and CRC, so that the deeper checks see it.
pub(crate) fn damaged_inside(batch: &[u8], random: &mut Random) -> Vec<u8> {
    if batch.len() < HEADER_LEN {
        return batch.to_vec();
    }
    let mut damaged = batch[..COVERED].to_vec();
    damaged.extend(mutate(batch[COVERED..].to_vec(), random));
    let length = damaged.len() as i32 - 12;
    damaged[8..12].copy_from_slice(&length.to_be_bytes());
    let sum = crc::crc32c(&damaged[COVERED..]);
    damaged[CRC..COVERED].copy_from_slice(&sum.to_be_bytes());
    damaged
}
