//! Another program moves or replaces the files of an open log.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::support::*;
use headwater_env::RealEnv;
use headwater_log::{AppendError, ChangeError, LogConfig, OpenState, PartitionLog};
use rstest::rstest;

const LOG: &str = "00000000000000000000.log";

fn move_directory(dir: &Path) {
    fs::rename(dir, dir.with_extension("moved")).unwrap();
}

fn move_file(dir: &Path) {
    fs::rename(dir.join(LOG), dir.join("moved")).unwrap();
}

fn put_empty_file(dir: &Path) {
    move_file(dir);
    fs::write(dir.join(LOG), b"").unwrap();
}

fn put_copy(dir: &Path) {
    move_file(dir);
    fs::copy(dir.join("moved"), dir.join(LOG)).unwrap();
}

/// A log with one batch, after `damage` and after the interval between two checks by appends.
fn damaged(root: &Path, damage: fn(&Path)) -> PartitionLog<RealEnv> {
    let dir = root.join("t-0");
    let (log, _) =
        PartitionLog::open(RealEnv, &dir, LogConfig::default(), OpenState::UNKNOWN).unwrap();
    append(&log, batch(&[1]));
    damage(&dir);
    thread::sleep(Duration::from_millis(12));
    log
}

#[rstest]
#[case(move_directory)]
#[case(move_file)]
#[case(put_empty_file)]
#[case(put_copy)]
fn nothing_is_acknowledged_that_goes_to_a_file_that_was_moved(#[case] damage: fn(&Path)) {
    let root = tempfile::tempdir().unwrap();
    let log = damaged(root.path(), damage);
    for _ in 0..2 {
        let refused = try_append(&log, batch(&[2]));
        assert!(
            matches!(refused, Err(AppendError::Poisoned(_))),
            "{refused:?}"
        );
    }
    assert!(log.close().is_err());
}

#[rstest]
#[case(move_directory)]
#[case(move_file)]
#[case(put_empty_file)]
#[case(put_copy)]
fn a_log_whose_file_was_moved_is_neither_rolled_nor_closed(#[case] damage: fn(&Path)) {
    for roll in [true, false] {
        let root = tempfile::tempdir().unwrap();
        let log = damaged(root.path(), damage);
        let refused = if roll {
            log.roll()
        } else {
            log.close().map(|_| ())
        };
        assert!(
            matches!(refused, Err(ChangeError::Poisoned(_))),
            "{refused:?}"
        );
    }
}

/// Housekeeping checks the file of a log without appends.
#[test]
fn a_file_that_was_removed_is_noticed_without_an_append() {
    let root = tempfile::tempdir().unwrap();
    let log = damaged(root.path(), |dir| {
        fs::rename(dir.join(LOG), dir.join("kept")).unwrap();
    });
    let dir = root.path().join("t-0");
    assert!(log.check_active_file().is_err());
    assert!(log.poisoned().is_some());
    fs::rename(dir.join("kept"), dir.join(LOG)).unwrap();
    let refused = try_append(&log, batch(&[2]));
    assert!(
        matches!(refused, Err(AppendError::Poisoned(_))),
        "{refused:?}"
    );
}

#[test]
fn a_log_with_its_files_in_place_is_unchanged() {
    let root = tempfile::tempdir().unwrap();
    let log = damaged(root.path(), |_| {});
    log.check_active_file().unwrap();
    log.roll().unwrap();
    log.check_active_file().unwrap();
    append(&log, batch(&[2]));
    log.close().unwrap();
    fs::remove_dir_all(root.path().join("t-0")).unwrap();
    log.check_active_file().unwrap();
}
