//! Hostile bytes: no panic, and memory bounded by the received bytes.

use crate::schema::Random;
use crate::schema::damage::{LIES, mutate};
use bytes::Bytes;
use headwater_protocol::codec::Wire;
use headwater_protocol::{
    ApiKey, DecodeError, Decoder, Message, MetadataRequest, Request, Response,
};

#[global_allocator]
static MEMORY: crate::memory::CountingAllocator = crate::memory::CountingAllocator;

/// The maximum memory of decoding per received byte. The worst case is 48: an array of empty strings, one byte each in
/// the message and 32 in memory, while it grows.
const MEMORY_PER_BYTE: usize = 64;

/// The memory of any decoding: an error, an empty message.
const MEMORY_ALWAYS: usize = 1024;

/// Decodes, and fails if that used more memory than allowed.
fn decode_within_bounds(message: &crate::schema::Message, bytes: &Bytes, version: i16) {
    let peak = crate::memory::peak(|| {
        let _ = crate::codec::decode(message, bytes.clone(), version);
    });
    let allowed = MEMORY_PER_BYTE * bytes.len() + MEMORY_ALWAYS;
    assert!(
        peak <= allowed,
        "{} version {version}: {peak} bytes of memory for {} bytes",
        message.name,
        bytes.len()
    );
}

#[test]
fn no_mutation_of_a_message_panics_or_takes_memory_that_did_not_arrive() {
    for message in crate::schema::messages() {
        for version in message.versions.clone() {
            let mut random = Random::new(version as u64);
            for _ in 0..8 {
                let original = message.random_bytes(version, &mut random);
                for _ in 0..40 {
                    decode_within_bounds(
                        &message,
                        &Bytes::from(mutate(original.clone(), &mut random)),
                        version,
                    );
                }
            }
        }
    }
}

#[test]
fn lying_lengths_at_every_position_take_no_memory_that_did_not_arrive() {
    for message in crate::schema::messages() {
        for version in message.versions.clone() {
            let original = message.random_bytes(version, &mut Random::new(3));
            for position in 0..original.len().min(400) {
                for lie in LIES {
                    let mut bytes = original.clone();
                    let end = (position + lie.len()).min(bytes.len());
                    bytes.splice(position..end, lie.iter().copied());
                    decode_within_bounds(&message, &Bytes::from(bytes), version);
                }
            }
        }
    }
}

#[test]
fn long_runs_of_one_byte_take_no_memory_that_did_not_arrive() {
    for message in crate::schema::messages() {
        for version in message.versions.clone() {
            for fill in [0x00, 0x01, 0x02, 0x7F, 0xFF] {
                // A count that is nearly possible, after every possible prefix of a message.
                for prefix in 0..24 {
                    let mut bytes = vec![fill; 16 * 1024];
                    bytes.splice(prefix..prefix + 4, [0, 0, 0x3F, 0x00]);
                    decode_within_bounds(&message, &Bytes::from(bytes), version);
                    let mut bytes = vec![fill; 16 * 1024];
                    bytes.splice(prefix..prefix + 2, [0x80 | 0x7F, 0x7D]);
                    decode_within_bounds(&message, &Bytes::from(bytes), version);
                }
            }
        }
    }
}

#[test]
fn a_count_that_cannot_fit_is_refused_before_anything_is_allocated() {
    // kafka-protocol allocates 309 GB here.
    let bytes = Bytes::from_static(&[0x7F, 0xFF, 0xFF, 0xFF, 0, 0]);
    let error = DecodeError::CountTooLarge {
        position: 4,
        count: 0x7FFF_FFFF,
        left: 2,
    };
    assert_eq!(
        crate::memory::peak(|| assert_eq!(MetadataRequest::from_bytes(bytes, 1), Err(error))),
        0
    );
}

#[test]
fn the_smallest_size_of_a_struct_is_counted_not_its_count_alone() {
    // A partition of a Fetch request has at least 16 bytes: 60 bytes cannot contain five of them.
    type Partition = headwater_protocol::fetch_request::FetchPartition;
    assert_eq!(Partition::SMALLEST, 16);
    let mut decoder = Decoder::new(Bytes::from([&[0, 0, 0, 5][..], &[0; 60]].concat()));
    let error = DecodeError::CountTooLarge {
        position: 4,
        count: 5,
        left: 60,
    };
    assert_eq!(decoder.array::<Partition>(4), Err(error));
}

#[test]
fn a_version_that_does_not_exist_is_an_error_for_every_api() {
    for &api in ApiKey::ALL {
        for version in [i16::MIN, -1, 100, i16::MAX] {
            let mut decoder = Decoder::new(Bytes::from(vec![0; 100]));
            let is_refused = |error| matches!(error, DecodeError::UnsupportedVersion { .. });
            assert!(
                Request::decode(api, &mut decoder, version).is_err_and(is_refused),
                "{api}"
            );
            assert!(
                Response::decode(api, &mut decoder, version).is_err_and(is_refused),
                "{api}"
            );
        }
    }
}
