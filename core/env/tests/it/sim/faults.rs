//! Failing calls, full disks, jumping clocks.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use headwater_env::{Env, File, OpenMode, Operation, SimEnv, Times};

use super::{dir, durable, fail, machine};

#[test]
fn a_call_fails_once_or_from_then_on() {
    for operation in [
        Operation::Write,
        Operation::Sync,
        Operation::SetLen,
        Operation::Read,
    ] {
        for (times, expected) in [
            (Times::Once, [true, true, false, true]),
            (Times::Forever, [true, true, false, false]),
        ] {
            let env = machine();
            let file = durable(&env, "a", b"");
            fail(&env, operation, 2, times);
            let call = || match operation {
                Operation::Write => file.write_all_at(b"x", 0),
                Operation::Sync => file.sync_data(),
                Operation::SetLen => file.set_len(0),
                _ => file.read_bytes(0, 1).map(drop),
            };
            let results = [(); 4].map(|()| call().is_ok());
            assert_eq!(results, expected, "{operation:?} {times:?}");
            env.clear_faults();
            call().unwrap();
        }
    }
}

#[test]
fn calls_on_names_fail_and_leave_the_names() {
    let env = machine();
    durable(&env, "a", b"");
    let (a, b) = (dir().join("a"), dir().join("b"));
    for operation in [
        Operation::Open,
        Operation::Create,
        Operation::Rename,
        Operation::Remove,
        Operation::SyncDir,
    ] {
        fail(&env, operation, 0, Times::Once);
    }
    assert!(env.open_file(&a, OpenMode::Read).is_err());
    assert!(env.open_file(&b, OpenMode::Create).is_err());
    assert!(env.rename(&a, &b).is_err());
    assert!(env.remove_file(&a).is_err());
    assert!(env.sync_dir(dir()).is_err());
    assert_eq!(env.image().into_keys().collect::<Vec<_>>(), ["data/a"]);
    env.rename(&a, &b).unwrap();
}

#[test]
fn a_failed_write_may_leave_any_prefix() {
    let mut lengths = BTreeSet::new();
    for seed in 0..100 {
        let env = SimEnv::new(seed);
        let file = env.open_file(Path::new("a"), OpenMode::Create).unwrap();
        fail(&env, Operation::Write, 0, Times::Once);
        file.write_all_at(b"word", 0).unwrap_err();
        lengths.insert(file.len().unwrap());
    }
    assert_eq!(lengths, (0..=4).collect());
}

#[test]
fn a_sync_after_a_failed_one_succeeds_and_proves_nothing() {
    let lost_by = |seed| {
        let env = SimEnv::new(seed);
        let file = env.open_file(Path::new("a"), OpenMode::Create).unwrap();
        env.sync_dir(Path::new("")).unwrap();
        file.write_all_at(b"words", 0).unwrap();
        fail(&env, Operation::Sync, 0, Times::Once);
        file.sync_data().unwrap_err();
        file.sync_data().unwrap();
        assert_eq!(
            file.read_bytes(0, 9).unwrap(),
            "words",
            "reads must still return the bytes"
        );
        env.after_power_cut(0)
            .read_file(Path::new("a"))
            .unwrap()
            .unwrap()
            != "words"
    };
    assert!((0..20).any(lost_by));
}

#[test]
fn a_full_disk_accepts_the_part_that_fits_and_more_when_space_is_freed() {
    let env = machine();
    let file = durable(&env, "a", b"12345");
    let other = durable(&env, "b", b"123");
    env.set_capacity(Some(10));
    let free = || env.disk_space(dir()).unwrap().free_bytes;
    assert_eq!((env.used_bytes(), free()), (8, 2));
    let error = file.write_all_at(b"67890", 5).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    assert_eq!(file.read_bytes(0, 20).unwrap(), "1234567");
    file.write_all_at(b"abc", 0).unwrap();
    file.set_len(4).unwrap();
    assert_eq!(free(), 3);
    other.write_all_at(b"456", 3).unwrap();
    assert!(other.write_all_at(b"7", 6).is_err());
    env.remove_file(&dir().join("a")).unwrap();
    other.write_all_at(b"7890", 6).unwrap();
    env.set_capacity(None);
    other.write_all_at(b"and more", 10).unwrap();
}

#[test]
fn a_hole_takes_no_space_until_it_is_written() {
    let env = machine();
    let file = durable(&env, "a", b"");
    env.set_capacity(Some(10));
    file.set_len(1000).unwrap();
    assert_eq!(env.used_bytes(), 0);
    file.write_all_at(b"12345", 0).unwrap();
    assert_eq!(env.used_bytes(), 5);
}

#[test]
fn short_reads_are_short_and_never_empty() {
    let env = machine();
    let file = durable(&env, "a", b"12345678");
    env.set_short_reads(true);
    let lengths: BTreeSet<_> = (0..200)
        .map(|_| file.read_at(&mut [0; 8], 0).unwrap())
        .collect();
    assert_eq!(lengths, (1..=8).collect());
    assert_eq!(file.read_bytes(0, 8).unwrap(), "12345678");
}

#[test]
fn a_file_under_a_map_is_not_truncated() {
    let env = machine();
    let file = durable(&env, "a", b"12345678");
    let map = file.map(0..6).unwrap().unwrap();
    let part = map.slice(1..3);
    drop(map);
    assert!(file.set_len(5).is_err());
    file.set_len(6).unwrap();
    drop(part);
    file.set_len(0).unwrap();
}

#[test]
fn the_clock_jumps_and_advances_and_monotonic_time_never_goes_back() {
    let env = machine();
    let (wall, since_boot) = (env.wall_clock_ms(), env.monotonic());
    assert_eq!((env.wall_clock_ms(), env.monotonic()), (wall, since_boot));
    env.jump_wall_clock_ms(-86_400_000);
    assert_eq!(
        (env.wall_clock_ms(), env.monotonic()),
        (wall - 86_400_000, since_boot)
    );
    env.set_wall_clock_ms(5);
    env.advance(Duration::from_millis(7));
    assert_eq!(env.wall_clock_ms(), 12);
    assert_eq!(env.monotonic(), since_boot + Duration::from_millis(7));
    assert_eq!(env.after_power_cut(0).wall_clock_ms(), 12);
}

#[test]
fn locks_do_not_outlive_the_machine() {
    let env = machine();
    let held = env.lock(&dir().join(".lock")).unwrap();
    env.after_kill(0).lock(&dir().join(".lock")).unwrap();
    drop(held);
}
