//! The image and its records.

use bytes::Bytes;
use headwater_metadata::{
    ApplyError, BrokerImage, Image, MetadataRecord, MetadataRecordError, PartitionImage,
    RESOURCE_BROKER, RESOURCE_TOPIC, ScramCredential, ScramMechanism,
};
use headwater_protocol::{
    ConfigRecord, FeatureLevelRecord, PartitionChangeRecord, PartitionRecord, ProducerIdsRecord,
    RemoveTopicRecord, RemoveUserScramCredentialRecord, TopicRecord,
};
use headwater_record::{PartitionId, ProducerId};
use proptest::prelude::*;
use rstest::rstest;
use uuid::Uuid;

fn topic(id: u128, name: &str) -> MetadataRecord {
    MetadataRecord::Topic(TopicRecord {
        name: name.into(),
        topic_id: Uuid::from_u128(id),
        ..Default::default()
    })
}

fn partition(topic: u128, index: i32) -> MetadataRecord {
    PartitionImage::new(vec![1]).record(Uuid::from_u128(topic), index)
}

fn remove(id: u128) -> MetadataRecord {
    MetadataRecord::RemoveTopic(RemoveTopicRecord {
        topic_id: Uuid::from_u128(id),
        ..Default::default()
    })
}

fn config(resource_type: i8, resource: &str, key: &str, value: Option<&str>) -> MetadataRecord {
    MetadataRecord::Config(ConfigRecord {
        resource_type,
        resource_name: resource.into(),
        name: key.into(),
        value: value.map(Into::into),
        ..Default::default()
    })
}

fn producer_ids(next_producer_id: i64) -> MetadataRecord {
    MetadataRecord::ProducerIds(ProducerIdsRecord {
        next_producer_id,
        ..Default::default()
    })
}

fn image(records: &[MetadataRecord]) -> Image {
    let mut image = Image::new();
    for record in records {
        image.apply(record).unwrap();
    }
    image
}

#[test]
fn a_record_has_kafkas_bytes() {
    let bytes = remove(0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10)
        .encode()
        .unwrap();
    // Frame version 1, record type 9, version 0, the id, no tagged fields.
    assert_eq!(
        &bytes[..],
        [
            1, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 0
        ]
    );
    let bytes = topic(0, "ab").encode().unwrap();
    assert_eq!(
        &bytes[..],
        [&[1, 2, 0, 3][..], b"ab", &[0; 16], &[0]].concat()
    );
}

#[rstest]
#[case::topic(topic(7, "a"))]
#[case::partition(partition(7, 3))]
#[case::remove(remove(7))]
#[case::config(config(RESOURCE_TOPIC, "a", "retention.ms", Some("5")))]
#[case::config_back(config(RESOURCE_TOPIC, "a", "retention.ms", None))]
#[case::producer_ids(producer_ids(5000))]
#[case::feature(MetadataRecord::FeatureLevel(FeatureLevelRecord { name: "metadata.version".into(), feature_level: 7, ..Default::default() }))]
#[case::broker(BrokerImage { epoch: 1, incarnation: Uuid::from_u128(3), rack: Some("r".into()), fenced: false }.record(1))]
#[case::change(MetadataRecord::PartitionChange(PartitionChangeRecord { partition_id: 1, leader: 2, isr: Some(vec![2]), ..Default::default() }))]
fn every_record_survives_encoding_and_decoding(#[case] record: MetadataRecord) {
    assert_eq!(
        MetadataRecord::decode(record.encode().unwrap()).unwrap(),
        record
    );
}

#[test]
fn invalid_records_are_refused_with_the_reason() {
    let decode = |bytes: &[u8]| MetadataRecord::decode(Bytes::copy_from_slice(bytes)).unwrap_err();
    assert!(matches!(decode(&[]), MetadataRecordError::Truncated));
    assert!(matches!(
        decode(&[2, 9, 0]),
        MetadataRecordError::UnknownFrame(2)
    ));
    assert!(matches!(
        decode(&[1, 99, 0]),
        MetadataRecordError::UnknownRecord {
            api_key: 99,
            version: 0
        }
    ));
    assert!(matches!(
        decode(&[1, 9, 77]),
        MetadataRecordError::UnknownRecord {
            api_key: 9,
            version: 77
        }
    ));
    assert!(matches!(decode(&[0xff; 6]), MetadataRecordError::Overflow));
    let mut trailing = remove(1).encode().unwrap().to_vec();
    trailing.push(0);
    assert!(matches!(
        decode(&trailing),
        MetadataRecordError::Malformed(_)
    ));
}

#[test]
fn a_topic_is_found_by_name_and_id_until_it_is_removed() {
    let mut image = image(&[topic(7, "a.b"), partition(7, 0), partition(7, 1)]);
    assert_eq!(image.topic("a.b").unwrap().partitions.len(), 2);
    assert_eq!(
        image.topic_by_id(Uuid::from_u128(7)).unwrap().name.as_ref(),
        "a.b"
    );
    assert_eq!(
        image.partition("a.b", PartitionId::new(1)).unwrap().leader,
        Some(1)
    );
    assert!(image.partition("a.b", PartitionId::new(2)).is_none());
    assert!(image.partition("a.b", PartitionId::new(-1)).is_none());
    assert_eq!(image.collision("a_b").unwrap().as_ref(), "a.b");
    assert!(
        image.collision("a.b").is_none(),
        "a name does not collide with itself"
    );
    image
        .apply(&config(RESOURCE_TOPIC, "a.b", "retention.ms", Some("5")))
        .unwrap();
    image.apply(&remove(7)).unwrap();
    assert!(
        image.topic("a.b").is_none()
            && image.topic_config("a.b").is_none()
            && image.collision("a_b").is_none()
    );
    assert_eq!(image, Image::new());
}

#[test]
fn a_change_of_leader_starts_a_new_epoch() {
    let change = |leader, isr| {
        let topic_id = Uuid::from_u128(7);
        MetadataRecord::PartitionChange(PartitionChangeRecord {
            topic_id,
            partition_id: 0,
            leader,
            isr,
            ..Default::default()
        })
    };
    let mut image = image(&[topic(7, "a"), partition(7, 0)]);
    let facts = |image: &Image| {
        let partition = image.partition("a", PartitionId::new(0)).unwrap().clone();
        (
            partition.leader,
            partition.leader_epoch.get(),
            partition.partition_epoch,
            partition.isr,
        )
    };
    assert_eq!(facts(&image), (Some(1), 0, 0, vec![1]));
    image.apply(&change(-2, Some(vec![1, 2]))).unwrap();
    assert_eq!(facts(&image), (Some(1), 0, 1, vec![1, 2]));
    image.apply(&change(2, None)).unwrap();
    assert_eq!(facts(&image), (Some(2), 1, 2, vec![1, 2]));
    image.apply(&change(-1, None)).unwrap();
    assert_eq!(facts(&image), (None, 2, 3, vec![1, 2]));
}

#[test]
fn a_record_that_contradicts_the_image_is_refused_and_changes_nothing() {
    let mut image = image(&[topic(7, "a"), partition(7, 0), producer_ids(1000)]);
    let before = image.clone();
    let gap = |partition, count| ApplyError::PartitionGap {
        topic: Uuid::from_u128(7),
        partition,
        count,
    };
    let wrong = [
        (
            topic(7, "b"),
            ApplyError::DuplicateTopic {
                name: "b".into(),
                id: Uuid::from_u128(7),
            },
        ),
        (
            topic(8, "a"),
            ApplyError::DuplicateTopic {
                name: "a".into(),
                id: Uuid::from_u128(8),
            },
        ),
        (
            topic(9, "../x"),
            ApplyError::InvalidName(headwater_metadata::validate_topic_name("../x").unwrap_err()),
        ),
        (
            partition(8, 0),
            ApplyError::UnknownTopic(Uuid::from_u128(8)),
        ),
        (partition(7, 2), gap(2, 1)),
        (partition(7, 0), gap(0, 1)),
        (remove(8), ApplyError::UnknownTopic(Uuid::from_u128(8))),
        (config(99, "a", "b", None), ApplyError::UnknownResource(99)),
        (
            producer_ids(999),
            ApplyError::ProducerIdsGoBack {
                recorded: 999,
                known: 1000,
            },
        ),
    ];
    for (record, error) in wrong {
        assert_eq!(image.apply(&record), Err(error));
        assert_eq!(image, before);
    }
}

#[test]
fn configuration_is_set_and_reset() {
    let mut image = image(&[
        topic(7, "a"),
        config(RESOURCE_TOPIC, "a", "retention.ms", Some("5")),
    ]);
    assert_eq!(image.topic_config("a").unwrap().integer("retention.ms"), 5);
    image
        .apply(&config(RESOURCE_TOPIC, "a", "retention.ms", None))
        .unwrap();
    assert!(image.topic_config("a").unwrap().is_empty());
    image
        .apply(&config(
            RESOURCE_BROKER,
            "",
            "headwater.storage.max.bytes",
            Some("9"),
        ))
        .unwrap();
    image
        .apply(&config(
            RESOURCE_BROKER,
            "1",
            "headwater.storage.max.bytes",
            Some("8"),
        ))
        .unwrap();
    assert_eq!(
        image
            .broker_config(None)
            .unwrap()
            .integer("headwater.storage.max.bytes"),
        9
    );
    assert_eq!(
        image
            .broker_config(Some(1))
            .unwrap()
            .integer("headwater.storage.max.bytes"),
        8
    );
}

#[test]
fn unknown_keys_do_not_make_the_directory_unusable() {
    let image = image(&[
        topic(7, "a"),
        config(RESOURCE_TOPIC, "a", "key.of.tomorrow", Some("5")),
    ]);
    assert!(image.topic_config("a").unwrap().is_empty());
}

#[derive(Debug, Clone)]
enum Step {
    Topic(u8),
    Partition(u8),
    Remove(u8),
    Config(u8, i64),
    ProducerIds(u8),
    Change(u8, Option<u8>),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0_u8..6).prop_map(Step::Topic),
        (0_u8..6).prop_map(Step::Partition),
        (0_u8..6).prop_map(Step::Remove),
        (0_u8..6, 0_i64..9).prop_map(|(topic, ms)| Step::Config(topic, ms)),
        (0_u8..9).prop_map(Step::ProducerIds),
        (0_u8..6, proptest::option::of(0_u8..4))
            .prop_map(|(topic, leader)| Step::Change(topic, leader)),
    ];
    prop::collection::vec(step, 0..60)
}

fn record(image: &Image, at: usize, step: &Step) -> MetadataRecord {
    let id = |topic: u8| {
        image
            .topic(&format!("t.{topic}"))
            .map_or(Uuid::nil(), |topic| topic.id)
    };
    match step {
        Step::Topic(topic_number) => topic(at as u128 + 1, &format!("t.{topic_number}")),
        Step::Partition(topic) => {
            let count = image
                .topic_by_id(id(*topic))
                .map_or(0, |topic| topic.partitions.len());
            MetadataRecord::Partition(PartitionRecord {
                topic_id: id(*topic),
                partition_id: count as i32,
                replicas: vec![1, 2],
                isr: vec![2],
                leader: 2,
                leader_epoch: 4,
                ..Default::default()
            })
        }
        Step::Remove(topic) => remove(id(*topic).as_u128()),
        Step::Config(topic, ms) => config(
            RESOURCE_TOPIC,
            &format!("t.{topic}"),
            "retention.ms",
            Some(&ms.to_string()),
        ),
        Step::ProducerIds(next) => producer_ids(i64::from(*next)),
        Step::Change(topic, leader) => MetadataRecord::PartitionChange(PartitionChangeRecord {
            topic_id: id(*topic),
            leader: leader.map_or(-1, i32::from),
            ..Default::default()
        }),
    }
}

proptest! {
    /// After any history, the records of the image, and their bytes, rebuild the same image.
    #[test]
    fn an_image_is_rebuilt_from_its_records(steps in steps()) {
        let mut image = Image::new();
        for (at, step) in steps.iter().enumerate() {
            let before = image.clone();
            // Configurations of unknown topics are never recorded.
            if matches!(step, Step::Config(topic, _) if image.topic(&format!("t.{topic}")).is_none()) {
                continue;
            }
            if image.apply(&record(&before, at, step)).is_err() {
                prop_assert_eq!(&image, &before);
            }
        }
        let mut again = Image::new();
        for record in image.records() {
            again.apply(&MetadataRecord::decode(record.encode().unwrap()).unwrap()).unwrap();
        }
        prop_assert_eq!(again, image);
    }

    #[test]
    fn random_bytes_are_a_record_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = MetadataRecord::decode(Bytes::from(bytes));
    }

    #[test]
    fn a_damaged_record_is_a_record_or_an_error(at in 0_usize..40, bit in 0_u8..8) {
        let mut bytes = partition(7, 3).encode().unwrap().to_vec();
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let _ = MetadataRecord::decode(Bytes::from(bytes));
    }
}

#[test]
fn producer_ids_start_at_zero_and_never_go_back() {
    let mut image = Image::new();
    assert_eq!(image.next_producer_id(), ProducerId::new(0));
    image.apply(&producer_ids(1000)).unwrap();
    assert_eq!(image.next_producer_id(), ProducerId::new(1000));
}

#[test]
fn a_credential_is_stored_for_each_mechanism_until_it_is_deleted() {
    let [weak, strong] = ScramMechanism::ALL;
    let credential = |password: &str| {
        ScramCredential::from_password(weak, password.as_bytes(), b"salt".to_vec().into(), 4096)
    };
    let mut image = image(&[
        credential("old").record("alice", weak),
        credential("new").record("alice", weak),
        credential("other").record("alice", strong),
    ]);
    assert_eq!(
        image.scram_credential("alice", weak),
        Some(&credential("new"))
    );
    let mut again = Image::new();
    for record in image.records() {
        again
            .apply(&MetadataRecord::decode(record.encode().unwrap()).unwrap())
            .unwrap();
    }
    assert_eq!(again, image);
    for mechanism in [weak, strong] {
        let removed = RemoveUserScramCredentialRecord {
            name: "alice".into(),
            mechanism: mechanism.code(),
            ..Default::default()
        };
        image
            .apply(&MetadataRecord::RemoveUserScramCredential(removed))
            .unwrap();
    }
    assert_eq!(image, Image::new());
}

#[test]
fn secrets_are_not_printed() {
    let credential = ScramCredential::from_password(
        ScramMechanism::Sha256,
        b"pencil",
        b"salt".to_vec().into(),
        4096,
    );
    let printed = format!("{credential:?}");
    assert_eq!(printed, "ScramCredential { iterations: 4096, .. }");
}
