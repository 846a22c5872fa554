//! The contract of open files.

use std::io::{ErrorKind, IoSlice};

use headwater_env::{Env, File, OpenMode};
use proptest::prelude::*;

use super::World;

pub(super) fn bytes_are_read_where_they_were_written<E: Env>(world: &World<E>) {
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

pub(super) fn a_gap_and_an_extension_read_as_zeros<E: Env>(world: &World<E>) {
    let file = world.file("a", b"a");
    file.write_all_at(b"b", 4).unwrap();
    file.set_len(7).unwrap();
    assert_eq!(file.read_bytes(0, 100).unwrap(), "a\0\0\0b\0\0");
    file.write_all_at(b"c", 6).unwrap();
    assert_eq!(file.read_bytes(0, 100).unwrap(), "a\0\0\0b\0c");
}

pub(super) fn truncated_bytes_do_not_come_back<E: Env>(world: &World<E>) {
    let file = world.file("a", b"0123456789");
    file.set_len(4).unwrap();
    assert_eq!(file.len().unwrap(), 4);
    file.set_len(6).unwrap();
    assert_eq!(file.read_bytes(0, 100).unwrap(), "0123\0\0");
}

pub(super) fn reads_end_at_the_end_of_the_file<E: Env>(world: &World<E>) {
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

pub(super) fn a_vectored_write_is_the_concatenation_of_its_parts<E: Env>(world: &World<E>) {
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

pub(super) fn a_file_opened_for_reading_cannot_be_changed<E: Env>(world: &World<E>) {
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

pub(super) fn a_map_contains_the_first_bytes<E: Env>(world: &World<E>) {
    let file = world.file("a", b"0123456789");
    assert_eq!(file.map(0..11).unwrap(), None);
    assert_eq!(file.map(0..0).unwrap(), None);
    if let Some(map) = file.map(3..7).unwrap() {
        assert_eq!(map, "3456");
    }
    if let Some(map) = file.map(0..4).unwrap() {
        world.env.remove_file(&world.path("a")).unwrap();
        drop(file);
        assert_eq!(map, "0123");
    }
}

pub(super) fn readers_see_every_write_that_returned<E: Env>(world: &World<E>) {
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

pub(super) fn any_sequence_of_calls_agrees_with_a_vector<E: Env>(world: &World<E>) {
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
