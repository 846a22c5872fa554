//! Measures the time to open a directory.

use std::fs;
use std::path::Path;
use std::time::Duration;

use headwater::{BulkOptions, NO_CONFIG, NewTopic, ProducerConfig, TopicChanges};

use super::stopwatch::{RunTime, Stopwatch};
use super::{MIB, TURNS, directory, millis, report, table, value_column};

pub(super) fn open_empty() {
    let mut best = RunTime::MAX;
    for _ in 0..TURNS {
        let directory = directory();
        let start = Stopwatch::start();
        let engine = headwater::open(Some(directory.path()), NO_CONFIG).expect("an engine");
        best = best.min(start.spent());
        drop(engine);
    }
    let limit = RunTime::allowed(Duration::from_millis(20));
    report(
        "open of an empty directory",
        &millis(best),
        &millis(limit),
        limit,
        best,
    );
}

/// A thousand partitions of 10 MiB. Their segments are hard links to one file, of which opening reads only the end.
pub(super) fn open_many() {
    const PARTITIONS: i32 = 1_000;
    let directory = directory();
    let path = directory.path().join("data");
    {
        let engine = headwater::open(Some(&path), NO_CONFIG).expect("an engine");
        engine
            .block_on(
                engine
                    .admin()
                    .create_topic(NewTopic::new("t").partitions(PARTITIONS / 10)),
            )
            .expect("a topic");
        for part in 2..=10 {
            let changes = TopicChanges {
                partitions: Some(PARTITIONS / 10 * part),
                ..TopicChanges::default()
            };
            engine
                .block_on(engine.admin().alter_topic("t", changes))
                .expect("more partitions");
        }
        let producer = engine.producer(ProducerConfig::default());
        let options = BulkOptions {
            partition: Some(0.into()),
            ..value_column()
        };
        engine
            .block_on(producer.send_batch("t", &table(1_000, 10 * MIB / 1_010), &options))
            .expect("sent");
    }
    let end = spread(&path, PARTITIONS);
    let mut best = RunTime::MAX;
    for _ in 0..TURNS {
        let start = Stopwatch::start();
        let engine = headwater::open(Some(&path), NO_CONFIG).expect("an engine");
        best = best.min(start.spent());
        let found = engine.report().expect("a directory was opened");
        assert!(
            found.clean_shutdown && found.recovered.is_empty(),
            "{found:?}"
        );
        let count = engine.block_on(engine.topic("t").count()).expect("counted");
        assert_eq!(count, end * u64::from(PARTITIONS.unsigned_abs()));
        drop(engine);
    }
    let limit = RunTime::allowed(Duration::from_secs(1));
    report(
        "open of 1,000 partitions, 10 GiB",
        &millis(best),
        &millis(limit),
        limit,
        best,
    );
}

/// Links the files of the first partition into every other, and writes the checkpoint for them. Returns the log end
/// offset.
fn spread(path: &Path, partitions: i32) -> u64 {
    let first = path.join("t-0");
    for partition in 1..partitions {
        let to = path.join(format!("t-{partition}"));
        for entry in fs::read_dir(&first).expect("a partition") {
            let from = entry.expect("an entry").path();
            let name = from.file_name().expect("a name");
            if name == "partition.metadata" {
                continue;
            }
            let to = to.join(name);
            let _ = fs::remove_file(&to);
            if from.extension().is_some_and(|extension| extension == "log") {
                fs::hard_link(&from, &to).expect("linked");
            } else {
                fs::copy(&from, &to).expect("copied");
            }
        }
    }
    let checkpoint = path.join("recovery-point-offset-checkpoint");
    let text = fs::read_to_string(&checkpoint).expect("a checkpoint");
    let end = text
        .lines()
        .find_map(|line| line.strip_prefix("t 0 "))
        .expect("the first partition")
        .to_owned();
    let changed: Vec<String> = text
        .lines()
        .map(|line| {
            match line
                .strip_prefix("t ")
                .and_then(|rest| rest.split(' ').next())
            {
                Some(partition) => format!("t {partition} {end}"),
                None => line.to_owned(),
            }
        })
        .collect();
    fs::write(&checkpoint, changed.join("\n") + "\n").expect("written");
    end.parse().expect("an offset")
}
