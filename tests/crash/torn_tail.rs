//! The last batch is cut, or contains zeros or garbage from some byte on.

use std::path::{Path, PathBuf};

use headwater_crash_tests::chance::Chance;
use headwater_crash_tests::judge::read_all;
use headwater_crash_tests::scan::log_files;
use headwater_crash_tests::script::Step;
use headwater_crash_tests::session::{PARTITION, Session};
use headwater_env::{Env, File, OpenMode, SimEnv};

/// A log whose process was killed after some batches; the last is in a segment with others.
fn killed_machine() -> (SimEnv, Vec<Vec<u8>>) {
    let env = SimEnv::new(1);
    let mut session = Session::open(&env, false).expect("an empty disk opens");
    let mut values = Vec::new();
    for number in 0..12_u8 {
        let batch = vec![vec![number; 90], vec![number; 5]];
        values.extend(batch.clone());
        session
            .step(&Step::Append {
                values: batch,
                idempotent: true,
                together: false,
            })
            .expect("the disk is good");
        if number == 8 {
            session.step(&Step::Flush).expect("the disk is good");
            session.step(&Step::Checkpoint).expect("the disk is good");
        }
    }
    drop(session);
    (env.after_kill(0), values)
}

/// The last log file, its length, and where its last batch begins.
fn last_batch(env: &SimEnv) -> (PathBuf, u64, u64) {
    let (base_offset, bytes) = log_files(&env.image())
        .pop_last()
        .expect("there is a segment");
    let batches =
        headwater_crash_tests::scan::whole_batches(&bytes).map(|batch| batch.bytes().len() as u64);
    let sizes: Vec<u64> = batches.collect();
    assert!(
        sizes.len() > 1,
        "the last batch has one before it in its segment"
    );
    let path = Path::new(PARTITION).join(format!("{base_offset:020}.log"));
    (path, bytes.len() as u64, sizes.iter().rev().skip(1).sum())
}

/// Whether bytes after the last batch are padding: a few zeros that never contained records.
fn is_padding(bytes: &[u8]) -> bool {
    bytes.len() as u64 <= SimEnv::PADDING_BYTES && bytes.iter().all(|byte| *byte == 0)
}

/// Opens a machine whose last batch was damaged by `spoil`. Checks that all earlier batches are served, and that the
/// rest is truncated and reported.
fn check(spoil: impl Fn(&<SimEnv as Env>::File, u64), from: u64, what: &str) {
    let (killed, values) = killed_machine();
    let (path, len, last) = last_batch(&killed);
    let file = killed
        .open_file(&path, OpenMode::Write)
        .expect("it is there");
    spoil(&file, from);
    let left = file.len().expect("it is there");
    let rest = file
        .read_bytes(last, (left - last) as usize)
        .expect("it is readable");
    let changed = file.read_bytes(0, len as usize).expect("it is readable")
        != killed_machine()
            .0
            .read_file(&path)
            .expect("it is readable")
            .expect("it is there");
    let session = Session::open(&killed, false)
        .unwrap_or_else(|failure| panic!("{what} from {from}: {failure:?}"));
    let served = read_all(&session).unwrap_or_else(|error| panic!("{what} from {from}: {error}"));
    let kept = if changed {
        values.len() - 2
    } else {
        values.len()
    };
    let found: Vec<_> = served.values.into_values().collect();
    assert_eq!(found.len(), kept, "{what} from {from}");
    assert_eq!(found, values[..kept], "{what} from {from}");
    match &session.report.cut {
        Some(cut) => {
            assert_eq!(
                (cut.position, cut.bytes),
                (last, left - last),
                "{what} from {from}"
            );
            assert_eq!(cut.log_end_offset.get(), kept as i64);
        }
        None => assert!(
            is_padding(&rest) || !changed,
            "{what} from {from}: the cut was not reported"
        ),
    }
    let end = if changed { last } else { left };
    assert_eq!(file.len().expect("it is there"), end, "{what} from {from}");
}

fn bytes_of_the_last_batch() -> std::ops::RangeInclusive<u64> {
    let (_, len, last) = last_batch(&killed_machine().0);
    last..=len
}

#[test]
fn recovery_drops_a_batch_cut_at_any_byte_and_keeps_the_rest() {
    for from in bytes_of_the_last_batch() {
        check(
            |file, from| file.set_len(from).expect("the disk is good"),
            from,
            "cut",
        );
    }
}

#[test]
fn recovery_drops_a_batch_with_zeros_from_any_byte_and_keeps_the_rest() {
    for from in bytes_of_the_last_batch() {
        let zero = |file: &<SimEnv as Env>::File, from| {
            let len = file.len()?;
            file.set_len(from)?;
            file.set_len(len)
        };
        check(
            |file, from| zero(file, from).expect("the disk is good"),
            from,
            "zeros",
        );
    }
}

#[test]
fn recovery_drops_a_batch_with_garbage_from_any_byte_and_keeps_the_rest() {
    for from in bytes_of_the_last_batch() {
        for seed in 0..4 {
            let spoil = |file: &<SimEnv as Env>::File, from| {
                let len = file.len()?;
                let mut chance = Chance::new(seed * 1_000_003 + from);
                let garbage: Vec<u8> = (from..len).map(|_| chance.below(256) as u8).collect();
                file.write_all_at(&garbage, from)
            };
            check(
                |file, from| spoil(file, from).expect("the disk is good"),
                from,
                "garbage",
            );
        }
    }
}

#[test]
fn recovery_drops_garbage_and_zeros_after_the_last_batch() {
    let padding = SimEnv::PADDING_BYTES as usize;
    for len in [
        1,
        11,
        12,
        60,
        61,
        62,
        200,
        padding,
        padding + 1,
        2 * padding,
    ] {
        for byte in [0, 0xff, 7] {
            let grow = |file: &<SimEnv as Env>::File, end| file.write_all_at(&vec![byte; len], end);
            let (killed, values) = killed_machine();
            let (path, end, _) = last_batch(&killed);
            let file = killed
                .open_file(&path, OpenMode::Write)
                .expect("it is there");
            grow(&file, end).expect("the disk is good");
            let session = Session::open(&killed, false).expect("it recovers");
            let served = read_all(&session).expect("all is served");
            assert_eq!(served.values.into_values().collect::<Vec<_>>(), values);
            assert_eq!(file.len().expect("it is there"), end);
            match &session.report.cut {
                Some(cut) => assert_eq!((cut.position, cut.bytes), (end, len as u64)),
                None => assert!(is_padding(&vec![byte; len]), "the cut was not reported"),
            }
        }
    }
}
