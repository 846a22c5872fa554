//! The file of leader epochs agrees with the batches, or is rebuilt from them.

use std::path::{Path, PathBuf};

use crate::support::*;
use headwater_env::{Env, MemoryEnv};
use headwater_log::{LogConfig, OpenState, PartitionLog};
use headwater_record::Offset;
use rstest::rstest;

fn file() -> PathBuf {
    Path::new(DIR).join("leader-epoch-checkpoint")
}

fn text(env: &MemoryEnv) -> String {
    let bytes = env.read_file(&file()).unwrap().expect("it is there");
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Two batches in a segment.
fn tiny() -> LogConfig {
    LogConfig {
        segment_bytes: 400,
        ..small()
    }
}

/// A log of several segments: six batches of epoch 2, then six of epoch 5.
fn two_epochs(env: &MemoryEnv) -> PartitionLog<MemoryEnv> {
    let log = open(env, tiny());
    for leader_epoch in [2, 5] {
        for _ in 0..6 {
            let batches = batch(&[1, 2, 3]);
            log.append_as_leader(batches, epoch(leader_epoch)).unwrap();
        }
    }
    assert!(log.segments().len() > 2);
    log
}

#[rstest]
#[case("0\n2\n2 0\n6 18\n")]
#[case("0\n2\n2 0\n4 18\n")]
#[case("0\n2\n2 0\n5 12\n")]
#[case("0\n2\n2 0\n5 28\n")]
#[case("0\n2\n1 0\n5 18\n")]
#[case("0\n1\n9 0\n")]
#[case("0\n3\n2 0\n5 18\n8 33\n")]
fn wrong_leader_epochs_are_made_again_from_the_batches(#[case] wrong: &str) {
    // A file older than its batches is harmless. Without the partition's epoch, the batches may be the damaged part.
    let is_older = wrong.contains("4 18");
    for (clean_shutdown, leader_epoch) in [
        (true, Some(5)),
        (true, None),
        (false, Some(5)),
        (false, None),
    ] {
        if is_older && leader_epoch.is_none() {
            continue;
        }
        let env = MemoryEnv::new();
        let log = two_epochs(&env);
        let recovery_point = log.close().unwrap();
        drop(log);
        assert_eq!(text(&env), "0\n2\n2 0\n5 18\n");
        env.replace_file(&file(), wrong.as_bytes()).unwrap();
        let start = OpenState {
            clean_shutdown,
            recovery_point,
            leader_epoch: leader_epoch.map(epoch),
            ..OpenState::UNKNOWN
        };
        let (log, report) = open_with(&env, tiny(), start);
        assert_eq!(text(&env), "0\n2\n2 0\n5 18\n", "{start:?}: {report}");
        if clean_shutdown {
            assert_eq!(report.indexes_rebuilt, ["leader-epoch-checkpoint"]);
        }
        log.append_as_leader(batch(&[1]), epoch(5)).unwrap();
    }
}

#[test]
fn an_empty_log_drops_an_epoch_newer_than_the_partitions() {
    let env = MemoryEnv::new();
    drop(open(&env, small()));
    env.replace_file(&file(), b"0\n1\n3 0\n").unwrap();
    let start = OpenState {
        leader_epoch: Some(epoch(0)),
        ..OpenState::UNKNOWN
    };
    let (log, _) = open_with(&env, small(), start);
    append(&log, batch(&[1]));
}

#[test]
fn a_damaged_epoch_of_a_batch_does_not_replace_the_file() {
    let env = MemoryEnv::new();
    let log = open(&env, small());
    append(&log, batch(&[1]));
    let recovery_point = log.close().unwrap();
    drop(log);
    let path = Path::new(DIR).join(format!("{:020}.log", 0));
    let mut bytes = env.read_file(&path).unwrap().unwrap().to_vec();
    // The last byte of the leader epoch, which no CRC covers.
    bytes[15] = 7;
    env.replace_file(&path, &bytes).unwrap();
    let start = OpenState {
        clean_shutdown: true,
        recovery_point,
        leader_epoch: Some(epoch(0)),
        ..OpenState::UNKNOWN
    };
    let (log, _) = open_with(&env, small(), start);
    append(&log, batch(&[1]));
    assert_eq!(log.log_start_offset(), Offset::ZERO);
}
