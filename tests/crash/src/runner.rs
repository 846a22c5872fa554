//! Runs the steps of a program, and tracks the expectation.

use headwater_env::SimEnv;

use crate::model::Expectation;
use crate::script::{Script, Step};
use crate::session::{Failure, Session, StepResult};

/// A session, or several ones in a script with restarts.
#[derive(Debug)]
pub struct Runner {
    env: SimEnv,
    flush_each: bool,
    /// None between the end of one session and the start of the next.
    session: Option<Session>,
    /// The values that must exist and those that may.
    pub expected: Expectation,
}

impl Runner {
    /// Opens the log.
    pub fn open(env: &SimEnv, flush_each: bool) -> Result<Runner, Failure> {
        let session = Some(Session::open(env, flush_each)?);
        Ok(Runner {
            env: env.clone(),
            flush_each,
            session,
            expected: Expectation::default(),
        })
    }

    /// Runs all steps; stops at the first that fails.
    pub fn run(env: &SimEnv, script: &Script) -> Result<Runner, Failure> {
        let mut runner = Runner::open(env, script.flush_each)?;
        for step in &script.steps {
            runner.step(step)?;
        }
        Ok(runner)
    }

    /// The open session; opens one if there is none.
    pub fn session(&mut self) -> Result<&mut Session, Failure> {
        if self.session.is_none() {
            self.session = Some(Session::open(&self.env, self.flush_each)?);
        }
        self.session
            .as_mut()
            .ok_or_else(|| Failure::Other("no session".to_owned()))
    }

    /// Runs one step. A failed step may be repeated.
    pub fn step(&mut self, step: &Step) -> Result<StepResult, Failure> {
        let in_vain = self
            .session
            .as_ref()
            .map(|session| outcome_in_vain(session, step));
        let result = if *step == Step::Restart {
            self.restart()
        } else {
            self.session()?.step(step)
        };
        match (&result, in_vain) {
            (Ok(outcome), _) => self.expected = self.expected.after(outcome),
            (Err(_), Some(in_vain)) => self.expected = self.expected.while_under_way(&in_vain),
            (Err(_), None) => {}
        }
        result
    }

    fn restart(&mut self) -> Result<StepResult, Failure> {
        if let Some(session) = &self.session {
            session.close()?;
        }
        self.session = None;
        // A closed log is durable to its end.
        let session = self.session()?;
        let durable_to = Some(session.log.log_end_offset().get());
        Ok(session.outcome(StepResult {
            durable_to,
            ..StepResult::default()
        }))
    }
}

/// The maximum effect of a failed step.
fn outcome_in_vain(session: &Session, step: &Step) -> StepResult {
    let mut outcome = session.outcome(StepResult::default());
    match step {
        Step::Append { values, .. } => outcome.appended = Some((outcome.log_end, values.clone())),
        Step::Truncate(percent) => {
            let target = session.at_percent(100 - percent);
            let start = session.log.log_start_offset();
            outcome.log_end = session.batch_at(target).unwrap_or(start).get();
        }
        Step::DeleteRecords(percent) => outcome.log_start = session.at_percent(*percent).get(),
        Step::DeleteOldest => {
            let oldest = session.log.segments()[0].end_offset.get();
            outcome.log_start = outcome.log_start.max(oldest);
        }
        // Retention keeps the active segment.
        Step::ApplyRetention => {
            let active = session
                .log
                .segments()
                .last()
                .map(|segment| segment.base_offset.get());
            outcome.log_start = active.unwrap_or(outcome.log_start).max(outcome.log_start);
        }
        _ => {}
    }
    outcome
}
