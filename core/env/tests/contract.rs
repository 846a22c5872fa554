//! What every environment promises, tried on all three.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::io::{ErrorKind, IoSlice};
use std::path::{Path, PathBuf};

use headwater_env::{
    DirEntry, EntryKind, Env, File, LockError, MemoryEnv, OpenMode, RealEnv, SimEnv,
};
use proptest::prelude::*;

/// An environment and an empty directory in it.
struct World<E> {
    env: E,
    root: PathBuf,
    _on_disk: Option<tempfile::TempDir>,
}

impl<E: Env> World<E> {
    fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    fn file(&self, name: &str, bytes: &[u8]) -> E::File {
        let file = self
            .env
            .open_file(&self.path(name), OpenMode::CreateNew)
            .unwrap();
        file.write_all_at(bytes, 0).unwrap();
        file
    }

    fn names(&self, dir: &Path) -> Vec<String> {
        self.env
            .read_dir(dir)
            .unwrap()
            .into_iter()
            .map(|entry| entry.name)
            .collect()
    }

    fn contents(&self, name: &str) -> Option<Vec<u8>> {
        self.env
            .read_file(&self.path(name))
            .unwrap()
            .map(|bytes| bytes.to_vec())
    }
}

fn real() -> World<RealEnv> {
    let dir = tempfile::tempdir().unwrap();
    World {
        env: RealEnv,
        root: dir.path().to_owned(),
        _on_disk: Some(dir),
    }
}

fn in_memory<E: Env>(env: E) -> World<E> {
    let root = PathBuf::from("/data");
    env.create_dir_all(&root).unwrap();
    World {
        env,
        root,
        _on_disk: None,
    }
}

fn simulated() -> World<SimEnv> {
    let env = SimEnv::new(7);
    env.set_short_reads(true);
    in_memory(env)
}

/// Each claim is a function over any environment; this makes it three tests.
macro_rules! claims {
    ($($claim:ident)*) => {
        mod real { $(#[test] fn $claim() { super::$claim(&super::real()); })* }
        mod memory { $(#[test] fn $claim() { super::$claim(&super::in_memory(super::MemoryEnv::new())); })* }
        mod sim { $(#[test] fn $claim() { super::$claim(&super::simulated()); })* }
    };
}

claims! {
    bytes_are_read_where_they_were_written
    a_gap_and_an_extension_read_as_zeros
    a_cut_file_forgets_what_was_cut
    reads_end_with_the_file
    a_vectored_write_is_the_concatenation_of_its_parts
    a_file_opened_for_reading_cannot_be_changed
    the_open_mode_decides_about_missing_and_existing_files
    a_name_in_a_missing_directory_is_not_found
    directories_are_made_with_those_above_and_listed_in_order
    a_directory_is_made_durably_whether_or_not_it_exists
    a_renamed_file_keeps_its_bytes_and_replaces_its_target
    a_renamed_directory_takes_its_files_along
    a_directory_is_not_renamed_into_itself_or_over_a_full_one
    a_removed_file_is_gone_but_readable_by_its_holder
    a_directory_is_removed_with_all_that_is_in_it
    files_and_directories_are_not_taken_for_each_other
    metadata_tells_length_kind_and_absence
    a_replaced_file_has_the_new_bytes_only
    a_missing_small_file_reads_as_none
    a_lock_is_given_once_and_again_after_it_was_dropped
    a_map_shows_the_first_bytes
    clocks_and_chance_are_there
    readers_see_every_write_that_returned
    any_sequence_of_calls_agrees_with_a_vector
}

fn bytes_are_read_where_they_were_written<E: Env>(world: &World<E>) {
    let file = world.file("a", b"0123456789");
    file.write_all_at(b"xy", 4).unwrap();
    file.write_all_at(b"end", 9).unwrap();
    assert_eq!(file.read_bytes(0, 100).unwrap(), "0123xy678end");
    assert_eq!(file.read_bytes(3, 4).unwrap(), "3xy6");
    let mut out = [0; 5];
    file.read_exact_at(&mut out, 7).unwrap();
    assert_eq!(&out, b"78end");
    file.sync_data().unwrap();
}

fn a_gap_and_an_extension_read_as_zeros<E: Env>(world: &World<E>) {
    let file = world.file("a", b"a");
    file.write_all_at(b"b", 4).unwrap();
    file.set_len(7).unwrap();
    assert_eq!(file.read_bytes(0, 100).unwrap(), "a\0\0\0b\0\0");
    file.write_all_at(b"c", 6).unwrap();
    assert_eq!(file.read_bytes(0, 100).unwrap(), "a\0\0\0b\0c");
}

fn a_cut_file_forgets_what_was_cut<E: Env>(world: &World<E>) {
    let file = world.file("a", b"0123456789");
    file.set_len(4).unwrap();
    assert_eq!(file.len().unwrap(), 4);
    file.set_len(6).unwrap();
    assert_eq!(file.read_bytes(0, 100).unwrap(), "0123\0\0");
}

fn reads_end_with_the_file<E: Env>(world: &World<E>) {
    let file = world.file("a", b"0123");
    assert_eq!(file.read_bytes(2, 100).unwrap(), "23");
    assert_eq!(file.read_bytes(4, 100).unwrap(), "");
    assert_eq!(file.read_bytes(400, 100).unwrap(), "");
    assert_eq!(file.read_bytes(0, 0).unwrap(), "");
    assert_eq!(file.read_at(&mut [0; 4], 4).unwrap(), 0);
    assert_eq!(file.read_at(&mut [], 0).unwrap(), 0);
    let error = file.read_exact_at(&mut [0; 4], 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
}

fn a_vectored_write_is_the_concatenation_of_its_parts<E: Env>(world: &World<E>) {
    let file = world.file("few", b"");
    let parts = [IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cde")];
    file.write_vectored_at(&parts, 2).unwrap();
    assert_eq!(file.read_bytes(0, 100).unwrap(), "\0\0abcde");
    file.write_vectored_at(&[], 0).unwrap();
    file.write_vectored_at(&[IoSlice::new(b"")], 50).unwrap();
    assert_eq!(file.len().unwrap(), 7);

    let many: Vec<u8> = (0..3000).map(|n| n as u8).collect();
    let parts: Vec<_> = many.chunks(1).map(IoSlice::new).collect();
    let file = world.file("many", b"");
    file.write_vectored_at(&parts, 0).unwrap();
    assert_eq!(file.read_bytes(0, 5000).unwrap(), many);
}

fn a_file_opened_for_reading_cannot_be_changed<E: Env>(world: &World<E>) {
    world.file("a", b"kept");
    let file = world
        .env
        .open_file(&world.path("a"), OpenMode::Read)
        .unwrap();
    assert!(file.write_all_at(b"x", 0).is_err());
    assert!(file.write_vectored_at(&[IoSlice::new(b"x")], 0).is_err());
    assert!(file.set_len(0).is_err());
    assert_eq!(file.read_bytes(0, 100).unwrap(), "kept");
}

fn the_open_mode_decides_about_missing_and_existing_files<E: Env>(world: &World<E>) {
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

fn a_name_in_a_missing_directory_is_not_found<E: Env>(world: &World<E>) {
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

fn directories_are_made_with_those_above_and_listed_in_order<E: Env>(world: &World<E>) {
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

fn a_directory_is_made_durably_whether_or_not_it_exists<E: Env>(world: &World<E>) {
    for _ in 0..2 {
        world.env.create_dir_durably(&world.path("x/y")).unwrap();
        assert_eq!(world.names(&world.path("x")), ["y"]);
    }
}

fn a_renamed_file_keeps_its_bytes_and_replaces_its_target<E: Env>(world: &World<E>) {
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

fn a_renamed_directory_takes_its_files_along<E: Env>(world: &World<E>) {
    world.env.create_dir_all(&world.path("topic-0")).unwrap();
    world.file("topic-0/log", b"bytes");
    world
        .env
        .rename(&world.path("topic-0"), &world.path("topic-0.deleted"))
        .unwrap();
    assert_eq!(world.contents("topic-0.deleted/log").unwrap(), b"bytes");
    assert_eq!(world.names(&world.root), ["topic-0.deleted"]);
}

fn a_directory_is_not_renamed_into_itself_or_over_a_full_one<E: Env>(world: &World<E>) {
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

fn a_removed_file_is_gone_but_readable_by_its_holder<E: Env>(world: &World<E>) {
    let held = world.file("a", b"bytes");
    world.env.remove_file(&world.path("a")).unwrap();
    assert_eq!(world.contents("a"), None);
    assert_eq!(held.read_bytes(0, 9).unwrap(), "bytes");
    world.file("a", b"another");
    assert_eq!(held.read_bytes(0, 9).unwrap(), "bytes");
}

fn a_directory_is_removed_with_all_that_is_in_it<E: Env>(world: &World<E>) {
    world.env.create_dir_all(&world.path("x/y")).unwrap();
    world.file("x/y/a", b"");
    world.file("x/b", b"");
    world.file("kept", b"");
    world.env.remove_dir_all(&world.path("x")).unwrap();
    assert_eq!(world.names(&world.root), ["kept"]);
    world.env.create_dir_all(&world.path("x")).unwrap();
    assert!(world.names(&world.path("x")).is_empty());
}

fn files_and_directories_are_not_taken_for_each_other<E: Env>(world: &World<E>) {
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

fn metadata_tells_length_kind_and_absence<E: Env>(world: &World<E>) {
    let before = world.env.wall_clock_ms();
    world.file("a", b"12345");
    let found = world.env.metadata(&world.path("a")).unwrap().unwrap();
    assert_eq!((found.len, found.kind), (5, EntryKind::File));
    // A file system's clock ticks a few milliseconds late.
    assert!(
        (found.modified_ms - before).abs() < 10_000,
        "{found:?} at {before}"
    );
    assert_eq!(
        world.env.metadata(&world.root).unwrap().unwrap().kind,
        EntryKind::Dir
    );
    assert_eq!(world.env.metadata(&world.path("b")).unwrap(), None);
    assert!(world.env.free_bytes(&world.root).unwrap() > 0);
}

fn a_replaced_file_has_the_new_bytes_only<E: Env>(world: &World<E>) {
    let path = world.path("checkpoint");
    world.file("checkpoint.tmp", b"left behind by a crash, and longer");
    for bytes in [&b"first and long"[..], b"second", b""] {
        world.env.replace_file(&path, bytes).unwrap();
        assert_eq!(world.contents("checkpoint").unwrap(), bytes);
        assert_eq!(world.names(&world.root), ["checkpoint"]);
    }
}

fn a_missing_small_file_reads_as_none<E: Env>(world: &World<E>) {
    assert_eq!(world.contents("a"), None);
    world.file("a", b"");
    assert_eq!(world.contents("a").unwrap(), b"");
}

fn a_lock_is_given_once_and_again_after_it_was_dropped<E: Env>(world: &World<E>) {
    let path = world.path(".lock");
    for _ in 0..2 {
        let held = world.env.lock(&path).unwrap();
        let again = world.env.clone().lock(&path).unwrap_err();
        assert!(matches!(again, LockError::Held { pid: Some(_) }), "{again}");
        let written = String::from_utf8(world.contents(".lock").unwrap()).unwrap();
        assert!(written.trim().parse::<u32>().is_ok(), "{written}");
        world.env.lock(&world.path(".other")).unwrap();
        drop(held);
    }
    assert!(matches!(
        world.env.lock(&world.path("no/lock")),
        Err(LockError::Io(_))
    ));
}

fn a_map_shows_the_first_bytes<E: Env>(world: &World<E>) {
    let file = world.file("a", b"0123456789");
    assert_eq!(file.map(11).unwrap(), None);
    assert_eq!(file.map(0).unwrap(), None);
    if let Some(map) = file.map(4).unwrap() {
        world.env.remove_file(&world.path("a")).unwrap();
        drop(file);
        assert_eq!(map, "0123");
    }
}

fn clocks_and_chance_are_there<E: Env>(world: &World<E>) {
    assert!(world.env.wall_clock_ms() > 1_700_000_000_000);
    let before = world.env.monotonic();
    assert!(world.env.clone().monotonic() >= before);
    let (mut one, mut other) = ([0; 32], [0; 32]);
    world.env.fill_random(&mut one);
    world.env.fill_random(&mut other);
    assert_ne!(one, other);
}

fn readers_see_every_write_that_returned<E: Env>(world: &World<E>) {
    use std::sync::atomic::{AtomicU64, Ordering};
    const BLOCKS: u64 = 300;
    const BLOCK: usize = 1000;
    let file = world.file("a", b"");
    let written = AtomicU64::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for block in 0..BLOCKS {
                file.write_all_at(&[block as u8; BLOCK], block * BLOCK as u64)
                    .unwrap();
                written.store(block + 1, Ordering::Release);
            }
        });
        let mut seen = 0;
        while seen < BLOCKS {
            seen = written.load(Ordering::Acquire);
            let Some(last) = seen.checked_sub(1) else {
                continue;
            };
            let read = file.read_bytes(last * BLOCK as u64, BLOCK).unwrap();
            assert_eq!(read, [last as u8; BLOCK][..]);
        }
    });
}

#[derive(Debug, Clone)]
enum Call {
    Write { bytes: Vec<u8>, position: u16 },
    Append { bytes: Vec<u8>, pieces: usize },
    SetLen(u16),
    Read { position: u16, len: u16 },
}

fn call() -> impl Strategy<Value = Call> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..300);
    prop_oneof![
        (bytes(), 0..3000_u16).prop_map(|(bytes, position)| Call::Write { bytes, position }),
        (bytes(), 1..5_usize).prop_map(|(bytes, pieces)| Call::Append { bytes, pieces }),
        (0..3000_u16).prop_map(Call::SetLen),
        (0..3000_u16, 0..3000_u16).prop_map(|(position, len)| Call::Read { position, len }),
    ]
}

fn any_sequence_of_calls_agrees_with_a_vector<E: Env>(world: &World<E>) {
    let mut config = ProptestConfig::with_cases(64);
    config.failure_persistence = None;
    proptest!(config, |(calls in prop::collection::vec(call(), 1..40))| {
        let path = world.path("file");
        let file = world.env.open_file(&path, OpenMode::Create).unwrap();
        file.set_len(0).unwrap();
        let mut model = Vec::new();
        for call in calls {
            match call {
                Call::Write { bytes, position } => {
                    file.write_all_at(&bytes, position.into()).unwrap();
                    put(&mut model, &bytes, position.into());
                }
                Call::Append { bytes, pieces } => {
                    let parts: Vec<_> = bytes.chunks(bytes.len() / pieces + 1).map(IoSlice::new).collect();
                    file.write_vectored_at(&parts, model.len() as u64).unwrap();
                    model.extend_from_slice(&bytes);
                }
                Call::SetLen(len) => {
                    file.set_len(len.into()).unwrap();
                    model.resize(len.into(), 0);
                }
                Call::Read { position, len } => {
                    let from = usize::from(position).min(model.len());
                    let expected = &model[from..model.len().min(from + usize::from(len))];
                    let read = file.read_bytes(position.into(), len.into()).unwrap();
                    prop_assert_eq!(&read[..], expected);
                }
            }
            prop_assert_eq!(file.len().unwrap(), model.len() as u64);
        }
        let mut all = vec![0; model.len()];
        file.read_exact_at(&mut all, 0).unwrap();
        prop_assert_eq!(all, model);
    });
}

fn put(model: &mut Vec<u8>, bytes: &[u8], position: usize) {
    if bytes.is_empty() {
        return;
    }
    model.resize(model.len().max(position + bytes.len()), 0);
    model[position..position + bytes.len()].copy_from_slice(bytes);
}
