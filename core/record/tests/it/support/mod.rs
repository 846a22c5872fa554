//! Valid and invalid batches.

use headwater_record::{BatchBuilder, BatchHeader, BatchOptions, HEADER_LEN, ValidationRules, crc};

pub(crate) const NOW_MS: i64 = 1_700_000_000_000;

pub(crate) fn built(options: BatchOptions, count: usize) -> Vec<u8> {
    let mut builder = BatchBuilder::new(BatchOptions {
        capacity: 1 << 20,
        ..options
    });
    for index in 0..count {
        let (key, value) = (format!("key-{index}"), format!("value-{index}"));
        builder
            .try_append(
                NOW_MS + index as i64,
                Some(key.as_bytes()),
                Some(value.as_bytes()),
                &[],
            )
            .unwrap();
    }
    builder.finish().unwrap().to_vec()
}

pub(crate) fn plain(count: usize) -> Vec<u8> {
    built(BatchOptions::default(), count)
}

pub(crate) fn rules() -> ValidationRules {
    ValidationRules::default()
}

pub(crate) fn header(batch: &[u8]) -> BatchHeader {
    BatchHeader::parse(batch).unwrap()
}

/// The batch with a changed header and a valid CRC.
pub(crate) fn with_header(batch: &[u8], change: impl FnOnce(&mut BatchHeader)) -> Vec<u8> {
    let mut header = header(batch);
    change(&mut header);
    let mut head = [0; HEADER_LEN];
    header.write(&mut head);
    resealed([&head[..], &batch[HEADER_LEN..]].concat())
}

pub(crate) fn resealed(mut batch: Vec<u8>) -> Vec<u8> {
    let crc = crc::crc32c(&batch[21..]);
    batch[17..21].copy_from_slice(&crc.to_be_bytes());
    batch
}
