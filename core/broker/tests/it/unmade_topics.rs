//! A topic whose files cannot be created is not created at all, and can be created as soon as the fault is over.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::support::*;
use headwater_broker::Broker;
use headwater_env::{Env, Fault, Operation, SimEnv, Times};
use headwater_protocol::create_partitions_request::CreatePartitionsTopic;
use headwater_protocol::{CreatePartitionsRequest, ErrorCode, MetadataRequest};

fn topics(broker: &Broker<SimEnv>) -> Vec<(String, usize)> {
    let all = MetadataRequest {
        topics: None,
        ..Default::default()
    };
    let topics = ask(broker, all).topics.into_iter();
    topics
        .map(|topic| (topic.name.unwrap().to_string(), topic.partitions.len()))
        .collect()
}

fn grow(broker: &Broker<SimEnv>, name: &str, count: i32) -> (ErrorCode, String) {
    let more = CreatePartitionsTopic {
        name: name.into(),
        count,
        assignments: None,
        ..Default::default()
    };
    let request = CreatePartitionsRequest {
        topics: vec![more],
        ..Default::default()
    };
    let result = ask(broker, request).results.remove(0);
    let message = result
        .error_message
        .as_deref()
        .unwrap_or_default()
        .to_owned();
    (code(result.error_code), message)
}

/// Produces to every partition that is visible to clients.
fn assert_all_work(broker: &Broker<SimEnv>, moment: &str) {
    for (name, partitions) in topics(broker) {
        for partition in 0..partitions as i32 {
            let answer = produce(broker, &name, partition, batch(&["a"]));
            let failed = code(answer.error_code);
            assert_eq!(failed, ErrorCode::None, "{moment}: {name}-{partition}");
        }
    }
}

/// The calls that fail, once or for ever.
const FAULTS: [(Operation, ErrorKind); 5] = [
    (Operation::Create, ErrorKind::StorageFull),
    (Operation::Write, ErrorKind::StorageFull),
    (Operation::Rename, ErrorKind::StorageFull),
    (Operation::SyncDir, ErrorKind::Other),
    (Operation::Open, ErrorKind::Other),
];

#[test]
fn a_failed_call_leaves_a_topic_created_or_not_created() {
    let mut failed = 0;
    for (operation, error) in FAULTS {
        for nth in 0..40 {
            for times in [Times::Once, Times::Forever] {
                let moment = format!("{operation:?} {nth} fails {times:?}");
                let env = SimEnv::new(1);
                let broker = open(&env, &[]);
                create(&broker, "old", 1, &[]);
                env.inject(Fault {
                    operation,
                    nth,
                    times,
                    error,
                });
                let made = try_create(&broker, creatable("new", 2, &[])).error_code == 0;
                let grown = grow(&broker, "old", 3).0 == ErrorCode::None;
                failed += usize::from(!made) + usize::from(!grown);
                env.clear_faults();
                let count = |name: &str| {
                    topics(&broker)
                        .iter()
                        .find(|topic| topic.0 == name)
                        .map(|topic| topic.1)
                };
                assert_eq!(count("new"), made.then_some(2), "{moment}");
                assert_eq!(count("old"), Some(if grown { 3 } else { 1 }), "{moment}");
                assert_all_work(&broker, &moment);
                if !made {
                    create(&broker, "new", 2, &[]);
                }
                if !grown {
                    let again = grow(&broker, "old", 3);
                    assert_eq!(again.0, ErrorCode::None, "{moment}: {}", again.1);
                }
                assert_all_work(&broker, &moment);
                drop(broker);
                let (broker, report) = try_open(&env.after_kill(0), &[]).unwrap();
                assert!(report.strays.is_empty(), "{moment}: {report:?}");
                assert_eq!(topics(&broker).len(), 2, "{moment}");
                assert_all_work(&broker, &moment);
            }
        }
    }
    assert!(failed > 50, "only {failed} changes failed");
}

/// After a failed sync the kernel may have dropped the bytes, so the broker refuses changes until the directory is
/// opened again. Then each change was made, with its files, or was not made.
#[test]
fn after_a_failed_sync_a_topic_is_whole_or_absent_when_the_directory_is_opened_again() {
    let mut failed = 0;
    for (nth, times) in (0..20).flat_map(|nth| [(nth, Times::Once), (nth, Times::Forever)]) {
        let env = SimEnv::new(1);
        let broker = open(&env, &[]);
        create(&broker, "old", 1, &[]);
        env.inject(Fault {
            operation: Operation::Sync,
            nth,
            times,
            error: ErrorKind::Other,
        });
        let made = try_create(&broker, creatable("new", 2, &[])).error_code == 0;
        let grown = grow(&broker, "old", 3).0 == ErrorCode::None;
        failed += usize::from(!made) + usize::from(!grown);
        env.clear_faults();
        drop(broker);
        for (end, env) in [
            ("killed", env.after_kill(nth)),
            ("without power", env.after_power_cut(nth)),
        ] {
            let moment = format!("sync {nth} fails {times:?}, {end}");
            let (broker, report) = try_open(&env, &[]).unwrap();
            assert!(report.strays.is_empty(), "{moment}: {report:?}");
            let count = |name: &str| {
                let all = topics(&broker);
                all.into_iter()
                    .find(|topic| topic.0 == name)
                    .map(|topic| topic.1)
            };
            let (new, old) = (count("new"), count("old"));
            assert!(
                new == Some(2) || (new.is_none() && !made),
                "{moment}: {new:?}"
            );
            assert!(
                old == Some(3) || (old == Some(1) && !grown),
                "{moment}: {old:?}"
            );
            assert_all_work(&broker, &moment);
            if new.is_none() {
                create(&broker, "new", 2, &[]);
            }
            if old == Some(1) {
                assert_eq!(grow(&broker, "old", 3).0, ErrorCode::None, "{moment}");
            }
            assert_all_work(&broker, &moment);
        }
    }
    assert!(failed > 10, "only {failed} changes failed");
}

#[test]
fn without_file_descriptors_no_topic_is_created_and_the_error_has_the_reason() {
    let env = SimEnv::new(1);
    let broker = open(&env, &[]);
    env.set_out_of_files(true);
    let refused = try_create(&broker, creatable("t", 2, &[]));
    assert_eq!(code(refused.error_code), ErrorCode::KafkaStorageError);
    let message = refused.error_message.unwrap();
    assert!(message.contains("the change was not made"), "{message}");
    env.set_out_of_files(false);
    assert_eq!(topics(&broker), []);
    create(&broker, "t", 2, &[]);
    assert_all_work(&broker, "with descriptors");
}

#[test]
fn an_unknown_directory_with_records_is_not_assigned_to_a_new_topic() {
    let env = SimEnv::new(1);
    open(&env, &[]).close().unwrap();
    let stray = Path::new(DIR).join("t-1");
    env.create_dir_all(&stray).unwrap();
    let log = stray.join("00000000000000000000.log");
    env.replace_file(&log, b"records").unwrap();
    let broker = open(&env, &[]);
    let refused = try_create(&broker, creatable("t", 2, &[]));
    assert_eq!(code(refused.error_code), ErrorCode::KafkaStorageError);
    let message = refused.error_message.unwrap();
    assert!(
        message.contains("/data/t-1") && message.contains("move it away"),
        "{message}"
    );
    assert_eq!(topics(&broker), []);
    create(&broker, "t", 1, &[]);
    assert_eq!(grow(&broker, "t", 2).0, ErrorCode::KafkaStorageError);
    assert_all_work(&broker, "one partition");
    drop(broker);
    let (_, report) = try_open(&env.after_kill(0), &[]).unwrap();
    assert_eq!(report.strays.len(), 1);
    assert_eq!(env.read_file(&log).unwrap().unwrap(), "records");
}

#[test]
fn a_deletion_that_fails_is_finished_and_its_name_is_free() {
    for nth in 0..3 {
        let env = SimEnv::new(1);
        let broker = open(&env, &[]);
        let keep = ("retention.ms", "-1");
        create(&broker, "t", 2, &[keep, ("file.delete.delay.ms", "0")]);
        append(&broker, "t", 0, batch(&["old"]));
        // The first renames of a deletion rename the directories.
        env.inject(Fault {
            operation: Operation::Rename,
            nth,
            times: Times::Forever,
            error: ErrorKind::Other,
        });
        assert_eq!(delete(&broker, "t"), ErrorCode::None);
        broker.housekeeping();
        env.clear_faults();
        create(&broker, "t", 2, &[keep]);
        assert_eq!(values(&broker, "t", 0), Vec::<String>::new());
        append(&broker, "t", 0, batch(&["new"]));
        broker.housekeeping();
        assert_eq!(values(&broker, "t", 0), ["new"]);
        let entries = env.read_dir(Path::new(DIR)).unwrap();
        let left: Vec<PathBuf> = entries
            .into_iter()
            .filter(|entry| entry.name.ends_with("-delete"))
            .map(|entry| PathBuf::from(entry.name))
            .collect();
        assert_eq!(left, Vec::<PathBuf>::new());
        drop(broker);
        assert_eq!(values(&open(&env.after_kill(0), &[]), "t", 0), ["new"]);
    }
}
