//! A sync fails, once or for ever.

use headwater_crash_tests::judge::{compare, read_all};
use headwater_crash_tests::reference::Reference;
use headwater_crash_tests::runner::Runner;
use headwater_crash_tests::script::{Script, Step};
use headwater_crash_tests::session::{Failure, Session};
use headwater_env::{Fault, Operation, SimEnv, Times};

const SCRIPTS: u64 = 4;
const STEPS: usize = 30;
const CUTS: u64 = 6;

#[test]
fn after_a_failed_sync_nothing_is_acknowledged_and_nothing_acknowledged_is_lost() {
    let mut poisoned = 0;
    for seed in 0..SCRIPTS {
        let script = Script::draw(seed, STEPS);
        let syncs = Reference::run(script.clone()).env.calls(Operation::Sync);
        for nth in 0..syncs {
            for times in [Times::Once, Times::Forever] {
                poisoned += usize::from(fail_sync(&script, nth, times));
            }
        }
    }
    assert!(poisoned > 50, "only {poisoned} syncs of records failed");
}

/// Whether the failed sync was one of records.
fn fail_sync(script: &Script, nth: u64, times: Times) -> bool {
    let place = format!("script {}, sync {nth} fails {times:?}", script.seed);
    let env = SimEnv::new(script.seed);
    env.inject(Fault {
        operation: Operation::Sync,
        nth,
        times,
        error: std::io::ErrorKind::Other,
    });
    let Ok(mut runner) = Runner::open(&env, script.flush_each) else {
        return false;
    };
    let mut poisoned = false;
    for (number, step) in script.steps.iter().enumerate() {
        let failed_before = poisoned;
        let syncs_before = env.calls(Operation::Sync);
        let result = runner.step(step);
        poisoned |= (syncs_before..env.calls(Operation::Sync))
            .any(|call| strikes(call, nth, times))
            && records_were_struck(&env, nth, times);
        let acknowledges = matches!(step, Step::Append { .. } | Step::Flush);
        if failed_before && acknowledges {
            assert!(
                matches!(result, Err(Failure::Poisoned(_))),
                "{place}, step {number}, {step:?}: {result:?}"
            );
        }
        if poisoned && (*step == Step::Flush || (acknowledges && script.flush_each)) {
            assert!(
                matches!(result, Err(Failure::Poisoned(_))),
                "{place}, step {number}, {step:?}: {result:?}"
            );
        }
        if poisoned && *step == Step::Restart {
            // A poisoned log does not close in order; only opening it again makes it writable.
            assert!(
                result.is_err(),
                "{place}, step {number}: it was closed in order"
            );
            break;
        }
    }
    check_reads(&mut runner, &place);
    let expected = runner.expected.clone();
    drop(runner);
    for seed in 0..CUTS {
        let place = format!("{place}, power cut {seed}");
        let machine = env.after_power_cut(seed);
        let session = Session::open(&machine, script.flush_each)
            .unwrap_or_else(|failure| panic!("{place}: {failure:?}"));
        let served = read_all(&session).unwrap_or_else(|fault| panic!("{place}: {fault}"));
        compare(&served, &expected.durable, &expected)
            .unwrap_or_else(|error| panic!("{place}: {error}"));
    }
    poisoned
}

/// A log that must not be written any more can still be read.
fn check_reads(runner: &mut Runner, place: &str) {
    let expected = runner.expected.clone();
    let Ok(session) = runner.session() else {
        return;
    };
    let served = read_all(session).unwrap_or_else(|fault| panic!("{place}: {fault}"));
    compare(&served, &expected.appended, &expected)
        .unwrap_or_else(|error| panic!("{place}: {error}"));
}

fn strikes(call: u64, nth: u64, times: Times) -> bool {
    call == nth || (times == Times::Forever && call > nth)
}

/// Whether the failed sync was one of a log file.
fn records_were_struck(env: &SimEnv, nth: u64, times: Times) -> bool {
    let history = env.history();
    let syncs = history
        .iter()
        .filter(|boundary| boundary.operation == Operation::Sync);
    (0..).zip(syncs).any(|(call, boundary)| {
        strikes(call, nth, times)
            && boundary
                .path
                .extension()
                .is_some_and(|extension| extension == "log")
    })
}
