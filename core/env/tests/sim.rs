//! What the simulated disk and clock do to those who trust them too much, and never do to those who sync.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use bytes::Bytes;
use headwater_env::{Env, Fault, File, OpenMode, Operation, SimEnv, SimFile, Times};
use proptest::prelude::*;

const SEEDS: u64 = 400;

fn dir() -> &'static Path {
    Path::new("data")
}

fn machine() -> SimEnv {
    let env = SimEnv::new(3);
    env.create_dir_all(dir()).unwrap();
    env.sync_dir(Path::new("")).unwrap();
    env
}

fn create(env: &SimEnv, name: &str) -> SimFile {
    env.open_file(&dir().join(name), OpenMode::CreateNew)
        .unwrap()
}

fn read(env: &SimEnv, name: &str) -> Option<Bytes> {
    env.read_file(&dir().join(name)).unwrap()
}

/// A file with durable bytes and a durable name.
fn durable(env: &SimEnv, name: &str, bytes: &[u8]) -> SimFile {
    let file = create(env, name);
    file.write_all_at(bytes, 0).unwrap();
    file.sync_data().unwrap();
    env.sync_dir(dir()).unwrap();
    file
}

/// What a file is found to hold after many power cuts.
fn outcomes(env: &SimEnv, name: &str) -> BTreeSet<Option<Bytes>> {
    (0..SEEDS)
        .map(|seed| read(&env.after_power_cut(seed), name))
        .collect()
}

fn fail(env: &SimEnv, operation: Operation, nth: u64, times: Times) {
    env.inject(Fault {
        operation,
        nth,
        times,
        error: ErrorKind::Other,
    });
}

#[test]
fn synced_bytes_with_a_synced_name_survive_every_power_cut() {
    let env = machine();
    durable(&env, "a", b"words");
    assert_eq!(
        outcomes(&env, "a"),
        BTreeSet::from([Some(Bytes::from("words"))])
    );
}

#[test]
fn unsynced_bytes_are_lost_kept_or_torn_and_synced_ones_stay() {
    let env = machine();
    let file = durable(&env, "a", b"kept");
    file.write_all_at(b"new", 4).unwrap();
    let found = outcomes(&env, "a");
    assert!(
        found
            .iter()
            .flatten()
            .all(|bytes| bytes.starts_with(b"kept") && bytes.len() <= 7)
    );
    for expected in [
        "kept",
        "keptn",
        "keptne",
        "keptnew",
        "keptn\0\0",
        "kept\0\0\0",
    ] {
        assert!(
            found.contains(&Some(Bytes::from(expected))),
            "never saw {expected:?}"
        );
    }
    let known = |bytes: &&Bytes| bytes[4..].iter().all(|byte| b"new\0".contains(byte));
    assert!(
        found.iter().flatten().any(|bytes| !known(&bytes)),
        "never saw garbage"
    );
}

#[test]
fn of_two_unsynced_writes_the_later_may_survive_alone() {
    let env = machine();
    let file = durable(&env, "a", b"");
    file.write_all_at(b"ab", 0).unwrap();
    file.write_all_at(b"cd", 2).unwrap();
    assert!(outcomes(&env, "a").contains(&Some(Bytes::from("\0\0cd"))));
}

#[test]
fn an_unsynced_cut_may_be_undone() {
    let env = machine();
    let file = durable(&env, "a", b"words");
    file.set_len(1).unwrap();
    let both = BTreeSet::from([Some(Bytes::from("words")), Some(Bytes::from("w"))]);
    assert_eq!(outcomes(&env, "a"), both);
    file.sync_data().unwrap();
    assert_eq!(
        outcomes(&env, "a"),
        BTreeSet::from([Some(Bytes::from("w"))])
    );
}

#[test]
fn a_new_name_needs_its_directory_synced_and_syncing_the_file_is_not_enough() {
    let env = machine();
    let file = create(&env, "a");
    file.write_all_at(b"words", 0).unwrap();
    file.sync_data().unwrap();
    assert_eq!(
        outcomes(&env, "a"),
        BTreeSet::from([None, Some(Bytes::from("words"))])
    );
}

#[test]
fn an_unsynced_rename_gives_the_old_names_or_the_new_and_nothing_between() {
    let env = machine();
    durable(&env, "new", b"new");
    durable(&env, "a", b"old");
    env.rename(&dir().join("new"), &dir().join("a")).unwrap();
    let found: BTreeSet<_> = (0..SEEDS)
        .map(|seed| env.after_power_cut(seed).image())
        .collect();
    let image = |pairs: &[(&str, &'static str)]| -> BTreeMap<String, Bytes> {
        pairs
            .iter()
            .map(|(name, bytes)| (format!("data/{name}"), Bytes::from(*bytes)))
            .collect()
    };
    let before = image(&[("a", "old"), ("new", "new")]);
    assert_eq!(found, BTreeSet::from([before, image(&[("a", "new")])]));
}

#[test]
fn an_unsynced_removal_may_be_undone() {
    let env = machine();
    durable(&env, "a", b"words");
    durable(&env, "b", b"");
    env.remove_file(&dir().join("a")).unwrap();
    assert_eq!(outcomes(&env, "a").len(), 2);
    env.sync_dir(dir()).unwrap();
    assert_eq!(outcomes(&env, "a"), BTreeSet::from([None]));
}

#[test]
fn a_replaced_file_is_old_or_new_at_every_boundary() {
    let script = |env: &SimEnv| env.replace_file(&dir().join("a"), b"the new bytes");
    let complete = machine();
    durable(&complete, "a", b"old");
    let first = complete.history().len() as u64;
    script(&complete).unwrap();
    let end = complete.history().len() as u64;
    assert_eq!(
        end - first,
        6,
        "made, cut, written, synced, renamed, made durable"
    );
    let mut seen = BTreeSet::new();
    for boundary in first..end {
        let env = machine();
        durable(&env, "a", b"old");
        env.crash_at(boundary);
        script(&env).unwrap_err();
        seen.extend(outcomes(&env, "a"));
    }
    let expected = ["old", "the new bytes"].map(|bytes| Some(Bytes::from(bytes)));
    assert_eq!(seen, BTreeSet::from(expected));
}

#[test]
fn the_call_in_which_the_power_goes_may_have_happened() {
    let write = machine();
    let file = durable(&write, "a", b"");
    write.crash_at(write.history().len() as u64);
    assert!(file.write_all_at(b"words", 0).is_err());
    assert!(outcomes(&write, "a").contains(&Some(Bytes::from("words"))));

    let removal = machine();
    durable(&removal, "a", b"");
    removal.crash_at(removal.history().len() as u64);
    assert!(removal.remove_file(&dir().join("a")).is_err());
    assert_eq!(outcomes(&removal, "a").len(), 2);
}

#[test]
fn after_the_power_went_every_call_fails_and_changes_nothing() {
    let env = machine();
    let file = durable(&env, "a", b"old");
    env.crash_at(env.history().len() as u64);
    assert!(file.sync_data().is_err());
    assert!(env.has_crashed());
    assert!(file.write_all_at(b"new", 0).is_err());
    assert!(file.read_bytes(0, 3).is_err());
    assert!(env.rename(&dir().join("a"), &dir().join("b")).is_err());
    assert_eq!(
        outcomes(&env, "a"),
        BTreeSet::from([Some(Bytes::from("old"))])
    );
}

#[test]
fn a_killed_process_loses_nothing_but_part_of_the_call_under_way() {
    let env = machine();
    let file = create(&env, "a");
    file.write_all_at(b"kept", 0).unwrap();
    env.crash_at(env.history().len() as u64);
    assert!(file.write_all_at(b"new", 4).is_err());
    let found: BTreeSet<_> = (0..SEEDS)
        .map(|seed| read(&env.after_kill(seed), "a").unwrap())
        .collect();
    assert_eq!(
        found,
        BTreeSet::from(["kept", "keptn", "keptne", "keptnew"].map(Bytes::from))
    );
}

#[test]
fn what_a_killed_process_had_not_synced_its_successor_may_lose() {
    let env = machine();
    let file = create(&env, "a");
    file.write_all_at(b"words", 0).unwrap();
    let after = env.after_kill(0);
    assert_eq!(read(&after, "a").unwrap(), "words");
    assert!(outcomes(&after, "a").contains(&None));
    after
        .open_file(&dir().join("a"), OpenMode::Write)
        .unwrap()
        .sync_data()
        .unwrap();
    after.sync_dir(dir()).unwrap();
    assert_eq!(
        outcomes(&after, "a"),
        BTreeSet::from([Some(Bytes::from("words"))])
    );
}

#[test]
fn a_directory_made_durably_survives_with_those_above_it() {
    let (env, path) = (SimEnv::new(5), Path::new("x/y/z"));
    env.create_dir_all(Path::new("x/y")).unwrap();
    env.sync_dir(Path::new("")).unwrap();
    env.create_dir_durably(path).unwrap();
    let lost = |env: &SimEnv| {
        (0..SEEDS).any(|seed| env.after_power_cut(seed).metadata(path).unwrap().is_none())
    };
    assert!(lost(&env), "x/y was made by one who did not sync it");
    env.create_dir_durably(Path::new("x/y")).unwrap();
    assert!(!lost(&env));
}

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
            "reads still show them"
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
fn a_full_disk_takes_what_fits_and_more_when_space_is_freed() {
    let env = machine();
    let file = durable(&env, "a", b"12345");
    let other = durable(&env, "b", b"123");
    env.set_capacity(Some(10));
    assert_eq!((env.used_bytes(), env.free_bytes(dir()).unwrap()), (8, 2));
    let error = file.write_all_at(b"67890", 5).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    assert_eq!(file.read_bytes(0, 20).unwrap(), "1234567");
    file.write_all_at(b"abc", 0).unwrap();
    file.set_len(4).unwrap();
    assert_eq!(env.free_bytes(dir()).unwrap(), 3);
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
fn a_file_under_a_map_is_not_cut() {
    let env = machine();
    let file = durable(&env, "a", b"12345678");
    let map = file.map(6).unwrap().unwrap();
    let part = map.slice(1..3);
    drop(map);
    assert!(file.set_len(5).is_err());
    file.set_len(6).unwrap();
    drop(part);
    file.set_len(0).unwrap();
}

#[test]
fn the_clock_stands_jumps_and_advances_and_monotonic_time_never_goes_back() {
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

/// A script of calls drawn from `steps`; gives all that a program could see.
fn run(seed: u64, steps: &[(u8, u8, u16)], crash_at: u64) -> Vec<BTreeMap<String, Bytes>> {
    let env = SimEnv::new(seed);
    env.crash_at(crash_at);
    env.inject(Fault {
        operation: Operation::Write,
        nth: 5,
        times: Times::Once,
        error: ErrorKind::StorageFull,
    });
    env.inject(Fault {
        operation: Operation::Sync,
        nth: 2,
        times: Times::Once,
        error: ErrorKind::Other,
    });
    for &(kind, name, position) in steps {
        let path = dir().join(format!("{}", name % 4));
        let mut chance = [0; 20];
        env.fill_random(&mut chance);
        // Whether a step works is not the point here.
        let _ = match kind % 7 {
            0 => env.create_dir_all(dir()),
            1 => env.rename(&path, &dir().join("x")),
            2 => env.remove_file(&path),
            3 => env.sync_dir(dir()),
            4 => env
                .open_file(&path, OpenMode::Write)
                .and_then(|file| file.sync_data()),
            5 => env
                .open_file(&path, OpenMode::Write)
                .and_then(|file| file.set_len(position.into())),
            _ => env
                .open_file(&path, OpenMode::Create)
                .and_then(|file| file.write_all_at(&chance, position.into())),
        };
    }
    let worlds = (0..5).flat_map(|seed| [env.after_power_cut(seed), env.after_kill(seed)]);
    worlds
        .chain([env.clone()])
        .map(|world| world.image())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    #[test]
    fn the_same_seed_gives_the_same_bytes(
        seed: u64,
        steps in prop::collection::vec(any::<(u8, u8, u16)>(), 0..60),
        crash_at in 0..80_u64,
    ) {
        prop_assert_eq!(run(seed, &steps, crash_at), run(seed, &steps, crash_at));
    }
}

#[test]
fn another_seed_gives_other_bytes() {
    let steps = [(0, 0, 0), (6, 1, 9), (6, 2, 0), (3, 0, 0), (6, 1, 40)];
    assert_ne!(run(1, &steps, 100), run(2, &steps, 100));
}
