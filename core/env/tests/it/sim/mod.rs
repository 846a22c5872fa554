//! The simulated disk and clock: unsynced data is at risk, synced data is not.

mod faults;
mod power_cut;
mod same_seed;

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::Path;

use bytes::Bytes;
use headwater_env::{Env, Fault, File, OpenMode, Operation, SimEnv, SimFile, Times};

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

/// The contents of a file after many power cuts.
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
