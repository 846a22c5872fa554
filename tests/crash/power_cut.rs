//! A power cut or the death of the process in the middle of every call that changes the disk.

use headwater_crash_tests::reference::Reference;
use headwater_crash_tests::runner::Runner;
use headwater_crash_tests::script::Script;
use headwater_crash_tests::session::Session;
use headwater_crash_tests::survival::{Crash, Survivor};
use headwater_env::SimEnv;

const SCRIPTS: u64 = 12;
const STEPS: usize = 40;
/// The number of disk states tried after one power cut.
const CUTS: u64 = 8;
const KILLS: u64 = 2;

#[test]
fn nothing_acknowledged_is_lost_at_any_write_sync_or_rename() {
    let mut states = 0;
    for seed in 0..SCRIPTS {
        let reference = Reference::run(Script::draw(seed, STEPS));
        for boundary in 0..reference.total() {
            states += crash_at(&reference, boundary);
        }
    }
    println!("{states} crash states");
    assert!(states >= 10_000, "only {states} crash states were tried");
}

/// Tries all possible states after a crash at one boundary; returns their number.
fn crash_at(reference: &Reference, boundary: u64) -> u64 {
    let script = &reference.script;
    let env = SimEnv::new(script.seed);
    env.crash_at(boundary);
    let result = Runner::run(&env, script).map(drop);
    assert!(
        env.has_crashed(),
        "script {}: boundary {boundary} does not exist",
        script.seed
    );
    let history = env.history();
    let place = format!(
        "script {}, boundary {boundary}, {:?}",
        script.seed, history[boundary as usize]
    );
    assert!(result.is_err(), "{place}: the failure was not reported");
    let expected = reference.expectation_at(boundary);
    let cuts = (0..CUTS).map(|seed| (Crash::PowerCut, &expected.durable, seed));
    let kills = (0..KILLS).map(|seed| (Crash::Kill, &expected.appended, seed));
    for (crash, required, seed) in cuts.chain(kills) {
        let flush_each = script.flush_each;
        let survivor = Survivor {
            crashed: &env,
            crash,
            flush_each,
            required,
            expected: &expected,
            seed,
        };
        survivor
            .check()
            .unwrap_or_else(|error| panic!("{place}, {crash:?} {seed}: {error}"));
    }
    CUTS + KILLS
}

#[test]
fn the_same_seed_crashes_into_the_same_bytes() {
    let images = || {
        let env = SimEnv::new(4);
        env.crash_at(50);
        let _ = Runner::run(&env, &Script::draw(4, STEPS));
        let machines = (0..4).flat_map(|seed| [env.after_power_cut(seed), env.after_kill(seed)]);
        machines
            .map(|machine| {
                let _ = Session::open(&machine, false);
                machine.image()
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(images(), images());
}
