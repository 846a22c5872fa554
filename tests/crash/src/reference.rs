//! A script on a machine without faults.

use headwater_env::SimEnv;

use crate::model::Expectation;
use crate::runner::Runner;
use crate::script::Script;
use crate::session::StepResult;

/// The result of each step of a script without faults, and the number of boundaries before it.
#[derive(Debug)]
pub struct Reference {
    /// The script.
    pub script: Script,
    /// The result of each step.
    pub outcomes: Vec<StepResult>,
    /// The number of boundaries when the log was open, and after each step.
    pub boundaries: Vec<u64>,
    /// The expectation before each step, and after the last.
    pub expectations: Vec<Expectation>,
    /// The machine afterwards.
    pub env: SimEnv,
}

impl Reference {
    /// Runs a script. Panics if a step fails.
    pub fn run(script: Script) -> Reference {
        let env = SimEnv::new(script.seed);
        let count = || env.history().len() as u64;
        let opened = Runner::open(&env, script.flush_each);
        let mut runner =
            opened.unwrap_or_else(|failure| panic!("script {}: opening: {failure:?}", script.seed));
        let mut boundaries = vec![count()];
        let mut expectations = vec![Expectation::default()];
        let mut outcomes = Vec::new();
        for (number, step) in script.steps.iter().enumerate() {
            let outcome = runner.step(step).unwrap_or_else(|failure| {
                panic!(
                    "script {}, step {number}, {step:?}: {failure:?}",
                    script.seed
                )
            });
            outcomes.push(outcome);
            boundaries.push(count());
            expectations.push(runner.expected.clone());
        }
        drop(runner);
        Reference {
            script,
            outcomes,
            boundaries,
            expectations,
            env,
        }
    }

    /// The number of boundaries of the whole script.
    pub fn total(&self) -> u64 {
        self.boundaries[self.boundaries.len() - 1]
    }

    /// The expectation after a power cut at a boundary.
    pub fn expectation_at(&self, boundary: u64) -> Expectation {
        match self.boundaries.partition_point(|&end| end <= boundary) {
            0 => Expectation::default(),
            step => self.expectations[step - 1].while_under_way(&self.outcomes[step - 1]),
        }
    }
}
