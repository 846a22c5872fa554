//! A bit flip anywhere on the disk, a cut file, a page of zeros.

use std::path::Path;

use headwater_crash_tests::judge::{
    Fault, ServedRecords, check_duplicate, check_lookups, read_all,
};
use headwater_crash_tests::reference::Reference;
use headwater_crash_tests::scan::log_files;
use headwater_crash_tests::script::{Script, Step};
use headwater_crash_tests::session::{DATA, Session};
use headwater_env::{Env, File, OpenMode, SimEnv};

/// How the damaged machine had ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum MachineEnd {
    InOrder,
    Killed,
}

/// A log of a few segments with records of a producer.
pub(crate) struct Machine {
    pub(crate) env: SimEnv,
    whole: ServedRecords,
    /// The offset up to which records are known to be on disk. After a crash, a clean cut after it cannot be
    /// distinguished from records that were never written.
    recovery_point: i64,
}

pub(crate) fn machine(ending: MachineEnd) -> Machine {
    let mut script = Script::draw(2, 24);
    // A truncated log lacks the promises that a damaged log must keep; here it is complete.
    script
        .steps
        .retain(|step| !matches!(step, Step::Truncate(_)));
    let env = Reference::run(script).env.after_kill(0);
    let session = Session::open(&env, false).expect("it recovers");
    let served = read_all(&session).expect("it is whole");
    assert!(
        session.log.segments().len() > 2,
        "there are sealed segments"
    );
    if matches!(ending, MachineEnd::InOrder) {
        session.close().expect("the disk is good");
    }
    drop(session);
    let path = Path::new(DATA).join("recovery-point-offset-checkpoint");
    let checkpoint = env
        .read_file(&path)
        .expect("the disk is good")
        .expect("it was written");
    let text = String::from_utf8(checkpoint.to_vec()).expect("it is text");
    let recovery_point = text
        .split_whitespace()
        .last()
        .and_then(|word| word.parse().ok())
        .expect("it ends with an offset");
    assert!(0 < recovery_point && recovery_point <= served.offsets.end);
    Machine {
        env: env.after_kill(0),
        whole: served,
        recovery_point,
    }
}

/// Damages every position of every file in one way, and judges the result.
fn damage_everywhere(ending: MachineEnd, damage: impl Fn(&mut Vec<u8>, usize), what: &str) {
    let machine = machine(ending);
    let mut found = 0;
    for (path, bytes) in machine.env.image() {
        for place in 0..bytes.len() {
            let env = machine.env.after_kill(0);
            let mut damaged = bytes.to_vec();
            damage(&mut damaged, place);
            let file = env
                .open_file(Path::new(&path), OpenMode::Write)
                .expect("it is there");
            file.set_len(0).expect("the disk is good");
            file.write_all_at(&damaged, 0).expect("the disk is good");
            drop(file);
            match machine.judge(&env) {
                Ok(told) => found += usize::from(told),
                Err(error) => panic!(
                    "{ending:?}, {path}, {what} at byte {place} of {}: {error}",
                    bytes.len()
                ),
            }
        }
    }
    assert!(
        found > 100,
        "only {found} damages were found: the test may damage nothing"
    );
}

impl Machine {
    /// Whether the damage was reported; an error if it caused silent harm.
    fn judge(&self, env: &SimEnv) -> Result<bool, String> {
        let whole = &self.whole;
        let Ok(session) = Session::open(env, false) else {
            return Ok(true);
        };
        let served = match read_all(&session) {
            Ok(served) => served,
            Err(Fault::Told(_)) => return Ok(true),
            Err(fault @ Fault::Silent(_)) => return Err(fault.to_string()),
        };
        for (offset, value) in &served.values {
            if whole.values.get(offset) != Some(value) {
                return Err(format!(
                    "offset {offset} has a value that was never written there"
                ));
            }
        }
        let is_known_lost =
            served.offsets.start > whole.offsets.start || served.offsets.end < self.recovery_point;
        if is_known_lost && session.report.is_clean() {
            return Err(format!(
                "{:?} of {:?} are served, and the report is clean",
                served.offsets, whole.offsets
            ));
        }
        check_lookups(&session, &served)?;
        if served.offsets == whole.offsets {
            check_duplicate(&session, &served)?;
        }
        Ok(!session.report.is_clean())
    }
}

fn flip(bytes: &mut [u8], place: usize) {
    bytes[place] ^= 1 << (place % 8);
}

fn cut(bytes: &mut Vec<u8>, place: usize) {
    bytes.truncate(place);
}

fn zero(bytes: &mut [u8], place: usize) {
    let end = bytes.len().min(place + 64);
    bytes[place..end].fill(0);
}

#[test]
fn a_flipped_bit_is_found_or_harmless_after_an_orderly_end() {
    damage_everywhere(
        MachineEnd::InOrder,
        |bytes, place| flip(bytes, place),
        "a bit flipped",
    );
}

#[test]
fn a_flipped_bit_is_found_or_harmless_after_a_crash() {
    damage_everywhere(
        MachineEnd::Killed,
        |bytes, place| flip(bytes, place),
        "a bit flipped",
    );
}

#[test]
fn a_cut_file_is_found_or_harmless_after_an_orderly_end() {
    damage_everywhere(MachineEnd::InOrder, cut, "cut");
}

#[test]
fn a_cut_file_is_found_or_harmless_after_a_crash() {
    damage_everywhere(MachineEnd::Killed, cut, "cut");
}

#[test]
fn zeros_are_found_or_harmless_after_an_orderly_end() {
    damage_everywhere(
        MachineEnd::InOrder,
        |bytes, place| zero(bytes, place),
        "64 zeros",
    );
}

#[test]
fn zeros_are_found_or_harmless_after_a_crash() {
    damage_everywhere(
        MachineEnd::Killed,
        |bytes, place| zero(bytes, place),
        "64 zeros",
    );
}

#[test]
fn a_missing_file_is_found_or_harmless() {
    for ending in [MachineEnd::InOrder, MachineEnd::Killed] {
        let machine = machine(ending);
        // Without its first file, a log looks like one that starts later, as after retention.
        let first = log_files(&machine.env.image()).into_keys().next();
        let first = format!("{:020}.log", first.expect("there is a segment"));
        for path in machine
            .env
            .image()
            .into_keys()
            .filter(|path| !path.ends_with(&first))
        {
            let env = machine.env.after_kill(0);
            env.remove_file(Path::new(&path)).expect("it is there");
            env.sync_dir(Path::new(DATA)).expect("the disk is good");
            machine
                .judge(&env)
                .unwrap_or_else(|error| panic!("{ending:?}, {path} is missing: {error}"));
        }
    }
}
