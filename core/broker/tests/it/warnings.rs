//! Warnings about expired records, deletions for lack of space and nearly full disks, and the absence of others.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::support::events::Events;
use crate::support::*;
use headwater_broker::Broker;
use headwater_env::{RealEnv, SimEnv};
use headwater_metadata::BrokerConfig;
use headwater_protocol::ErrorCode;
use tracing::Level;

#[test]
fn records_older_than_their_retention_are_reported_once_for_a_topic() {
    let env = SimEnv::new(1);
    env.set_wall_clock_ms(1_000_000);
    let broker = open(&env, &[]);
    create(&broker, "t", 2, &[("retention.ms", "1000")]);
    create(&broker, "for-ever", 1, &[("retention.ms", "-1")]);
    create(
        &broker,
        "stamped",
        1,
        &[
            ("retention.ms", "1000"),
            ("message.timestamp.type", "LogAppendTime"),
        ],
    );
    let events = Events::default();
    let warnings = |topic: &str, partition, records: &[(i64, &str)]| {
        events.of(|| append(&broker, topic, partition, batch_at(records)));
        events.take(Level::WARN)
    };
    assert_eq!(warnings("t", 0, &[(999_000, "just kept")]), [""; 0]);
    assert_eq!(
        warnings("t", 0, &[(5, "old"), (999_500, "new")]),
        [""; 0],
        "the segment stays"
    );
    let first = warnings("t", 0, &[(5, "old"), (998_999, "old too")]);
    assert_eq!(first.len(), 1, "{first:?}");
    for part in [
        "retention.ms",
        "topic=t",
        "newest_timestamp_ms=998999",
        "retention_ms=1000",
    ] {
        assert!(first[0].contains(part), "{first:?}");
    }
    assert_eq!(warnings("t", 0, &[(5, "old")]), [""; 0]);
    assert_eq!(warnings("t", 1, &[(5, "old")]), [""; 0]);
    assert_eq!(warnings("for-ever", 0, &[(5, "old")]), [""; 0]);
    assert_eq!(warnings("stamped", 0, &[(5, "old")]), [""; 0]);
    assert_eq!(
        alter(&broker, (2, "t"), &[("retention.ms", 0, Some("2000"))]).0,
        ErrorCode::None
    );
    assert_eq!(
        warnings("t", 1, &[(5, "old")]).len(),
        1,
        "another retention, another report"
    );
}

#[test]
fn each_deletion_by_exhaustion_is_counted_and_reported_with_topic_and_offsets() {
    let env = SimEnv::new(1);
    let broker = open(&env, &[("headwater.storage.max.bytes", "200000")]);
    create(
        &broker,
        "t",
        1,
        &[("internal.segment.bytes", "20000"), ("retention.ms", "-1")],
    );
    let events = Events::default();
    let value = "x".repeat(1000);
    events.of(|| {
        for time in 0..400 {
            append(&broker, "t", 0, batch_at(&[(time, &value)]));
        }
    });
    let warnings = events.take(Level::WARN);
    assert_eq!(
        warnings.len() as u64,
        broker.deletions().exhaustion.segments
    );
    assert!(warnings.len() > 5);
    for part in [
        "topic=t",
        "partition=0",
        "base_offset=0",
        "end_offset=",
        "headwater.storage.on.full=fail",
    ] {
        assert!(warnings[0].contains(part), "{warnings:?}");
    }
}

#[test]
fn a_nearly_full_disk_is_reported_once_until_it_has_recovered() {
    const GIB: u64 = 1 << 30;
    let env = SimEnv::new(1);
    let broker = open(&env, &[]);
    let events = Events::default();
    let warnings = |capacity| {
        env.set_capacity(Some(env.used_bytes() + capacity));
        events.of(|| broker.housekeeping());
        events.take(Level::WARN)
    };
    assert_eq!(warnings(2 * GIB), [""; 0]);
    let low = warnings(GIB - 1);
    assert!(
        low.len() == 1 && low[0].contains("the disk is nearly full"),
        "{low:?}"
    );
    assert_eq!(warnings(GIB / 2), [""; 0], "the warning was repeated");
    assert_eq!(warnings(2 * GIB), [""; 0]);
    assert_eq!(warnings(GIB - 1).len(), 1);
}

/// A topic is deleted while housekeeping works on its partitions.
#[test]
fn deleting_a_topic_during_any_task_is_not_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let config = [
        ("log.cleaner.backoff.ms", "1"),
        ("log.segment.delete.delay.ms", "0"),
    ];
    let config = BrokerConfig::parse(config).unwrap();
    let (broker, _) = Broker::open(RealEnv, directory.path(), config).unwrap();
    let events = Events::default();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let housekeeping = || {
            events.of(|| {
                while !done.load(Ordering::Relaxed) {
                    broker.housekeeping();
                }
            });
        };
        scope.spawn(housekeeping);
        events.of(|| {
            for round in 0..60 {
                let configs = [
                    ("flush.ms", "0"),
                    ("retention.ms", "1"),
                    ("internal.segment.bytes", "200"),
                ];
                create(&broker, "t", 4, &configs);
                for n in 0..40 {
                    append(&broker, "t", n % 4, batch_at(&[(round, "value")]));
                }
                assert_eq!(delete(&broker, "t"), ErrorCode::None);
            }
        });
        done.store(true, Ordering::Relaxed);
    });
    broker.close().unwrap();
    assert_eq!(events.take(Level::ERROR), [""; 0]);
}
