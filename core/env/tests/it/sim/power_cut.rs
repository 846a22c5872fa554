//! The disk after a power cut or the death of the process.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use bytes::Bytes;
use headwater_env::{Env, File, OpenMode, SimEnv};

use super::{SEEDS, create, dir, durable, machine, outcomes, read};

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
fn an_unsynced_truncation_may_be_undone() {
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
fn an_unsynced_rename_is_atomic() {
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
fn the_interrupted_call_may_have_happened() {
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
fn after_a_power_cut_every_call_fails_and_changes_nothing() {
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
fn a_killed_process_loses_only_a_part_of_the_interrupted_call() {
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
fn unsynced_writes_of_a_killed_process_may_be_lost_later() {
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
fn a_durable_directory_survives_with_its_parents() {
    let (env, path) = (SimEnv::new(5), Path::new("x/y/z"));
    env.create_dir_all(Path::new("x/y")).unwrap();
    env.sync_dir(Path::new("")).unwrap();
    env.create_dir_durably(path).unwrap();
    let lost = |env: &SimEnv| {
        (0..SEEDS).any(|seed| env.after_power_cut(seed).metadata(path).unwrap().is_none())
    };
    assert!(lost(&env), "x/y was never synced");
    env.create_dir_durably(Path::new("x/y")).unwrap();
    assert!(!lost(&env));
}
