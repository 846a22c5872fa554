//! Measures the limits of this machine that all other figures are compared with.
//!
//! `cargo bench -p headwater-env --bench limits`. Each line is the best of several rounds; the last column is the
//! environment's rate relative to the limit.
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on fails")]

use std::fs;
use std::hint::black_box;
use std::io::IoSlice;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use headwater_env::{Env, File, MemoryEnv, OpenMode, RealEnv};

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
const TOTAL: usize = 256 * MIB;
const ROUNDS: usize = 5;

fn main() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("limits-{}", std::process::id()));
    RealEnv.create_dir_all(&dir).unwrap();
    println!(
        "limits of this machine ({} MiB a round, best of {ROUNDS})\n",
        TOTAL / MIB
    );
    println!("{:<48}{:>10}{:>10}", "what", "GB/s", "of limit");
    let copy = measure_copy();
    for call in [MIB, 64 * KIB, 16 * KIB] {
        measure_writes(&dir, call);
    }
    measure_reads(&dir);
    measure_memory(copy);
    println!("\n{:<48}{:>10}{:>10}", "what", "p50 ms", "p99 ms");
    for call in [4 * KIB, 64 * KIB, MIB] {
        measure_sync(&dir, call);
    }
    RealEnv.remove_dir_all(&dir).unwrap();
}

/// Prints a rate and its ratio to `limit`. Returns the rate.
fn print_rate(what: &str, best: Duration, limit: Option<f64>) -> f64 {
    let rate = TOTAL as f64 / best.as_secs_f64() / 1e9;
    let ratio = limit.map_or_else(String::new, |limit| format!("{:.2}", rate / limit));
    println!("{what:<48}{rate:>10.2}{ratio:>10}");
    rate
}

/// The shortest of several rounds of `work` on the result of `prepare`.
fn best<T>(mut prepare: impl FnMut() -> T, mut work: impl FnMut(&mut T)) -> Duration {
    let round = |_| {
        let mut subject = prepare();
        let start = Instant::now();
        work(&mut subject);
        start.elapsed()
    };
    (0..ROUNDS).map(round).min().unwrap_or_default()
}

fn positions(call: usize) -> impl Iterator<Item = u64> {
    (0..TOTAL as u64).step_by(call)
}

fn name_of(bytes: usize) -> String {
    if bytes >= MIB {
        format!("{} MiB", bytes / MIB)
    } else {
        format!("{} KiB", bytes / KIB)
    }
}

fn measure_copy() -> f64 {
    let source = vec![1_u8; MIB];
    let in_cache = best(
        || vec![0_u8; MIB],
        |target| {
            for _ in positions(MIB) {
                black_box(&mut *target).copy_from_slice(black_box(&source));
            }
        },
    );
    print_rate("memcpy, 1 MiB, in cache", in_cache, None);
    let source = vec![1_u8; TOTAL];
    let beyond = best(
        || vec![1_u8; TOTAL],
        |target| black_box(target).copy_from_slice(black_box(&source)),
    );
    print_rate("memcpy, beyond cache", beyond, None)
}

/// Every round writes a new file, like a log.
fn measure_writes(dir: &Path, call: usize) {
    let (path, bytes) = (dir.join("written"), vec![1_u8; call]);
    let std_file = || {
        let _ = fs::remove_file(&path);
        fs::File::create(&path).unwrap()
    };
    let raw = best(std_file, |file| {
        positions(call).for_each(|position| file.write_all_at(&bytes, position).unwrap());
    });
    let limit = print_rate(&format!("write(2), {} a call", name_of(call)), raw, None);
    let env_file = || {
        let _ = fs::remove_file(&path);
        RealEnv.open_file(&path, OpenMode::CreateNew).unwrap()
    };
    let (head, rest) = bytes.split_at(16);
    let vectored = best(env_file, |file| {
        let parts = [IoSlice::new(head), IoSlice::new(rest)];
        positions(call).for_each(|position| file.write_vectored_at(&parts, position).unwrap());
    });
    print_rate(
        &format!("  write_vectored_at, {} in two parts", name_of(call)),
        vectored,
        Some(limit),
    );
    fs::remove_file(&path).unwrap();
}

fn measure_reads(dir: &Path) {
    let path = dir.join("read");
    fs::write(&path, vec![1_u8; TOTAL]).unwrap();
    let std_file = fs::File::open(&path).unwrap();
    let open = || RealEnv.open_file(&path, OpenMode::Read).unwrap();
    let raw = best(
        || vec![0_u8; MIB],
        |buffer| {
            for position in positions(MIB) {
                std_file
                    .read_exact_at(black_box(&mut *buffer), position)
                    .unwrap();
            }
        },
    );
    let limit = print_rate("pread, 1 MiB a call, one buffer", raw, None);
    let read = best(open, |file| {
        for position in positions(MIB) {
            black_box(file.read_bytes(position, MIB).unwrap());
        }
    });
    print_rate("  read_bytes, 1 MiB a call, new memory", read, Some(limit));
    let fresh = best(open, |file| {
        touch(&file.map(0..TOTAL as u64).unwrap().unwrap());
    });
    print_rate("  map, fresh, each byte read", fresh, Some(limit));
    let mapped = best(
        || {
            let map = open().map(0..TOTAL as u64).unwrap().unwrap();
            touch(&map);
            map
        },
        |map| touch(map),
    );
    print_rate("  map, already mapped, each byte read", mapped, Some(limit));
    fs::remove_file(&path).unwrap();
}

/// Reads every byte at memory speed.
fn touch(bytes: &[u8]) {
    let words = bytes
        .chunks_exact(8)
        .map(|word| u64::from_le_bytes(word.try_into().unwrap()));
    black_box(words.fold(0_u64, u64::wrapping_add));
}

fn measure_memory(limit: f64) {
    let (path, bytes) = (PathBuf::from("log"), vec![1_u8; 64 * KIB]);
    let new_file = || {
        MemoryEnv::new()
            .open_file(&path, OpenMode::CreateNew)
            .unwrap()
    };
    let append = |file: &mut <MemoryEnv as Env>::File| {
        positions(64 * KIB).for_each(|position| file.write_all_at(&bytes, position).unwrap());
    };
    let written = best(new_file, append);
    print_rate("in memory: append, 64 KiB a call", written, Some(limit));
    let full_file = || {
        let mut file = new_file();
        append(&mut file);
        file
    };
    let read = best(full_file, |file| {
        positions(MIB).for_each(|position| touch(&file.read_bytes(position, MIB).unwrap()));
    });
    print_rate(
        "in memory: read_bytes, 1 MiB, each byte read",
        read,
        Some(limit),
    );
}

fn measure_sync(dir: &Path, call: usize) {
    const SYNCS: usize = 101;
    let file = RealEnv
        .open_file(&dir.join("synced"), OpenMode::Create)
        .unwrap();
    let bytes = vec![1_u8; call];
    let mut times: Vec<Duration> = positions(call)
        .take(SYNCS)
        .map(|position| {
            file.write_all_at(&bytes, position).unwrap();
            let start = Instant::now();
            file.sync_data().unwrap();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    let ms = |percent: usize| times[(SYNCS - 1) * percent / 100].as_secs_f64() * 1e3;
    println!(
        "{:<48}{:>10.2}{:>10.2}",
        format!("fdatasync after {}", name_of(call)),
        ms(50),
        ms(99)
    );
}
