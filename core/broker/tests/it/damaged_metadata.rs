//! Damage of the metadata log is detected after a kill too, and does not change anything.

use std::path::{Path, PathBuf};

use crate::support::*;
use headwater_broker::OpenError;
use headwater_env::{Env, File, OpenMode, SimEnv};
use headwater_protocol::{InitProducerIdRequest, MetadataRequest};
use headwater_record::batches;

fn log_file() -> PathBuf {
    Path::new(DIR).join("__cluster_metadata-0/00000000000000000000.log")
}

/// A broker with two topics that allocated a producer id and was killed.
fn killed() -> SimEnv {
    let env = SimEnv::new(1);
    let broker = open(&env, &[]);
    create(&broker, "a", 1, &[]);
    append(&broker, "a", 0, batch(&["kept"]));
    create(&broker, "b", 2, &[]);
    assert_eq!(producer_id(&broker), 0);
    drop(broker);
    env.after_kill(0)
}

fn producer_id(broker: &headwater_broker::Broker<SimEnv>) -> i64 {
    let request = InitProducerIdRequest {
        transactional_id: None,
        ..Default::default()
    };
    let answer = ask(broker, request);
    assert_eq!(answer.error_code, 0);
    answer.producer_id
}

fn write(env: &SimEnv, path: &Path, bytes: &[u8]) {
    let file = env.open_file(path, OpenMode::Write).unwrap();
    file.set_len(0).unwrap();
    file.write_all_at(bytes, 0).unwrap();
}

/// Expects that the directory does not open, that the error contains the file, and that the logs are unchanged.
fn assert_refused(env: &SimEnv, named: &str, moment: &str) {
    let logs = |env: &SimEnv| {
        let mut image = env.image();
        image.retain(|path, _| path.contains("-0/") || path.contains("-1/"));
        image
    };
    let before = logs(env);
    let refused = try_open(env, &[]).err();
    let Some(error @ OpenError::Damaged { .. }) = &refused else {
        panic!("{moment}: {refused:?}");
    };
    assert!(error.to_string().contains(named), "{moment}: {error}");
    assert_eq!(logs(env), before, "{moment}");
}

#[test]
fn a_flipped_bit_anywhere_in_the_metadata_of_a_killed_broker_is_found() {
    let env = killed();
    let good = env.read_file(&log_file()).unwrap().unwrap();
    // The leader epoch is outside the CRC, and metadata does not use it.
    let mut epochs = Vec::new();
    let mut walk = batches(&good);
    while walk.position() < good.len() {
        epochs.push(walk.position() + 12..walk.position() + 16);
        walk.next().unwrap().unwrap();
    }
    for position in 0..good.len() {
        let env = env.after_kill(0);
        let mut damaged = good.to_vec();
        damaged[position] ^= 1 << (position % 8);
        write(&env, &log_file(), &damaged);
        if epochs.iter().any(|epoch| epoch.contains(&position)) {
            let broker = open(&env, &[]);
            assert_eq!(values(&broker, "a", 0), ["kept"]);
        } else {
            assert_refused(
                &env,
                "00000000000000000000.log",
                &format!("byte {position}"),
            );
        }
    }
}

#[test]
fn damage_before_complete_changes_is_not_a_torn_end_without_a_checkpoint() {
    let env = killed();
    env.remove_file(&Path::new(DIR).join("recovery-point-offset-checkpoint"))
        .unwrap();
    let good = env.read_file(&log_file()).unwrap().unwrap();
    let mut starts = Vec::new();
    let mut walk = batches(&good);
    while walk.position() < good.len() {
        starts.push(walk.position());
        walk.next().unwrap().unwrap();
    }
    // In the length, the magic byte, the CRC and the records of each change except the last.
    for start in &starts[..starts.len() - 1] {
        for place in [10, 16, 18, 70] {
            let env = env.after_kill(0);
            let mut damaged = good.to_vec();
            damaged[start + place] ^= 4;
            write(&env, &log_file(), &damaged);
            assert_refused(
                &env,
                &format!("at byte {start}"),
                &format!("{start} + {place}"),
            );
        }
    }
}

#[test]
fn a_torn_change_is_cut_and_acknowledged_changes_are_kept() {
    let env = killed();
    let good = env.read_file(&log_file()).unwrap().unwrap();
    let torn = batch(&["a change that was being written"]);
    for len in [12, 60, torn.len() - 1] {
        let env = env.after_kill(0);
        write(&env, &log_file(), &[&good[..], &torn[..len]].concat());
        let (broker, report) = try_open(&env, &[]).unwrap();
        assert_eq!(&*report.recovered[0].topic, "__cluster_metadata");
        assert_eq!(report.recovered[0].truncated_bytes, len as u64);
        assert_eq!(
            env.read_file(&log_file()).unwrap().unwrap()[..good.len()],
            good
        );
        assert_eq!(values(&broker, "a", 0), ["kept"]);
        assert_eq!(producer_id(&broker), 1000, "an id was reused");
    }
}

#[test]
fn a_metadata_log_that_is_missing_or_empty_beside_partitions_is_refused() {
    let checkpoint = Path::new(DIR).join("recovery-point-offset-checkpoint");
    for has_checkpoint in [true, false] {
        for what in ["directory", "file", "empty", "zeros"] {
            let env = killed();
            let len = env.read_file(&log_file()).unwrap().unwrap().len();
            if !has_checkpoint {
                env.remove_file(&checkpoint).unwrap();
            }
            match what {
                "directory" => env.remove_dir_all(log_file().parent().unwrap()).unwrap(),
                "file" => env.remove_file(&log_file()).unwrap(),
                "empty" => write(&env, &log_file(), b""),
                _ => write(&env, &log_file(), &vec![0; len]),
            }
            let moment = format!("{what}, checkpoint {has_checkpoint}");
            assert_refused(&env, "__cluster_metadata-0", &moment);
        }
    }
}

#[test]
fn a_stray_segment_in_the_metadata_log_changes_nothing() {
    let env = killed();
    let far = log_file().with_file_name("04611686018427387904.log");
    env.open_file(&far, OpenMode::CreateNew).unwrap();
    let broker = open(&env, &[]);
    create(&broker, "c", 1, &[]);
    drop(broker);
    let broker = open(&env.after_kill(0), &[]);
    let all = MetadataRequest {
        topics: None,
        ..Default::default()
    };
    assert_eq!(ask(&broker, all).topics.len(), 3);
}
