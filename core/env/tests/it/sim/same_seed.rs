//! Reproducible randomness.

use std::collections::BTreeMap;
use std::io::ErrorKind;

use bytes::Bytes;
use headwater_env::{Env, Fault, File, OpenMode, Operation, SimEnv, Times};
use proptest::prelude::*;

use super::dir;

/// Runs the calls of `steps`. Returns everything that a program could observe.
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
        // A step may fail.
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
