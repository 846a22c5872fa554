//! The disk is full, at any write or after any number of bytes.

use headwater_crash_tests::judge::{check_lookups, compare, read_all};
use headwater_crash_tests::reference::Reference;
use headwater_crash_tests::runner::Runner;
use headwater_crash_tests::script::Script;
use headwater_crash_tests::session::{Failure, Session};
use headwater_env::{Fault, Operation, SimEnv, Times};

const SCRIPTS: u64 = 4;
const STEPS: usize = 30;
const CUTS: u64 = 4;

#[test]
fn when_any_write_finds_no_space_reads_go_on_and_writing_resumes() {
    for seed in 0..SCRIPTS {
        let script = Script::draw(seed, STEPS);
        let writes = Reference::run(script.clone()).env.calls(Operation::Write);
        let mut refused = 0;
        for nth in 0..writes {
            let place = format!("script {seed}, write {nth} finds no space");
            let env = SimEnv::new(seed);
            let error = std::io::ErrorKind::StorageFull;
            env.inject(Fault {
                operation: Operation::Write,
                nth,
                times: Times::Once,
                error,
            });
            refused += run_through(&env, &script, &place, |_| {});
        }
        assert!(
            refused > 10,
            "script {seed}: only {refused} steps were refused"
        );
    }
}

#[test]
fn when_the_disk_is_full_at_any_byte_reads_go_on_and_writing_resumes() {
    for seed in 0..SCRIPTS {
        let script = Script::draw(seed, STEPS);
        let reference = Reference::run(script.clone());
        let mut refused = 0;
        for bytes in (0..reference.env.used_bytes()).step_by(29) {
            let place = format!("script {seed}, a disk of {bytes} bytes");
            let env = SimEnv::new(seed);
            env.set_capacity(Some(bytes));
            refused += run_through(&env, &script, &place, |env| env.set_capacity(None));
        }
        assert!(
            refused > 10,
            "script {seed}: only {refused} steps were refused"
        );
    }
}

/// Runs a script; if a step is refused, reads, makes space and repeats the step. Returns the number of refused steps.
fn run_through(env: &SimEnv, script: &Script, place: &str, make_space: impl Fn(&SimEnv)) -> usize {
    let mut refused = 0;
    let mut runner = Runner::open(env, script.flush_each).unwrap_or_else(|_| {
        refused += 1;
        make_space(env);
        Runner::open(env, script.flush_each)
            .unwrap_or_else(|failure| panic!("{place}, opening again: {failure:?}"))
    });
    for (number, step) in script.steps.iter().enumerate() {
        let place = format!("{place}, step {number}, {step:?}");
        if let Err(failure) = runner.step(step) {
            refused += 1;
            assert!(
                !matches!(failure, Failure::Poisoned(_)),
                "{place}: {failure:?}"
            );
            check_reads(&mut runner, &place);
            make_space(env);
            runner
                .step(step)
                .unwrap_or_else(|again| panic!("{place}: {failure:?}, and again: {again:?}"));
        }
    }
    check_reads(&mut runner, place);
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
    refused
}

/// Checks that all acknowledged records are served.
fn check_reads(runner: &mut Runner, place: &str) {
    let expected = runner.expected.clone();
    // Between two sessions there is no log to read from.
    let Ok(session) = runner.session() else {
        return;
    };
    let served = read_all(session).unwrap_or_else(|fault| panic!("{place}: {fault}"));
    compare(&served, &expected.appended, &expected)
        .unwrap_or_else(|error| panic!("{place}: {error}"));
    check_lookups(session, &served).unwrap_or_else(|error| panic!("{place}: {error}"));
}
