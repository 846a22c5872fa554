//! A machine that starts again after a crash, with all its checks.

use headwater_env::SimEnv;

use crate::judge::{ServedRecords, check_duplicate, check_lookups, compare, read_all};
use crate::model::{Expectation, Values};
use crate::scan::end_of_whole_batches;
use crate::script::Step;
use crate::session::Session;

/// How a machine ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Crash {
    /// Unsynced data may be lost.
    PowerCut,
    /// The process died, the system continued.
    Kill,
}

impl Crash {
    /// The machine after the restart.
    pub fn after(self, env: &SimEnv, seed: u64) -> SimEnv {
        match self {
            Crash::PowerCut => env.after_power_cut(seed),
            Crash::Kill => env.after_kill(seed),
        }
    }
}

/// One machine after one crash.
#[derive(Debug)]
pub struct Survivor<'a> {
    /// The machine that crashed.
    pub crashed: &'a SimEnv,
    /// The kind of the crash.
    pub crash: Crash,
    /// Whether appends are flushed.
    pub flush_each: bool,
    /// The values that must exist.
    pub required: &'a Values,
    /// The values that may exist.
    pub expected: &'a Expectation,
    /// The seed for random decisions.
    pub seed: u64,
}

impl Survivor<'_> {
    /// Recovers, reads, recovers again, appends, and crashes once more, also in the middle of recovery.
    pub fn check(&self) -> Result<(), String> {
        let env = self.crash.after(self.crashed, self.seed);
        let whole = env.image();
        let session = self.open(&env)?;
        let recovery_boundaries = env.history().len() as u64;
        let served = self.read(&session)?;
        check_lookups(&session, &served)?;
        let end = end_of_whole_batches(&whole, served.offsets.start);
        if served.offsets.end < end {
            return Err(format!(
                "whole valid batches reach to {end}, and only those to {} were kept",
                served.offsets.end
            ));
        }
        drop(session);
        let session = self.recover_again(&env, &served)?;
        check_duplicate(&session, &served)?;
        self.go_on(session, &served)?;
        if recovery_boundaries > 0 {
            self.crash_while_recovering(self.seed % recovery_boundaries)?;
        }
        Ok(())
    }

    fn open(&self, env: &SimEnv) -> Result<Session, String> {
        Session::open(env, self.flush_each)
            .map_err(|failure| format!("the log does not open: {failure:?}"))
    }

    fn read(&self, session: &Session) -> Result<ServedRecords, String> {
        let served = read_all(session).map_err(|fault| fault.to_string())?;
        compare(&served, self.required, self.expected)?;
        Ok(served)
    }

    /// A second recovery has the same result as the first, and nothing to repair.
    fn recover_again(&self, env: &SimEnv, served: &ServedRecords) -> Result<Session, String> {
        let session = self.open(env)?;
        let report = &session.report;
        let is_whole = report.cut.is_none()
            && report.segments_removed.is_empty()
            && report.set_aside.is_empty()
            && report.missing.is_none()
            && report.damage.is_empty();
        if !is_whole {
            return Err(format!(
                "the second recovery found something to repair: {report}"
            ));
        }
        let again = read_all(&session).map_err(|fault| fault.to_string())?;
        if again == *served {
            Ok(session)
        } else {
            Err(format!(
                "the second recovery has {:?}, the first had {:?}",
                again.offsets, served.offsets
            ))
        }
    }

    /// Appending continues at the end, and flushed records are durable.
    fn go_on(&self, mut session: Session, served: &ServedRecords) -> Result<(), String> {
        let append = Step::Append {
            values: vec![b"after the crash".to_vec()],
            idempotent: self.seed.is_multiple_of(2),
            together: false,
        };
        let failed = |failure| format!("the log does not continue: {failure:?}");
        let outcome = session.step(&append).map_err(failed)?;
        session.step(&Step::Flush).map_err(failed)?;
        let Some((base, values)) = &outcome.appended else {
            return Err("nothing was appended".to_owned());
        };
        if *base != served.offsets.end {
            return Err(format!(
                "the log ends at {}, and the next record was given {base}",
                served.offsets.end
            ));
        }
        let env = session.env.after_power_cut(self.seed);
        drop(session);
        let mut required = self.required.clone();
        required.insert(*base, values[0].clone());
        let mut expected = self.expected.clone();
        expected
            .written
            .entry(*base)
            .or_default()
            .insert(values[0].clone());
        let found = read_all(&self.open(&env)?).map_err(|fault| fault.to_string())?;
        compare(&found, &required, &expected).map_err(|error| format!("after continuing: {error}"))
    }

    fn crash_while_recovering(&self, boundary: u64) -> Result<(), String> {
        let env = self.crash.after(self.crashed, self.seed);
        env.crash_at(boundary);
        if Session::open(&env, self.flush_each).is_ok() {
            return Err(format!(
                "recovery did not report that its call {boundary} failed"
            ));
        }
        let again = self.crash.after(&env, self.seed);
        let session = self.open(&again)?;
        self.read(&session)
            .map(drop)
            .map_err(|error| format!("after a crash in recovery's call {boundary}: {error}"))
    }
}
