//! Opening, closing and reopening, on a real and on a simulated disk.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::*;
use headwater_broker::{Broker, OpenError};
use headwater_env::{Env, Fault, File, OpenMode, Operation, RealEnv, SimEnv, Times};
use headwater_metadata::BrokerConfig;
use headwater_protocol::ErrorCode;
use headwater_record::batches;

fn open_at(path: &Path) -> Result<(Broker<RealEnv>, headwater_broker::OpenReport), OpenError> {
    Broker::open(RealEnv, path, BrokerConfig::default())
}

#[test]
fn topics_records_and_configuration_survive_a_restart_on_a_real_disk() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("data");
    let (broker, report) = open_at(&path).unwrap();
    assert!(report.created && !report.clean_shutdown);
    create(&broker, "t", 2, &[("max.message.bytes", "300")]);
    append(&broker, "t", 0, batch(&["a", "b"]));
    append(&broker, "t", 1, batch_of((7, 0, 0), &["c"]));
    alter(&broker, (2, "t"), &[("max.message.bytes", 0, Some("200"))]);
    let cluster = broker.cluster_id().to_owned();
    broker.close().unwrap();
    broker.close().unwrap();
    assert!(path.join(".kafka_cleanshutdown").exists());

    let (broker, report) = open_at(&path).unwrap();
    assert!(
        !report.created && report.clean_shutdown && report.recovered.is_empty(),
        "{report:?}"
    );
    assert_eq!((report.partitions, broker.cluster_id()), (2, &*cluster));
    assert_eq!(values(&broker, "t", 0), ["a", "b"]);
    let large = batch(&["x".repeat(250).as_str()]);
    assert_eq!(
        code(produce(&broker, "t", 0, large).error_code),
        ErrorCode::MessageTooLarge
    );
    assert_eq!(
        append(&broker, "t", 1, batch_of((7, 0, 0), &["c"])),
        0,
        "the producer state was lost"
    );
    assert_eq!(append(&broker, "t", 1, batch_of((7, 0, 1), &["d"])), 1);
}

#[test]
fn without_a_clean_shutdown_nothing_acknowledged_is_lost() {
    let temporary = tempfile::tempdir().unwrap();
    let (broker, _) = open_at(temporary.path()).unwrap();
    create(&broker, "t", 1, &[]);
    append(&broker, "t", 0, batch(&["a"]));
    drop(broker);
    let (broker, report) = open_at(temporary.path()).unwrap();
    assert!(!report.clean_shutdown);
    assert_eq!(values(&broker, "t", 0), ["a"]);
}

#[test]
fn a_torn_tail_is_cut_and_reported() {
    let temporary = tempfile::tempdir().unwrap();
    let (broker, _) = open_at(temporary.path()).unwrap();
    create(&broker, "t", 1, &[]);
    append(&broker, "t", 0, batch(&["a"]));
    let torn = batch(&["torn"]);
    drop(broker);
    let log = temporary.path().join("t-0/00000000000000000000.log");
    let mut bytes = std::fs::read(&log).unwrap();
    bytes.extend_from_slice(&torn[..torn.len() - 3]);
    std::fs::write(&log, bytes).unwrap();
    let (broker, report) = open_at(temporary.path()).unwrap();
    let recovered = report
        .recovered
        .iter()
        .find(|partition| &*partition.topic == "t")
        .unwrap();
    assert_eq!(
        (recovered.truncated_bytes, recovered.log_end_offset.get()),
        (torn.len() as u64 - 3, 1)
    );
    assert_eq!(append(&broker, "t", 0, batch(&["b"])), 1);
    assert_eq!(values(&broker, "t", 0), ["a", "b"]);
}

#[test]
fn a_directory_in_use_is_refused_with_the_process_id_and_free_after_a_close() {
    let temporary = tempfile::tempdir().unwrap();
    let (broker, _) = open_at(temporary.path()).unwrap();
    create(&broker, "t", 1, &[]);
    let refused = open_at(temporary.path()).unwrap_err();
    assert!(
        matches!(&refused, OpenError::Locked { pid, .. } if *pid == Some(std::process::id())),
        "{refused}"
    );
    assert!(refused.to_string().contains("close it there"), "{refused}");
    append(&broker, "t", 0, batch(&["a"]));
    broker.close().unwrap();
    open_at(temporary.path()).unwrap();
}

#[test]
fn a_directory_with_other_files_is_refused_and_not_changed() {
    let temporary = tempfile::tempdir().unwrap();
    std::fs::write(temporary.path().join("thesis.txt"), "dear").unwrap();
    let refused = open_at(temporary.path()).unwrap_err();
    assert!(
        matches!(&refused, OpenError::NotOurs { reason, .. } if reason.contains("thesis.txt")),
        "{refused}"
    );
    let names: Vec<_> = std::fs::read_dir(temporary.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["thesis.txt"]);
    let file = temporary.path().join("thesis.txt");
    assert!(matches!(
        open_at(&file).unwrap_err(),
        OpenError::NotOurs { .. } | OpenError::Io { .. }
    ));
    assert_eq!(std::fs::read(file).unwrap(), b"dear");
}

#[test]
fn missing_permission_has_its_own_error() {
    let env = SimEnv::new(1);
    env.inject(Fault {
        operation: Operation::Create,
        nth: 0,
        times: Times::Forever,
        error: io::ErrorKind::PermissionDenied,
    });
    let refused = try_open(&env, &[]).unwrap_err();
    assert!(
        matches!(&refused, OpenError::Permission { .. }),
        "{refused}"
    );
    assert!(
        refused.to_string().contains("Change its owner or mode"),
        "{refused}"
    );
}

#[test]
fn a_different_node_id_is_refused() {
    let env = SimEnv::new(1);
    open(&env, &[("node.id", "3")]).close().unwrap();
    let refused = try_open(&env, &[("node.id", "4")]).unwrap_err();
    assert!(
        refused.to_string().contains("was created with 3"),
        "{refused}"
    );
    assert_eq!(open(&env, &[]).node_id(), 3);
}

#[test]
fn a_damaged_byte_anywhere_in_the_metadata_is_found_and_no_record_is_changed() {
    let env = SimEnv::new(1);
    let broker = open(&env, &[]);
    create(&broker, "t", 1, &[]);
    broker.close().unwrap();
    drop(broker);
    let path = PathBuf::from(DIR).join("__cluster_metadata-0/00000000000000000000.log");
    let good = env.read_file(&path).unwrap().unwrap();
    // The leader epoch is outside the CRC, and metadata does not use it.
    let mut epochs = Vec::new();
    let mut walk = batches(&good);
    while walk.position() < good.len() {
        epochs.push(walk.position() + 12..walk.position() + 16);
        walk.next().unwrap().unwrap();
    }
    for position in 0..good.len() {
        let env = env.after_kill(position as u64);
        let file = env.open_file(&path, OpenMode::Write).unwrap();
        file.write_all_at(&[good[position] ^ 0x10], position as u64)
            .unwrap();
        drop(file);
        let damaged = env.read_file(&path).unwrap().unwrap();
        match try_open(&env, &[]).map(|(_, report)| report) {
            Err(OpenError::Damaged { .. }) => {
                assert_eq!(env.read_file(&path).unwrap().unwrap(), damaged);
            }
            Ok(report) => {
                assert!(
                    epochs.iter().any(|epoch| epoch.contains(&position)),
                    "byte {position} was accepted"
                );
                assert!(report.strays.is_empty(), "byte {position}");
            }
            Err(error) => panic!("byte {position}: {error}"),
        }
    }
}

#[test]
fn a_directory_of_an_unknown_topic_is_reported_and_not_changed() {
    let env = SimEnv::new(1);
    open(&env, &[]).close().unwrap();
    let stray = PathBuf::from(DIR).join("lost-0");
    env.create_dir_all(&stray).unwrap();
    env.replace_file(&stray.join("00000000000000000000.log"), b"records")
        .unwrap();
    let (broker, report) = try_open(&env, &[]).unwrap();
    assert_eq!(report.strays.len(), 1);
    assert_eq!(report.strays[0].path, stray);
    broker.close().unwrap();
    assert_eq!(
        env.read_file(&stray.join("00000000000000000000.log"))
            .unwrap()
            .unwrap(),
        "records"
    );
}

#[test]
fn symbolic_links_in_a_data_directory_are_not_followed() {
    use std::os::unix::fs::symlink;
    let temporary = tempfile::tempdir().unwrap();
    let (path, elsewhere) = (temporary.path().join("data"), temporary.path().join("else"));
    std::fs::create_dir(&elsewhere).unwrap();
    std::fs::write(elsewhere.join("precious"), "dear").unwrap();
    let (broker, _) = open_at(&path).unwrap();
    create(&broker, "t", 1, &[]);
    append(&broker, "t", 0, batch(&["a"]));
    broker.close().unwrap();
    drop(broker);
    let precious = elsewhere.join("precious");
    let stray = path.join("t-0/00000000000000000009.log");
    let temporary_file = path.join("recovery-point-offset-checkpoint.tmp");
    for (target, link) in [
        (&elsewhere, &path.join("u-0")),
        (&precious, &stray),
        (&precious, &path.join(".lock")),
    ] {
        let _ = std::fs::remove_file(link);
        symlink(target, link).unwrap();
        let refused = open_at(&path).unwrap_err();
        assert!(
            refused.to_string().contains("link"),
            "{}: {refused}",
            link.display()
        );
        std::fs::remove_file(link).unwrap();
    }
    symlink(&precious, &temporary_file).unwrap();
    let (broker, _) = open_at(&path).unwrap();
    assert_eq!(values(&broker, "t", 0), ["a"]);
    drop(broker);
    assert_eq!(std::fs::read(&precious).unwrap(), b"dear");
    // The data directory itself may be a link.
    std::fs::remove_file(&temporary_file).unwrap();
    let alias = temporary.path().join("alias");
    symlink(&path, &alias).unwrap();
    assert_eq!(values(&open_at(&alias).unwrap().0, "t", 0), ["a"]);
}

#[test]
fn a_directory_of_another_topic_is_refused() {
    let env = SimEnv::new(1);
    let broker = open(&env, &[]);
    create(&broker, "t", 1, &[]);
    broker.close().unwrap();
    drop(broker);
    let file = PathBuf::from(DIR).join("t-0/partition.metadata");
    env.replace_file(&file, b"version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ\n")
        .unwrap();
    let refused = try_open(&env, &[]).unwrap_err();
    assert!(
        matches!(&refused, OpenError::Damaged { reason, .. } if reason.contains("remove the file")),
        "{refused}"
    );
    env.remove_file(&file).unwrap();
    append(&open(&env, &[]), "t", 0, batch(&["a"]));
}

#[test]
fn a_partition_whose_directory_was_removed_is_reported_and_reuses_no_offset() {
    let env = SimEnv::new(1);
    let broker = open(&env, &[]);
    create(&broker, "t", 1, &[]);
    append(&broker, "t", 0, batch(&["a", "b"]));
    broker.close().unwrap();
    drop(broker);
    env.remove_dir_all(&PathBuf::from(DIR).join("t-0")).unwrap();
    let (broker, report) = try_open(&env, &[]).unwrap();
    assert_eq!(report.missing.len(), 1);
    assert_eq!(append(&broker, "t", 0, batch(&["c"])), 2);
    assert_eq!(values(&broker, "t", 0), ["c"]);
}

#[test]
fn a_wrong_digit_in_the_leader_epochs_is_repaired_and_reported() {
    let env = SimEnv::new(1);
    let broker = open(&env, &[]);
    create(&broker, "t", 1, &[]);
    append(&broker, "t", 0, batch(&["a"]));
    broker.close().unwrap();
    drop(broker);
    let file = PathBuf::from(DIR).join("t-0/leader-epoch-checkpoint");
    assert_eq!(&*env.read_file(&file).unwrap().unwrap(), b"0\n1\n0 0\n");
    env.replace_file(&file, b"0\n1\n1 0\n").unwrap();
    let (broker, report) = try_open(&env, &[]).unwrap();
    assert_eq!(report.recovered.len(), 1, "{report:?}");
    assert_eq!(append(&broker, "t", 0, batch(&["b"])), 1);
}

#[test]
fn a_directory_that_was_moved_away_fails_the_close_and_is_reported() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("data");
    let (broker, _) = open_at(&path).unwrap();
    create(&broker, "t", 1, &[]);
    append(&broker, "t", 0, batch(&["a"]));
    std::fs::rename(path.join("t-0"), temporary.path().join("moved")).unwrap();
    std::thread::sleep(Duration::from_millis(12));
    let refused = produce(&broker, "t", 0, batch(&["b"]));
    assert_eq!(code(refused.error_code), ErrorCode::KafkaStorageError);
    assert!(broker.close().is_err());
    drop(broker);
    let (_, report) = open_at(&path).unwrap();
    assert!(!report.clean_shutdown);
    assert_eq!(report.missing.len(), 1);
}

#[test]
fn a_missing_directory_is_reported_after_a_kill_too() {
    let env = SimEnv::new(1);
    let broker = open(&env, &[]);
    create(&broker, "t", 2, &[]);
    append(&broker, "t", 0, batch(&["a", "b"]));
    drop(broker);
    env.remove_dir_all(&PathBuf::from(DIR).join("t-0")).unwrap();
    env.remove_dir_all(&PathBuf::from(DIR).join("t-1")).unwrap();
    let (broker, report) = try_open(&env, &[]).unwrap();
    let missing: Vec<_> = report
        .missing
        .iter()
        .map(|(topic, partition)| (&**topic, partition.get()))
        .collect();
    assert_eq!(missing, [("t", 0), ("t", 1)]);
    drop(broker);
    let (_, report) = try_open(&env, &[]).unwrap();
    assert!(report.missing.is_empty(), "the directory was recreated");
}

#[test]
fn a_damaged_checkpoint_is_reported_and_all_logs_are_recovered() {
    let env = SimEnv::new(1);
    let broker = open(&env, &[]);
    create(&broker, "t", 1, &[]);
    append(&broker, "t", 0, batch(&["a"]));
    broker.close().unwrap();
    drop(broker);
    env.replace_file(
        &PathBuf::from(DIR).join("recovery-point-offset-checkpoint"),
        b"\xff garbage",
    )
    .unwrap();
    let (broker, report) = try_open(&env, &[]).unwrap();
    assert_eq!(report.damaged_checkpoints.len(), 1);
    assert_eq!(values(&broker, "t", 0), ["a"]);
}

#[test]
fn housekeeping_applies_retention_by_time_and_size() {
    let env = SimEnv::new(1);
    env.set_wall_clock_ms(1_000_000);
    let broker = open(&env, &[]);
    let small = ("internal.segment.bytes", "100");
    create(&broker, "time", 1, &[small, ("retention.ms", "1000")]);
    create(
        &broker,
        "size",
        1,
        &[small, ("retention.bytes", "250"), ("retention.ms", "-1")],
    );
    for number in 0..10 {
        append(
            &broker,
            "time",
            0,
            batch_at(&[(1_000_000 + number * 200, "x")]),
        );
        append(&broker, "size", 0, batch_at(&[(1_000_000, "x")]));
    }
    env.advance(Duration::from_millis(1800));
    broker.housekeeping();
    assert_eq!(
        offset(&broker, "time", 0, EARLIEST),
        4,
        "records of the last second stay"
    );
    assert!(offset(&broker, "size", 0, EARLIEST) > 4);
    let counted = broker.deletions();
    assert_eq!(counted.retention_time.segments, 4);
    assert!(counted.retention_size.segments > 4 && counted.exhaustion.segments == 0);
}

#[test]
fn deleted_files_are_removed_after_their_delay() {
    let env = SimEnv::new(1);
    let broker = open(&env, &[]);
    create(&broker, "t", 1, &[("file.delete.delay.ms", "5000")]);
    append(&broker, "t", 0, batch(&["a"]));
    assert_eq!(delete(&broker, "t"), ErrorCode::None);
    let directories = || {
        let entries = env.read_dir(Path::new(DIR)).unwrap();
        entries
            .into_iter()
            .map(|entry| entry.name)
            .filter(|name| name.starts_with("t-0"))
            .collect::<Vec<_>>()
    };
    broker.housekeeping();
    assert!(matches!(&directories()[..], [name] if name.ends_with("-delete")));
    env.advance(Duration::from_secs(6));
    broker.housekeeping();
    assert_eq!(directories(), Vec::<String>::new());
}

#[test]
fn housekeeping_flushes_due_logs_and_writes_the_recovery_points() {
    let env = SimEnv::new(1);
    let broker = open(&env, &[]);
    create(
        &broker,
        "t",
        1,
        &[("flush.ms", "100"), ("retention.ms", "-1")],
    );
    append(&broker, "t", 0, batch(&["a"]));
    env.advance(Duration::from_millis(200));
    broker.housekeeping();
    let text = env
        .read_file(&PathBuf::from(DIR).join("recovery-point-offset-checkpoint"))
        .unwrap()
        .unwrap();
    let text = String::from_utf8(text.to_vec()).unwrap();
    assert!(text.lines().any(|line| line == "t 0 1"), "{text}");
    let rebooted = env.after_power_cut(9);
    assert_eq!(values(&open(&rebooted, &[]), "t", 0), ["a"]);
}

#[tokio::test]
async fn the_housekeeping_task_ends_with_the_broker() {
    let env = SimEnv::new(1);
    let broker = open(&env, &[("log.flush.scheduler.interval.ms", "1")]);
    create(&broker, "t", 1, &[("flush.ms", "1")]);
    broker.spawn_housekeeping(&tokio::runtime::Handle::current());
    append(&broker, "t", 0, batch(&["a"]));
    let syncs = env.calls(Operation::Sync);
    for _ in 0..2000 {
        env.advance(Duration::from_millis(5));
        tokio::time::sleep(Duration::from_millis(1)).await;
        if env.calls(Operation::Sync) > syncs {
            break;
        }
    }
    assert!(env.calls(Operation::Sync) > syncs, "the task flushed");
    drop(broker);
    // The task holds no reference between two rounds, so the lock is released.
    for _ in 0..2000 {
        if try_open(&env, &[]).is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("the task keeps the broker alive");
}
