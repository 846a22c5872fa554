//! Every message at every version: decoding and encoding again gives the same bytes, and so does kafka-protocol.

use std::collections::BTreeSet;
use std::fmt::Display;

use crate::schema::Random;
use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::{self as theirs, RequestKind, ResponseKind};
use kafka_protocol::protocol::{Decodable, Encodable, Message};

const SAMPLES: u64 = 40;

/// Versions that kafka-protocol 0.18 announces but cannot decode: they are newer, or a struct in it is wrong. Kafka
/// itself judges them in `golden.rs`.
const UNKNOWN_TO_KAFKA_PROTOCOL: [(&str, i16); 6] = [
    ("InitProducerIdRequest", 6),
    ("LeaderChangeMessage", 0),
    ("LeaderChangeMessage", 1),
    ("OffsetCommitRequest", 10),
    ("OffsetFetchRequest", 10),
    ("VotersRecord", 0),
];

/// Calls `check` with samples of every message at every version.
fn for_each_sample(mut check: impl FnMut(&crate::schema::Message, i16, Bytes)) {
    for message in crate::schema::messages() {
        for version in message.versions.clone() {
            for seed in 0..SAMPLES {
                let bytes =
                    message.random_bytes(version, &mut Random::new(seed << 16 | version as u64));
                check(&message, version, Bytes::from(bytes));
            }
        }
    }
}

#[test]
fn decoding_and_encoding_again_gives_the_same_bytes() {
    for_each_sample(|message, version, bytes| {
        let again = crate::codec::again(message, bytes.clone(), version);
        assert_eq!(
            again.as_ref(),
            Ok(&bytes),
            "{} version {version}",
            message.name
        );
    });
}

#[test]
fn kafka_protocol_reads_what_we_write_and_writes_what_we_read() {
    let (mut compared, mut differing) = (0, BTreeSet::new());
    for_each_sample(|message, version, bytes| {
        let ours = crate::codec::again(message, bytes, version).unwrap();
        let Some(theirs) = again_by_kafka_protocol(message, ours.clone(), version) else {
            return;
        };
        if theirs.is_err() && UNKNOWN_TO_KAFKA_PROTOCOL.contains(&(message.name, version)) {
            return;
        }
        if theirs.as_ref() != Ok(&ours) {
            differing.insert(format!("{} {version}: {:?}", message.name, theirs.err()));
        }
        compared += 1;
    });
    assert!(differing.is_empty(), "{differing:#?}");
    assert!(compared > 15_000, "only {compared} messages were compared");
}

#[test]
fn a_message_cut_at_any_byte_is_an_error() {
    for message in crate::schema::messages() {
        for version in message.versions.clone() {
            let bytes = Bytes::from(message.random_bytes(version, &mut Random::new(7)));
            for length in 0..bytes.len() {
                let cut = crate::codec::decode(&message, bytes.slice(..length), version);
                assert!(
                    cut.is_err(),
                    "{} version {version}, {length} of {} bytes",
                    message.name,
                    bytes.len()
                );
            }
        }
    }
}

/// The message decoded and encoded by kafka-protocol; `None` if it does not support the message in this version.
fn again_by_kafka_protocol(
    message: &crate::schema::Message,
    bytes: Bytes,
    version: i16,
) -> Option<Result<Bytes, String>> {
    if message.kind != "request" && message.kind != "response" {
        return record_by_kafka_protocol(message.name, bytes, version);
    }
    let api = theirs::ApiKey::try_from(message.key?).ok()?;
    let versions = api.valid_versions();
    if version < versions.min || version > versions.max {
        return None;
    }
    Some(if message.kind == "request" {
        again(
            bytes,
            |bytes| RequestKind::decode(api, bytes, version),
            |request, out| request.encode(out, version),
        )
    } else {
        again(
            bytes,
            |bytes| ResponseKind::decode(api, bytes, version),
            |response, out| response.encode(out, version),
        )
    })
}

macro_rules! records {
    ($($record:ident)*) => {
        fn record_by_kafka_protocol(name: &str, bytes: Bytes, version: i16) -> Option<Result<Bytes, String>> {
            match name {
                $(stringify!($record) if (theirs::$record::VERSIONS.min..=theirs::$record::VERSIONS.max).contains(&version) => Some(again(
                    bytes,
                    |bytes| theirs::$record::decode(bytes, version),
                    |record, out| record.encode(out, version),
                )),)*
                _ => None,
            }
        }
    };
}

records! {
    ConsumerProtocolSubscription ConsumerProtocolAssignment LeaderChangeMessage SnapshotHeaderRecord SnapshotFooterRecord
    KRaftVersionRecord VotersRecord EndTxnMarker
}

fn again<T, E: Display>(
    mut bytes: Bytes,
    decode: impl Fn(&mut Bytes) -> Result<T, E>,
    encode: impl Fn(&T, &mut BytesMut) -> Result<(), E>,
) -> Result<Bytes, String> {
    let message = decode(&mut bytes).map_err(|error| error.to_string())?;
    let mut out = BytesMut::new();
    encode(&message, &mut out).map_err(|error| error.to_string())?;
    if bytes.is_empty() {
        Ok(out.freeze())
    } else {
        Err("bytes are left".to_owned())
    }
}
