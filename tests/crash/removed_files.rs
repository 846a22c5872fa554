//! Another program removes the files of an open log.

use std::path::Path;

use headwater_crash_tests::script::Step;
use headwater_crash_tests::session::{Failure, PARTITION, Session};
use headwater_env::{Env as _, SimEnv};

fn append() -> Step {
    Step::Append {
        values: vec![b"a value".to_vec()],
        idempotent: true,
        together: false,
    }
}

#[test]
fn records_for_a_removed_file_are_not_acknowledged() {
    for flush_each in [false, true] {
        let env = SimEnv::new(7);
        let mut session = Session::open(&env, flush_each).expect("an empty disk");
        session.step(&append()).expect("the files are there");
        env.remove_dir_all(Path::new(PARTITION))
            .expect("it is there");
        for _ in 0..2 {
            let refused = session.step(&append());
            assert!(matches!(refused, Err(Failure::Poisoned(_))), "{refused:?}");
        }
    }
}
