//! Retention, deletion, exhaustion and truncation fail at any call, once or for a while. The program continues, and
//! then the machine crashes.

use std::io::ErrorKind;
use std::path::Path;

use headwater_crash_tests::judge::{check_duplicate, compare, read_all};
use headwater_crash_tests::model::Expectation;
use headwater_crash_tests::reference::Reference;
use headwater_crash_tests::runner::Runner;
use headwater_crash_tests::scan::log_files;
use headwater_crash_tests::script::{Script, Step};
use headwater_crash_tests::session::{PARTITION, Session};
use headwater_crash_tests::survival::Crash;
use headwater_env::{Fault, Operation, SimEnv, Times};

const SCRIPTS: u64 = 4;
const STEPS: usize = 36;
/// The number of steps that a lasting fault lasts.
const WHILE: usize = 5;

/// The calls that fail, and may succeed later. `failed_sync.rs` tests the syncs.
const FAULTS: [(Operation, ErrorKind); 7] = [
    (Operation::Open, ErrorKind::Other),
    (Operation::Create, ErrorKind::StorageFull),
    (Operation::Read, ErrorKind::Other),
    (Operation::Write, ErrorKind::StorageFull),
    (Operation::SetLen, ErrorKind::Other),
    (Operation::Rename, ErrorKind::StorageFull),
    (Operation::Remove, ErrorKind::Other),
];

#[test]
fn a_removal_that_fails_at_any_call_makes_no_hole_and_leaves_no_file() {
    let mut failed = 0;
    for seed in 0..SCRIPTS {
        let script = Script::draw_removals(seed, STEPS);
        let reference = Reference::run(script.clone());
        for (operation, error) in FAULTS {
            for nth in 0..reference.env.calls(operation) {
                for times in [Times::Once, Times::Forever] {
                    let fault = Fault {
                        operation,
                        nth,
                        times,
                        error,
                    };
                    let trouble = Trouble::Call(fault);
                    failed += run_through(&script, &trouble);
                }
            }
        }
    }
    assert!(failed > 1_000, "only {failed} steps failed");
}

#[test]
fn a_process_without_descriptors_for_a_while_makes_no_hole_and_leaves_no_file() {
    let mut failed = 0;
    for seed in 0..4 * SCRIPTS {
        let script = Script::draw_removals(seed, STEPS);
        for step in 0..script.steps.len() {
            failed += run_through(&script, &Trouble::OutOfFiles { step });
        }
    }
    assert!(failed > 1_000, "only {failed} steps failed");
}

/// The fault of one run.
#[derive(Debug)]
enum Trouble {
    Call(Fault),
    /// From this step on, the process can open no more files for a while.
    OutOfFiles {
        step: usize,
    },
}

impl Trouble {
    fn begin(&self, env: &SimEnv, step: usize) {
        match self {
            Trouble::OutOfFiles { step: first } if *first == step => env.set_out_of_files(true),
            _ => {}
        }
    }

    fn end(env: &SimEnv) {
        env.clear_faults();
        env.set_out_of_files(false);
    }
}

/// Runs a script, skipping the steps that fail; checks the log at its end and after crashes. Returns the number of
/// failed steps.
fn run_through(script: &Script, trouble: &Trouble) -> usize {
    let place = format!("script {}, {trouble:?}", script.seed);
    let env = SimEnv::new(script.seed);
    if let Trouble::Call(fault) = trouble {
        env.inject(*fault);
    }
    let Ok(mut runner) = Runner::open(&env, script.flush_each) else {
        return 0;
    };
    let (mut failed, mut left) = (0, WHILE);
    for (number, step) in script.steps.iter().enumerate() {
        trouble.begin(&env, number);
        if runner.step(step).is_err() {
            failed += 1;
            if *step == Step::Restart {
                // The log may already be closed; then only another restart can follow.
                Trouble::end(&env);
                let again = runner.step(step);
                again.unwrap_or_else(|failure| panic!("{place}, step {number}: {failure:?}"));
            }
            if let Ok(session) = runner.session() {
                session.fence_producer();
            }
            if matches!(step, Step::Truncate(_)) {
                // This append reuses truncated offsets; the truncated records must not come back after it.
                Trouble::end(&env);
                append(&mut runner, number, &place);
                check_crashes(&env, script, &runner.expected, &place);
            }
        }
        left -= usize::from(failed > 0 && left > 0);
        if left == 0 {
            Trouble::end(&env);
        }
    }
    Trouble::end(&env);
    append(&mut runner, script.steps.len(), &place);
    check_crashes(&env, script, &runner.expected, &place);
    check_files(&mut runner, &place);
    failed
}

/// Appends a batch, which must succeed now.
fn append(runner: &mut Runner, number: usize, place: &str) {
    let append = Step::Append {
        values: vec![format!("the fault of step {number} is over").into_bytes()],
        idempotent: true,
        together: false,
    };
    runner
        .step(&append)
        .unwrap_or_else(|failure| panic!("{place}, {append:?}: {failure:?}"));
}

/// With unfinished removals a crash loses no acknowledged records, and after a kill there is nothing to repair.
fn check_crashes(env: &SimEnv, script: &Script, expected: &Expectation, place: &str) {
    let cuts = (0..3).map(|seed| (Crash::PowerCut, &expected.durable, seed));
    let kills = (0..2).map(|seed| (Crash::Kill, &expected.appended, seed));
    for (crash, required, seed) in cuts.chain(kills) {
        let place = format!("{place}, {crash:?} {seed}");
        let session = Session::open(&crash.after(env, seed), script.flush_each)
            .unwrap_or_else(|failure| panic!("{place}: {failure:?}"));
        let served = read_all(&session).unwrap_or_else(|fault| panic!("{place}: {fault}"));
        compare(&served, required, expected).unwrap_or_else(|error| panic!("{place}: {error}"));
        check_duplicate(&session, &served).unwrap_or_else(|error| panic!("{place}: {error}"));
        if crash == Crash::Kill {
            let report = &session.report;
            let has_hole = report.missing.is_some() || !report.set_aside.is_empty();
            let is_whole = !has_hole && report.damage.is_empty() && report.cut.is_none();
            assert!(is_whole, "{place}: {report}");
        }
    }
}

/// All acknowledged records are served, and when all removals are due the disk has the segments of the log and no
/// others.
fn check_files(runner: &mut Runner, place: &str) {
    let expected = runner.expected.clone();
    let session = runner
        .session()
        .unwrap_or_else(|failure| panic!("{place}: {failure:?}"));
    let served = read_all(session).unwrap_or_else(|fault| panic!("{place}: {fault}"));
    compare(&served, &expected.appended, &expected)
        .unwrap_or_else(|error| panic!("{place}: {error}"));
    for _ in 0..2 {
        for step in [Step::DeleteDueFiles, Step::Wait(1_000)] {
            session
                .step(&step)
                .unwrap_or_else(|failure| panic!("{place}, {step:?}: {failure:?}"));
        }
    }
    let image = session.env.image();
    let segments = session.log.segments().into_iter();
    let segments: Vec<_> = segments.map(|segment| segment.base_offset.get()).collect();
    let files: Vec<_> = log_files(&image).into_keys().collect();
    assert_eq!(files, segments, "{place}");
    let left = image.keys().map(Path::new).find(|path| {
        let ending = path.extension().and_then(|ending| ending.to_str());
        path.starts_with(PARTITION) && matches!(ending, Some("deleted" | "stray"))
    });
    assert_eq!(left, None, "{place}");
}
