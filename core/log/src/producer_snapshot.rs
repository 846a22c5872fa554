//! `.snapshot`: the state of the producers when the log ended at the offset in the file name.
//!
//! ```text
//!   file  = version i16 BE (1)  crc u32 BE  count i32 BE  entry*        crc: CRC-32C of everything after it
//!   entry = producer_id i64  producer_epoch i16  last_sequence i32  last_offset i64  offset_delta i32
//!           timestamp i64  coordinator_epoch i32  current_txn_first_offset i64      all BE, -1 = none
//! ```

use std::collections::VecDeque;

use headwater_record::crc::crc32c;
use headwater_record::{Offset, ProducerEpoch, ProducerId};

use crate::producer_state::{BatchTrace, ProducerEntry, ProducerStates};

const VERSION: i16 = 1;
const HEAD_LEN: usize = 10;
const ENTRY_LEN: usize = 46;

/// Encodes a snapshot.
pub(crate) fn encode(states: &ProducerStates) -> Vec<u8> {
    let entries = states.entries();
    let mut out = Vec::with_capacity(HEAD_LEN + entries.len() * ENTRY_LEN);
    out.extend_from_slice(&VERSION.to_be_bytes());
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&(entries.len() as i32).to_be_bytes());
    for (producer_id, entry) in entries {
        let last = entry.batches.back();
        out.extend_from_slice(&producer_id.get().to_be_bytes());
        out.extend_from_slice(&entry.producer_epoch.get().to_be_bytes());
        out.extend_from_slice(&last.map_or(-1, |last| last.last_sequence).to_be_bytes());
        out.extend_from_slice(&last.map_or(-1, |last| last.last_offset.get()).to_be_bytes());
        out.extend_from_slice(&last.map_or(0, |last| last.offset_delta).to_be_bytes());
        out.extend_from_slice(&entry.last_timestamp_ms.to_be_bytes());
        out.extend_from_slice(&entry.coordinator_epoch.unwrap_or(-1).to_be_bytes());
        let first_offset = entry.current_transaction_first_offset;
        out.extend_from_slice(&first_offset.map_or(-1, Offset::get).to_be_bytes());
    }
    let crc = crc32c(&out[6..]);
    out[2..6].copy_from_slice(&crc.to_be_bytes());
    out
}

/// Decodes a snapshot; the error describes the damage.
pub(crate) fn decode(bytes: &[u8]) -> Result<ProducerStates, String> {
    if bytes.len() < HEAD_LEN {
        return Err(format!("it has only {} bytes", bytes.len()));
    }
    let mut head = Cursor { bytes };
    let (version, crc) = (head.short(), head.int().cast_unsigned());
    if version != VERSION {
        return Err(format!("its version is {version}, expected {VERSION}"));
    }
    if crc32c(head.bytes) != crc {
        return Err("its CRC does not match".to_owned());
    }
    let count = head.int();
    if usize::try_from(count)
        .ok()
        .and_then(|count| count.checked_mul(ENTRY_LEN))
        != Some(head.bytes.len())
    {
        return Err(format!(
            "it announces {count} producers and has {} bytes of them",
            head.bytes.len()
        ));
    }
    let mut states = ProducerStates::default();
    for entry in head.bytes.chunks_exact(ENTRY_LEN) {
        let (producer_id, entry) = decode_entry(Cursor { bytes: entry });
        states.load(producer_id, entry);
    }
    Ok(states)
}

fn decode_entry(mut bytes: Cursor<'_>) -> (ProducerId, ProducerEntry) {
    let producer_id = ProducerId::new(bytes.long());
    let producer_epoch = ProducerEpoch::new(bytes.short());
    let (last_sequence, last_offset, offset_delta) = (bytes.int(), bytes.long(), bytes.int());
    let timestamp_ms = bytes.long();
    let (coordinator_epoch, first_offset) = (bytes.int(), bytes.long());
    let batch = BatchTrace {
        last_sequence,
        last_offset: Offset::new(last_offset),
        offset_delta,
        timestamp_ms,
    };
    let entry = ProducerEntry {
        producer_epoch,
        coordinator_epoch: (coordinator_epoch >= 0).then_some(coordinator_epoch),
        last_timestamp_ms: timestamp_ms,
        current_transaction_first_offset: (first_offset >= 0).then(|| Offset::new(first_offset)),
        batches: if last_offset >= 0 {
            VecDeque::from([batch])
        } else {
            VecDeque::new()
        },
    };
    (producer_id, entry)
}

/// Reads numbers from bytes whose length was checked.
struct Cursor<'a> {
    bytes: &'a [u8],
}

impl Cursor<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (first, rest) = self
            .bytes
            .split_first_chunk()
            .expect("the length was checked before");
        self.bytes = rest;
        *first
    }

    fn short(&mut self) -> i16 {
        i16::from_be_bytes(self.take())
    }

    fn int(&mut self) -> i32 {
        i32::from_be_bytes(self.take())
    }

    fn long(&mut self) -> i64 {
        i64::from_be_bytes(self.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn states() -> ProducerStates {
        let mut states = ProducerStates::default();
        for (id, batches) in [(7, 1), (9, 0)] {
            let batch = BatchTrace {
                last_sequence: 41,
                last_offset: Offset::new(99),
                offset_delta: 9,
                timestamp_ms: 5,
            };
            let entry = ProducerEntry {
                producer_epoch: ProducerEpoch::new(3),
                coordinator_epoch: None,
                last_timestamp_ms: 5,
                current_transaction_first_offset: (id == 9).then(|| Offset::new(40)),
                batches: std::iter::repeat_n(batch, batches).collect(),
            };
            states.load(ProducerId::new(id), entry);
        }
        states
    }

    #[test]
    fn a_snapshot_gives_back_each_producer() {
        let bytes = encode(&states());
        assert_eq!(bytes.len(), HEAD_LEN + 2 * ENTRY_LEN);
        let read = decode(&bytes).unwrap();
        assert_eq!(read.entries(), states().entries());
    }

    #[test]
    fn a_snapshot_with_any_flipped_bit_or_cut_is_refused() {
        let bytes = encode(&states());
        for at in 0..bytes.len() {
            assert!(decode(&bytes[..at]).is_err(), "cut at {at}");
            for bit in 0..8 {
                let mut damaged = bytes.clone();
                damaged[at] ^= 1 << bit;
                assert!(decode(&damaged).is_err(), "bit {bit} of byte {at}");
            }
        }
    }
}
