//! The contract of names, locks, clocks and randomness.

use std::io::ErrorKind;

use headwater_env::{DirEntry, EntryKind, Env, File, Lock as _, LockError, OpenMode};

use super::World;

pub(super) fn the_open_mode_decides_about_missing_and_existing_files<E: Env>(world: &World<E>) {
    let open = |name: &str, mode| world.env.open_file(&world.path(name), mode);
    assert_eq!(
        open("a", OpenMode::Read).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert_eq!(
        open("a", OpenMode::Write).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    open("a", OpenMode::Create)
        .unwrap()
        .write_all_at(b"kept", 0)
        .unwrap();
    assert_eq!(
        open("a", OpenMode::CreateNew).unwrap_err().kind(),
        ErrorKind::AlreadyExists
    );
    for mode in [OpenMode::Read, OpenMode::Write, OpenMode::Create] {
        assert_eq!(open("a", mode).unwrap().read_bytes(0, 9).unwrap(), "kept");
    }
    assert!(open("b", OpenMode::CreateNew).is_ok());
}

pub(super) fn a_name_in_a_missing_directory_is_not_found<E: Env>(world: &World<E>) {
    let inside = world.path("no/file");
    let not_found = |kind: ErrorKind| assert_eq!(kind, ErrorKind::NotFound);
    not_found(
        world
            .env
            .open_file(&inside, OpenMode::Create)
            .unwrap_err()
            .kind(),
    );
    not_found(world.env.read_dir(&world.path("no")).unwrap_err().kind());
    not_found(world.env.remove_file(&inside).unwrap_err().kind());
    not_found(
        world
            .env
            .remove_dir_all(&world.path("no"))
            .unwrap_err()
            .kind(),
    );
    not_found(world.env.sync_dir(&world.path("no")).unwrap_err().kind());
    not_found(
        world
            .env
            .rename(&inside, &world.path("a"))
            .unwrap_err()
            .kind(),
    );
    world.file("b", b"");
    not_found(
        world
            .env
            .rename(&world.path("b"), &inside)
            .unwrap_err()
            .kind(),
    );
    assert_eq!(world.env.metadata(&inside).unwrap(), None);
}

pub(super) fn directories_are_created_with_their_parents_and_listed_in_order<E: Env>(
    world: &World<E>,
) {
    world.env.create_dir_all(&world.path("x/y/z")).unwrap();
    world.env.create_dir_all(&world.path("x/y")).unwrap();
    world.file("x/b", b"");
    world.file("x/a", b"");
    let entry = |name: &str, kind| DirEntry {
        name: name.to_owned(),
        kind,
    };
    let expected = [
        entry("a", EntryKind::File),
        entry("b", EntryKind::File),
        entry("y", EntryKind::Dir),
    ];
    assert_eq!(world.env.read_dir(&world.path("x")).unwrap(), expected);
    world.env.sync_dir(&world.path("x")).unwrap();
    assert!(world.env.create_dir_all(&world.path("x/a")).is_err());
    assert!(world.env.create_dir_all(&world.path("x/a/b")).is_err());
}

pub(super) fn a_directory_is_created_durably_whether_or_not_it_exists<E: Env>(world: &World<E>) {
    for _ in 0..2 {
        world.env.create_dir_durably(&world.path("x/y")).unwrap();
        assert_eq!(world.names(&world.path("x")), ["y"]);
    }
}

pub(super) fn a_renamed_file_keeps_its_bytes_and_replaces_its_target<E: Env>(world: &World<E>) {
    let held = world.file("from", b"new");
    world.file("to", b"old");
    world
        .env
        .rename(&world.path("from"), &world.path("to"))
        .unwrap();
    assert_eq!(world.names(&world.root), ["to"]);
    held.write_all_at(b"er", 3).unwrap();
    assert_eq!(world.contents("to").unwrap(), b"newer");
    world
        .env
        .rename(&world.path("to"), &world.path("to"))
        .unwrap();
    assert_eq!(world.contents("to").unwrap(), b"newer");
}

pub(super) fn a_renamed_directory_keeps_its_files<E: Env>(world: &World<E>) {
    world.env.create_dir_all(&world.path("topic-0")).unwrap();
    world.file("topic-0/log", b"bytes");
    world
        .env
        .rename(&world.path("topic-0"), &world.path("topic-0.deleted"))
        .unwrap();
    assert_eq!(world.contents("topic-0.deleted/log").unwrap(), b"bytes");
    assert_eq!(world.names(&world.root), ["topic-0.deleted"]);
}

pub(super) fn a_directory_is_not_renamed_into_itself_or_over_a_full_one<E: Env>(world: &World<E>) {
    world.env.create_dir_all(&world.path("a/b")).unwrap();
    world.env.create_dir_all(&world.path("full/inner")).unwrap();
    world.env.create_dir_all(&world.path("empty")).unwrap();
    assert!(
        world
            .env
            .rename(&world.path("a"), &world.path("a/b/c"))
            .is_err()
    );
    assert!(
        world
            .env
            .rename(&world.path("a"), &world.path("full"))
            .is_err()
    );
    world
        .env
        .rename(&world.path("a"), &world.path("empty"))
        .unwrap();
    assert_eq!(world.names(&world.root), ["empty", "full"]);
    assert_eq!(world.names(&world.path("empty")), ["b"]);
}

pub(super) fn a_removed_file_is_gone_but_readable_by_its_holder<E: Env>(world: &World<E>) {
    let held = world.file("a", b"bytes");
    world.env.remove_file(&world.path("a")).unwrap();
    assert_eq!(world.contents("a"), None);
    assert_eq!(held.read_bytes(0, 9).unwrap(), "bytes");
    world.file("a", b"another");
    assert_eq!(held.read_bytes(0, 9).unwrap(), "bytes");
}

pub(super) fn a_directory_is_removed_with_its_contents<E: Env>(world: &World<E>) {
    world.env.create_dir_all(&world.path("x/y")).unwrap();
    world.file("x/y/a", b"");
    world.file("x/b", b"");
    world.file("kept", b"");
    world.env.remove_dir_all(&world.path("x")).unwrap();
    assert_eq!(world.names(&world.root), ["kept"]);
    world.env.create_dir_all(&world.path("x")).unwrap();
    assert!(world.names(&world.path("x")).is_empty());
}

pub(super) fn files_and_directories_are_not_confused<E: Env>(world: &World<E>) {
    world.env.create_dir_all(&world.path("dir")).unwrap();
    world.file("file", b"");
    assert!(
        world
            .env
            .open_file(&world.path("dir"), OpenMode::Create)
            .is_err()
    );
    assert!(
        world
            .env
            .open_file(&world.path("file/a"), OpenMode::Create)
            .is_err()
    );
    assert!(world.env.read_dir(&world.path("file")).is_err());
    assert!(world.env.remove_file(&world.path("dir")).is_err());
    assert!(world.env.remove_dir_all(&world.path("file")).is_err());
    assert!(
        world
            .env
            .rename(&world.path("file"), &world.path("dir"))
            .is_err()
    );
    assert!(
        world
            .env
            .rename(&world.path("dir"), &world.path("file"))
            .is_err()
    );
    assert_eq!(world.names(&world.root), ["dir", "file"]);
}

pub(super) fn a_name_has_at_most_255_bytes<E: Env>(world: &World<E>) {
    let (fits, too_long) = ("n".repeat(255), "n".repeat(256));
    world.file(&fits, b"1");
    let refused = |error: std::io::Error| assert_eq!(error.kind(), ErrorKind::InvalidFilename);
    let (from, to) = (world.path(&fits), world.path(&too_long));
    refused(world.env.rename(&from, &to).unwrap_err());
    refused(world.env.create_dir_all(&to).unwrap_err());
    refused(world.env.open_file(&to, OpenMode::Create).unwrap_err());
    assert_eq!(world.names(&world.root), [fits]);
}

pub(super) fn metadata_has_length_kind_and_absence<E: Env>(world: &World<E>) {
    let before = world.env.wall_clock_ms();
    world.file("a", b"12345");
    let found = world.env.metadata(&world.path("a")).unwrap().unwrap();
    assert_eq!((found.len, found.kind), (5, EntryKind::File));
    // The clock of a file system lags by some milliseconds.
    assert!(
        (found.modified_ms - before).abs() < 10_000,
        "{found:?} at {before}"
    );
    assert_eq!(
        world.env.metadata(&world.root).unwrap().unwrap().kind,
        EntryKind::Dir
    );
    assert_eq!(world.env.metadata(&world.path("b")).unwrap(), None);
    let space = world.env.disk_space(&world.root).unwrap();
    assert!(0 < space.free_bytes && space.free_bytes <= space.total_bytes);
}

pub(super) fn a_replaced_file_has_the_new_bytes_only<E: Env>(world: &World<E>) {
    let path = world.path("checkpoint");
    world.file("checkpoint.tmp", b"left behind by a crash, and longer");
    for bytes in [&b"first and long"[..], b"second", b""] {
        world.env.replace_file(&path, bytes).unwrap();
        assert_eq!(world.contents("checkpoint").unwrap(), bytes);
        assert_eq!(world.names(&world.root), ["checkpoint"]);
    }
}

pub(super) fn a_missing_small_file_reads_as_none<E: Env>(world: &World<E>) {
    assert_eq!(world.contents("a"), None);
    world.file("a", b"");
    assert_eq!(world.contents("a").unwrap(), b"");
}

pub(super) fn a_lock_is_taken_once_and_again_after_it_was_dropped<E: Env>(world: &World<E>) {
    let path = world.path(".lock");
    for _ in 0..2 {
        let held = world.env.lock(&path).unwrap();
        let again = world.env.clone().lock(&path).unwrap_err();
        assert!(matches!(again, LockError::Held { pid: Some(_) }), "{again}");
        let written = String::from_utf8(world.contents(".lock").unwrap()).unwrap();
        assert!(written.trim().parse::<u32>().is_ok(), "{written}");
        assert!(held.is_in_force());
        world.env.create_dir_all(&world.path("other")).unwrap();
        world.env.lock(&world.path("other/.lock")).unwrap();
        drop(held);
    }
    assert!(matches!(
        world.env.lock(&world.path("no/lock")),
        Err(LockError::Io(_))
    ));
}

pub(super) fn clocks_and_randomness_work<E: Env>(world: &World<E>) {
    assert!(world.env.wall_clock_ms() > 1_700_000_000_000);
    let before = world.env.monotonic();
    assert!(world.env.clone().monotonic() >= before);
    let (mut one, mut other) = ([0; 32], [0; 32]);
    world.env.fill_random(&mut one);
    world.env.fill_random(&mut other);
    assert_ne!(one, other);
}
