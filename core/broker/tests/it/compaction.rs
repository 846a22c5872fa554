//! Compacted topics, `__consumer_offsets` in particular.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::support::groups::{commit, commit_request, committed};
use crate::support::*;
use bytes::Bytes;
use headwater_broker::Broker;
use headwater_env::{Env, File, OpenMode, SimEnv};
use headwater_protocol::ErrorCode;
use headwater_record::{BatchBuilder, BatchOptions, DecompressLimit, batches};

const SMALL_SEGMENTS: (&str, &str) = ("internal.segment.bytes", "2000");
const COMPACT: (&str, &str) = ("cleanup.policy", "compact");
const CHECKPOINT: &str = "/data/cleaner-offset-checkpoint";

fn keyed(records: &[(&str, Option<&str>)]) -> Bytes {
    let mut builder = BatchBuilder::new(BatchOptions::default());
    for (key, value) in records {
        builder
            .try_append(1, Some(key.as_bytes()), value.map(str::as_bytes), &[])
            .unwrap();
    }
    builder.finish().unwrap()
}

/// Writes every key of a topic many times, in several closed segments.
fn fill<E: Env>(broker: &Broker<E>, topic: &str) {
    for round in 0..40 {
        let value = format!("{round:0100}");
        append(
            broker,
            topic,
            0,
            keyed(&[("a", Some(&value)), ("b", None), ("c", Some(&value))]),
        );
    }
}

/// All records of a partition: offset, key, value.
fn read<E: Env>(broker: &Broker<E>, topic: &str) -> Vec<(i64, String, Option<String>)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let (mut next, end) = (
        offset(broker, topic, 0, EARLIEST),
        offset(broker, topic, 0, LATEST),
    );
    let mut all = Vec::new();
    while next < end {
        let data = fetch(broker, topic, 0, next);
        assert_eq!(code(data.error_code), ErrorCode::None);
        let before = next;
        for batch in batches(&data.records.unwrap_or_default()) {
            let batch = batch.unwrap();
            batch.verify_crc().unwrap();
            for record in &batch.records(DecompressLimit::default()).unwrap() {
                let record = record.unwrap();
                all.push((
                    record.offset.get(),
                    text(record.key.unwrap()),
                    record.value.map(text),
                ));
            }
            next = batch.header().next_offset().get();
        }
        assert!(next > before, "nothing at {next} below {end}");
    }
    all
}

fn bytes_of(env: &SimEnv, partition: &str) -> usize {
    let prefix = format!("/data/{partition}/");
    let is_log = |path: &str| {
        Path::new(path)
            .extension()
            .is_some_and(|ending| ending == "log")
    };
    env.image()
        .iter()
        .filter(|(path, _)| {
            format!("/{}", path.trim_start_matches('/')).starts_with(&prefix) && is_log(path)
        })
        .map(|(_, bytes)| bytes.len())
        .sum()
}

fn checkpoint<E: Env>(env: &E) -> String {
    let bytes = env.read_file(Path::new(CHECKPOINT)).unwrap();
    bytes.map_or(String::new(), |bytes| {
        String::from_utf8(bytes.to_vec()).unwrap()
    })
}

#[test]
fn the_offsets_topic_shrinks_and_groups_find_their_offsets_after_a_restart() {
    let config = [
        ("offsets.topic.num.partitions", "1"),
        ("offsets.topic.segment.bytes", "1048577"),
    ];
    let env = SimEnv::new(1);
    env.set_wall_clock_ms(1_000_000_000);
    let broker = open(&env, &config);
    create(&broker, "t", 4, &[]);
    for number in 0..800 {
        let mut request = commit_request(None, number % 4, i64::from(number));
        request.topics[0].partitions[0].committed_metadata = Some(format!("{number:04000}").into());
        assert_eq!(commit(&broker, request), ErrorCode::None);
    }
    let expected: BTreeMap<_, _> = (0..4)
        .map(|partition| (partition, committed(&broker, partition)))
        .collect();
    assert_eq!(expected[&3].0, 799);
    let before = bytes_of(&env, "__consumer_offsets-0");
    assert!(before > 3_000_000);
    broker.housekeeping();
    let after = bytes_of(&env, "__consumer_offsets-0");
    assert!(after < 1_100_000, "{after} of {before} bytes are left");
    assert!(
        checkpoint(&env).contains("__consumer_offsets 0 "),
        "{}",
        checkpoint(&env)
    );
    let check = |broker: &Broker<SimEnv>| {
        for (partition, offset) in &expected {
            assert_eq!(&committed(broker, *partition), offset);
        }
    };
    check(&broker);
    // After a crash, and after a clean shutdown.
    let env = env.after_power_cut(3);
    let broker = open(&env, &config);
    check(&broker);
    broker.close().unwrap();
    drop(broker);
    let broker = open(&env, &config);
    check(&broker);
}

#[test]
fn the_last_values_of_a_compacted_topic_survive_a_change_of_its_policy() {
    let env = SimEnv::new(1);
    env.set_wall_clock_ms(1_000_000);
    let broker = open(&env, &[]);
    create(
        &broker,
        "t",
        1,
        &[COMPACT, SMALL_SEGMENTS, ("delete.retention.ms", "1000")],
    );
    fill(&broker, "t");
    broker.housekeeping();
    let records = read(&broker, "t");
    assert!(records.len() < 30, "{} records are left", records.len());
    let value = format!("{:0100}", 39);
    assert_eq!(
        records[records.len() - 1],
        (119, "c".to_owned(), Some(value))
    );
    let line = checkpoint(&env);
    let cleaned_to: i64 = line.trim().rsplit(' ').next().unwrap().parse().unwrap();
    assert!(line.starts_with("0\n1\nt 0 ") && cleaned_to > 60, "{line}");
    // Retention applies from now on; the offset gaps are not reported as damage.
    let policy = [("cleanup.policy", 0, Some("delete"))];
    assert_eq!(alter(&broker, (2, "t"), &policy).0, ErrorCode::None);
    assert_eq!(read(&broker, "t"), records);
    drop(broker);
    let env = env.after_kill(0);
    let (broker, report) = try_open(&env, &[]).unwrap();
    assert!(report.recovered.is_empty(), "{:?}", report.recovered);
    assert_eq!(read(&broker, "t"), records);
    // The checkpoint line is removed with the topic.
    assert_eq!(delete(&broker, "t"), ErrorCode::None);
    assert_eq!(checkpoint(&env), "0\n0\n");
}

#[test]
fn a_partition_that_cannot_be_compacted_does_not_stop_the_others() {
    let env = SimEnv::new(1);
    let broker = open(&env, &[]);
    for topic in ["damaged", "good"] {
        create(&broker, topic, 1, &[COMPACT, SMALL_SEGMENTS]);
        fill(&broker, topic);
    }
    let path = PathBuf::from(DIR).join("damaged-0/00000000000000000000.log");
    let file = env.open_file(&path, OpenMode::Write).unwrap();
    file.write_all_at(b"unexpected bytes", 100).unwrap();
    let before = bytes_of(&env, "damaged-0");
    broker.housekeeping();
    broker.housekeeping();
    assert_eq!(bytes_of(&env, "damaged-0"), before, "it is not changed");
    assert!(read(&broker, "good").len() < 30);
    append(&broker, "damaged", 0, keyed(&[("a", Some("1"))]));
}

#[test]
fn the_cleaner_can_be_switched_off() {
    let env = SimEnv::new(1);
    let broker = open(&env, &[("log.cleaner.enable", "false")]);
    create(&broker, "t", 1, &[COMPACT, SMALL_SEGMENTS]);
    fill(&broker, "t");
    broker.housekeeping();
    assert_eq!(read(&broker, "t").len(), 120);
    assert_eq!(checkpoint(&env), "");
}

#[test]
fn a_log_is_compacted_only_if_it_is_dirty_enough_or_for_too_long() {
    let env = SimEnv::new(1);
    env.set_wall_clock_ms(1_000_000);
    let broker = open(&env, &[("log.cleaner.min.cleanable.ratio", "1")]);
    create(&broker, "t", 1, &[COMPACT, SMALL_SEGMENTS]);
    fill(&broker, "t");
    broker.housekeeping();
    assert_eq!(read(&broker, "t").len(), 120);
    let lag = [("max.compaction.lag.ms", 0, Some("60000"))];
    assert_eq!(alter(&broker, (2, "t"), &lag).0, ErrorCode::None);
    broker.housekeeping();
    assert!(read(&broker, "t").len() < 30);
}

/// The background task of an engine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_cleaner_runs_by_itself_and_lets_the_broker_close() {
    let temporary = tempfile::tempdir().unwrap();
    let config = headwater_metadata::BrokerConfig::parse([
        ("log.cleaner.backoff.ms", "10"),
        ("log.flush.scheduler.interval.ms", "10"),
    ])
    .unwrap();
    let (broker, _) = Broker::open(headwater_env::RealEnv, temporary.path(), config).unwrap();
    broker.spawn_housekeeping(&tokio::runtime::Handle::current());
    create(&broker, "t", 1, &[COMPACT, SMALL_SEGMENTS]);
    fill(&broker, "t");
    while read(&broker, "t").len() >= 30 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    broker.close().unwrap();
    let (broker, report) = Broker::open(
        headwater_env::RealEnv,
        temporary.path(),
        headwater_metadata::BrokerConfig::default(),
    )
    .unwrap();
    assert!(report.clean_shutdown && report.recovered.is_empty());
    assert!(read(&broker, "t").len() < 30);
}
