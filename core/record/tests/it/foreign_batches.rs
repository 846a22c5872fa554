//! Batches that kafka-python and aiokafka encoded (`fixtures/`, created by `foreign/make_fixtures.py`) are equal to
//! ours if they are not compressed, and are read with every codec. `tests/foreign/test_record_batches.py` tests the
//! other direction.

use std::fs;
use std::path::PathBuf;

use crate::cases::{Case, Record};
use bytes::Bytes;
use headwater_record::{
    BatchError, BatchHeader, Compression, DecompressLimit, InvalidBatchKind, RecordBatch,
    ValidationRules, batches, validate,
};

const LIBRARIES: [&str; 2] = ["kafka_python", "aiokafka"];

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn all_cases() -> Vec<Case> {
    crate::cases::parse(&fs::read_to_string(fixtures().join("cases.json")).unwrap())
}

/// Each foreign batch with its case and the codec in its file name.
fn foreign_batches() -> Vec<(Case, String, Bytes)> {
    let mut found = Vec::new();
    for library in LIBRARIES {
        for codec in ["none", "gzip", "snappy", "snappy-raw", "lz4", "zstd"] {
            for case in all_cases() {
                let path = fixtures()
                    .join(library)
                    .join(format!("{}.{codec}.bin", case.name));
                if let Ok(bytes) = fs::read(&path) {
                    found.push((case, codec.to_owned(), Bytes::from(bytes)));
                }
            }
        }
    }
    found
}

#[test]
fn plain_batches_are_ours_to_the_byte() {
    let mut compared = 0;
    for (case, codec, theirs) in foreign_batches() {
        if codec != "none" {
            continue;
        }
        let mut theirs = theirs.to_vec();
        // kafka-python writes leader epoch 0 instead of -1 like Java and aiokafka; the broker replaces it anyway.
        theirs[12..16].copy_from_slice(&[0xff; 4]);
        assert!(
            case.encode(Compression::None) == theirs,
            "{} differs",
            case.name
        );
        compared += 1;
    }
    assert_eq!(compared, 16, "eight plain cases of each library");
}

#[test]
fn every_foreign_batch_is_valid_and_reads_as_its_case() {
    let batches = foreign_batches();
    for codec in ["gzip", "snappy", "snappy-raw", "lz4", "zstd"] {
        let count = batches.iter().filter(|(_, has, _)| has == codec).count();
        assert!(count >= 2, "{count} fixtures with {codec}");
    }
    for (case, codec, bytes) in batches {
        let codec: Compression = codec.trim_end_matches("-raw").parse().unwrap();
        let valid = validate(bytes.clone(), &ValidationRules::default()).unwrap();
        assert_eq!(valid.bytes(), &bytes, "{} needs no correction", case.name);
        let batch = RecordBatch::parse(bytes).unwrap();
        assert_eq!(batch.header().attributes.compression(), Ok(codec));
        let records = batch.records(DecompressLimit::default()).unwrap();
        let read: Vec<_> = records
            .iter()
            .map(|view| Record::of(&view.unwrap()))
            .collect();
        assert!(
            read == case.records,
            "{} with {codec} reads differently",
            case.name
        );
    }
}

#[test]
fn our_compressed_batches_read_as_their_case() {
    for case in all_cases() {
        for codec in Compression::ALL {
            let batch = RecordBatch::parse(case.encode(codec).into()).unwrap();
            batch.verify_crc().unwrap();
            let records = batch.records(DecompressLimit::default()).unwrap();
            let read: Vec<_> = records
                .iter()
                .map(|view| Record::of(&view.unwrap()))
                .collect();
            assert!(read == case.records, "{} with {codec}", case.name);
        }
    }
}

#[test]
fn old_formats_are_recognised_and_refused_by_name() {
    for magic in [0, 1] {
        let bytes = Bytes::from(
            fs::read(fixtures().join(format!("kafka_python/magic{magic}.bin"))).unwrap(),
        );
        let expected = BatchError::UnsupportedMagic { magic };
        assert_eq!(BatchHeader::parse(&bytes), Err(expected.clone()));
        assert_eq!(
            BatchHeader::parse(&bytes[..20]),
            Err(expected.clone()),
            "known before a whole header is there"
        );
        assert_eq!(
            batches(&bytes).collect::<Result<Vec<_>, _>>(),
            Err(expected.clone())
        );
        let refused = validate(bytes, &ValidationRules::default()).unwrap_err();
        assert_eq!(refused.kind(), InvalidBatchKind::UnsupportedFormat);
        let message = refused.to_string();
        assert!(
            message.contains(&format!("format {magic}")) && message.contains("Kafka 0.11"),
            "{message}"
        );
    }
}
