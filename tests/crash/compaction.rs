//! A power cut, the death of the process, or a disk error, in the middle of every call of a program that compacts its
//! log.

use headwater_crash_tests::compacted::judge::{Expectation, judge, read_all};
use headwater_crash_tests::compacted::script::{Step, draw, marker_and_value_in_emptied_segments};
use headwater_crash_tests::compacted::session::{Failure, Session, StepResult};
use headwater_crash_tests::survival::Crash;
use headwater_env::{Boundary, Fault, Operation, SimEnv, Times};

const SCRIPTS: u64 = 6;
const STEPS: usize = 45;
/// The number of disk states tried after one power cut.
const CUTS: u64 = 6;
const KILLS: u64 = 2;

/// A program, and the results it got so far.
struct Program {
    env: SimEnv,
    session: Option<Session>,
    expected: Expectation,
    outcomes: Vec<(Expectation, StepResult)>,
    boundaries: Vec<u64>,
}

impl Program {
    fn start(env: &SimEnv) -> Result<Program, String> {
        Ok(Program {
            env: env.clone(),
            session: Some(Session::open(env)?),
            expected: Expectation::default(),
            outcomes: Vec::new(),
            boundaries: vec![env.history().len() as u64],
        })
    }

    fn session(&mut self) -> Result<&mut Session, Failure> {
        if self.session.is_none() {
            self.session = Some(Session::open(&self.env).map_err(Failure)?);
        }
        self.session
            .as_mut()
            .ok_or_else(|| Failure("no session".to_owned()))
    }

    fn step(&mut self, step: &Step) -> Result<(), Failure> {
        let before = self.expected.clone();
        let outcome = if *step == Step::Restart {
            self.session()?.close()?;
            self.session = None;
            let end = self.session()?.log.log_end_offset().get();
            StepResult {
                durable_to: Some(end),
                ..StepResult::default()
            }
        } else {
            let end = self.session()?.log.log_end_offset().get();
            let result = self.session()?.step(step);
            if let (Err(_), Step::Append { records, .. }) = (&result, step) {
                let in_vain = StepResult {
                    appended: Some((end, records.clone())),
                    ..StepResult::default()
                };
                self.expected = self.expected.while_under_way(&in_vain);
            }
            result?
        };
        self.expected = self.expected.after(&outcome);
        self.outcomes.push((before, outcome));
        self.boundaries.push(self.env.history().len() as u64);
        Ok(())
    }

    /// The expectation after a power cut at a boundary.
    fn expectation_at(&self, boundary: u64) -> Expectation {
        match self.boundaries.partition_point(|end| *end <= boundary) {
            0 => Expectation::default(),
            step => {
                let (before, outcome) = &self.outcomes[step - 1];
                before.while_under_way(outcome)
            }
        }
    }
}

fn run(env: &SimEnv, steps: &[Step]) -> Result<Program, String> {
    let mut program = Program::start(env)?;
    for (number, step) in steps.iter().enumerate() {
        let place = |failure| format!("step {number}, {step:?}: {failure:?}");
        program.step(step).map_err(place)?;
    }
    Ok(program)
}

/// Opens, reads, opens again, sends a batch again, and continues to write and clean.
fn check(env: &SimEnv, expected: &Expectation, promised_to: i64) -> Result<(), String> {
    let session = Session::open(env)?;
    let served = read_all(&session)?;
    judge(&served, expected, promised_to)
        .map_err(|error| format!("{error}; recovery: {}", session.report))?;
    if !session.report.damage.is_empty() {
        return Err(format!("damage was found: {}", session.report));
    }
    if let Some(name) = env.image().into_keys().find(|name| {
        [".cleaned", ".swap"]
            .iter()
            .any(|suffix| name.ends_with(suffix))
    }) {
        return Err(format!("{name} was not removed"));
    }
    drop(session);
    let mut session = Session::open(env)?;
    if !session.report.is_clean() && session.report.indexes_rebuilt.is_empty() {
        return Err(format!(
            "the second recovery found something: {}",
            session.report
        ));
    }
    if read_all(&session)? != served {
        return Err("the second recovery has another result".to_owned());
    }
    if let Some((base, batch)) = &served.newest {
        let again = session.resend(batch);
        if again != Ok(Some(*base)) {
            return Err(format!(
                "the newest batch, at {base}, was sent again: {again:?}"
            ));
        }
    }
    let mut expected = expected.clone();
    expected.written.retain(|offset, _| *offset < served.end);
    let more = Step::Append {
        records: vec![(1, Some(b"after the crash".to_vec()))],
        idempotent: true,
    };
    for step in [more, Step::Roll, Step::Flush, Step::Clean] {
        let outcome = session
            .step(&step)
            .map_err(|failure| format!("{step:?}: {failure:?}"))?;
        expected = expected.after(&outcome);
    }
    judge(&read_all(&session)?, &expected, served.end + 1)
        .map_err(|error| format!("after continuing: {error}"))?;
    let machine = env.after_power_cut(1);
    judge(
        &read_all(&Session::open(&machine)?)?,
        &expected,
        served.end + 1,
    )
    .map_err(|error| format!("after continuing and a power cut: {error}"))
}

/// Crashes in the middle of a recovery from a crash.
fn check_recovery(
    crashed: &SimEnv,
    crash: Crash,
    seed: u64,
    expected: &Expectation,
    promised_to: i64,
) -> Result<(), String> {
    let env = crash.after(crashed, seed);
    drop(Session::open(&env)?);
    let boundaries = env.history().len() as u64;
    let env = crash.after(crashed, seed);
    env.crash_at(seed.wrapping_mul(7) % boundaries.max(1));
    if Session::open(&env).is_ok() {
        return Err("recovery did not report a failed call".to_owned());
    }
    let session = Session::open(&crash.after(&env, seed))?;
    judge(&read_all(&session)?, expected, promised_to)
        .map_err(|error| format!("after a crash in recovery: {error}"))
}

/// Crashes at every boundary of a script that has run before. Returns the number of checked disks.
fn crash_everywhere(seed: u64, steps: &[Step], reference: &Program) -> usize {
    let history = reference.env.history();
    let mut states = 0;
    for boundary in 0..history.len() as u64 {
        let env = SimEnv::new(seed);
        env.crash_at(boundary);
        let place = format!(
            "script {seed}, boundary {boundary}, {:?}",
            history[boundary as usize]
        );
        assert!(
            run(&env, steps).is_err(),
            "{place}: the failure was not reported"
        );
        assert_eq!(
            env.history(),
            history[..=boundary as usize],
            "{place}: the calls before it differ"
        );
        let expected = reference.expectation_at(boundary);
        let cuts = (0..CUTS).map(|cut| (Crash::PowerCut, cut, expected.durable_to));
        let kills = (0..KILLS).map(|kill| (Crash::Kill, kill, expected.appended_to));
        for (crash, seed, promised_to) in cuts.chain(kills) {
            states += 1;
            check(&crash.after(&env, seed), &expected, promised_to)
                .and_then(|()| check_recovery(&env, crash, seed, &expected, promised_to))
                .unwrap_or_else(|error| panic!("{place}, {crash:?} {seed}: {error}"));
        }
    }
    states
}

#[test]
fn a_tombstone_is_dropped_after_the_value_that_it_deletes() {
    let steps = marker_and_value_in_emptied_segments();
    let env = SimEnv::new(0);
    let mut reference = run(&env, &steps).unwrap_or_else(|error| panic!("{error}"));
    let dropped = |boundary: &&Boundary| {
        boundary.operation == Operation::Rename
            && boundary
                .path
                .extension()
                .is_some_and(|ending| ending == "log")
    };
    assert_eq!(
        env.history().iter().filter(dropped).count(),
        2,
        "two segments are emptied"
    );
    let served = read_all(reference.session().unwrap()).unwrap();
    let keys: Vec<_> = served.records.values().map(|record| record.0).collect();
    assert_eq!(keys, [0, 9, 3]);
    crash_everywhere(0, &steps, &reference);
}

#[test]
fn the_last_value_of_each_key_survives_a_crash_anywhere_in_a_compaction() {
    let (mut states, mut swaps) = (0, 0);
    for seed in 0..SCRIPTS {
        let steps = draw(seed, STEPS);
        let env = SimEnv::new(seed);
        let reference = run(&env, &steps).unwrap_or_else(|error| panic!("script {seed}: {error}"));
        let history = env.history();
        swaps += history
            .iter()
            .filter(|boundary| {
                boundary.operation == Operation::Rename
                    && boundary
                        .path
                        .extension()
                        .is_some_and(|ending| ending == "swap")
            })
            .count();
        states += crash_everywhere(seed, &steps, &reference);
    }
    println!("{states} crash states, {swaps} files swapped");
    assert!(
        states > 10_000 && swaps > 100,
        "only {states} crash states and {swaps} swaps"
    );
}

/// Runs a script in which one call fails; skips the steps that fail.
fn run_through(seed: u64, steps: &[Step], fault: Fault) -> (SimEnv, Expectation, usize) {
    let env = SimEnv::new(seed);
    env.inject(fault);
    let Ok(mut program) = Program::start(&env) else {
        return (env, Expectation::default(), 0);
    };
    let mut failed = 0;
    for step in steps {
        if program.step(step).is_err() {
            failed += usize::from(*step == Step::Clean);
            if let Some(session) = &program.session {
                let served = read_all(session).expect("reads still work");
                judge(&served, &program.expected, program.expected.appended_to)
                    .unwrap_or_else(|error| panic!("{fault:?}, {step:?}: {error}"));
                if session.log.poisoned().is_some() {
                    break;
                }
            }
        }
    }
    (env, program.expected, failed)
}

/// The number of steps in which a program lacks file descriptors.
const STEPS_WITHOUT_DESCRIPTORS: usize = 3;

/// The process can open no more files from any boundary on, also in the middle of a swap, and some steps later it can
/// again.
#[test]
fn a_process_without_descriptors_for_a_while_cleans_its_log_later() {
    let mut failed = 0;
    for seed in 0..SCRIPTS {
        let steps = draw(seed, STEPS);
        let env = SimEnv::new(seed);
        let reference = run(&env, &steps).unwrap_or_else(|error| panic!("script {seed}: {error}"));
        for boundary in reference.boundaries[0]..env.history().len() as u64 {
            failed += run_without_descriptors(seed, &steps, boundary);
        }
    }
    assert!(failed > 100, "only {failed} cleanings failed");
}

/// Runs a script, skipping the steps that fail; returns the number of failed cleanings.
fn run_without_descriptors(seed: u64, steps: &[Step], from: u64) -> usize {
    let place = format!("script {seed}, boundary {from}");
    let env = SimEnv::new(seed);
    env.set_out_of_files_at(from);
    let mut program = Program::start(&env).unwrap_or_else(|error| panic!("{place}: {error}"));
    let (mut left, mut failed) = (STEPS_WITHOUT_DESCRIPTORS, 0);
    for step in steps {
        if program.step(step).is_err() {
            if *step == Step::Restart {
                // The log may already be closed; then only another restart can follow.
                env.set_out_of_files(false);
                let again = program.step(step);
                again.unwrap_or_else(|failure| panic!("{place}, {step:?}: {failure:?}"));
            }
            failed += usize::from(*step == Step::Clean);
            for cut in 0..2 {
                let (env, expected) = (env.after_power_cut(cut), &program.expected);
                check(&env, expected, expected.durable_to)
                    .unwrap_or_else(|error| panic!("{place}, {step:?}, cut {cut}: {error}"));
            }
        }
        left -= usize::from(env.history().len() as u64 > from && left > 0);
        if left == 0 {
            env.set_out_of_files(false);
        }
        let session = program.session();
        let session = session.unwrap_or_else(|failure| panic!("{place}, {step:?}: {failure:?}"));
        assert_eq!(session.log.poisoned(), None, "{place}, {step:?}");
    }
    env.set_out_of_files(false);
    for step in [Step::Flush, Step::Clean] {
        let done = program.step(&step);
        done.unwrap_or_else(|failure| panic!("{place}, {step:?}: {failure:?}"));
    }
    let expected = &program.expected;
    check(&env.after_kill(0), expected, expected.appended_to)
        .unwrap_or_else(|error| panic!("{place}: {error}"));
    failed
}

#[test]
fn a_cleaning_that_fails_at_any_call_leaves_the_log_whole() {
    let mut failed = 0;
    for seed in 0..3 {
        let steps = draw(seed, STEPS);
        let env = SimEnv::new(seed);
        run(&env, &steps).unwrap_or_else(|error| panic!("script {seed}: {error}"));
        let kinds = [
            (Operation::Write, std::io::ErrorKind::StorageFull),
            (Operation::Sync, std::io::ErrorKind::Other),
            (Operation::SyncDir, std::io::ErrorKind::Other),
            (Operation::Rename, std::io::ErrorKind::StorageFull),
            (Operation::Create, std::io::ErrorKind::StorageFull),
            (Operation::Remove, std::io::ErrorKind::Other),
        ];
        for (operation, error) in kinds {
            for nth in 0..env.calls(operation) {
                let fault = Fault {
                    operation,
                    nth,
                    times: Times::Once,
                    error,
                };
                let (env, expected, cleanings) = run_through(seed, &steps, fault);
                failed += cleanings;
                for cut in 0..3 {
                    check(&env.after_power_cut(cut), &expected, expected.durable_to)
                        .unwrap_or_else(|error| {
                            panic!("script {seed}, {fault:?}, cut {cut}: {error}")
                        });
                }
            }
        }
    }
    assert!(failed > 100, "only {failed} cleanings failed");
}
