//! Messages that Apache Kafka 4.3.1 itself decodes and encodes to the same bytes (verified by `make messages`).

use std::collections::BTreeSet;

use crate::schema::Random;
use bytes::Bytes;

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

#[allow(clippy::unwrap_used, reason = "the samples are our own")]
fn unhex(text: &str) -> Bytes {
    let byte = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}

#[test]
fn kafkas_messages_survive_decoding_and_encoding() {
    let messages = crate::schema::messages();
    let mut seen = BTreeSet::new();
    for line in include_str!("kafka-4.3.1.txt").lines() {
        let [name, version, bytes] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("not a sample: {line}")
        };
        let message = messages
            .iter()
            .find(|message| message.name == name)
            .unwrap();
        let version: i16 = version.parse().unwrap();
        assert_eq!(
            crate::codec::again(message, unhex(bytes), version)
                .as_deref()
                .map(hex),
            Ok(bytes.to_owned()),
            "{name} {version}"
        );
        seen.insert((name, version));
    }
    let all = messages
        .iter()
        .flat_map(|message| {
            message
                .versions
                .clone()
                .map(|version| (message.name, version))
        })
        .collect();
    assert_eq!(seen, all, "every message at every version has a sample");
}

/// Prints the samples for Kafka. Not a test: `make messages` runs it.
#[test]
#[ignore = "prints samples for generate/Judge.java"]
fn print_samples() {
    for message in crate::schema::messages() {
        for version in message.versions.clone() {
            let bytes = message.random_bytes(version, &mut Random::new(version as u64 + 1));
            println!("sample {} {version} {}", message.name, hex(&bytes));
        }
    }
}
