//! One segment is missing, cut or damaged: recovery destroys no other.

use std::path::Path;

use bytes::Bytes;
use headwater_crash_tests::scan::log_files;
use headwater_crash_tests::session::{PARTITION, Session};
use headwater_crash_tests::survival::Crash;
use headwater_env::{Env, File, OpenMode, SimEnv};

use crate::damage::{MachineEnd, machine};

/// Damage to a log file.
#[derive(Debug, Clone, Copy)]
enum Harm {
    Missing,
    Cut(u64),
    Flipped(u64),
}

impl Harm {
    fn all(len: u64) -> impl Iterator<Item = Harm> {
        let each = move |step| (0..len).step_by(step);
        let cut = each(7).map(Harm::Cut);
        [Harm::Missing]
            .into_iter()
            .chain(cut)
            .chain(each(3).map(Harm::Flipped))
    }

    fn apply(self, env: &SimEnv, path: &Path) -> std::io::Result<()> {
        match self {
            Harm::Missing => env.remove_file(path),
            Harm::Cut(at) => env.open_file(path, OpenMode::Write)?.set_len(at),
            Harm::Flipped(at) => {
                let file = env.open_file(path, OpenMode::Write)?;
                let byte = file.read_bytes(at, 1)?[0];
                file.write_all_at(&[byte ^ (1 << (at % 8))], at)
            }
        }
    }
}

#[test]
fn all_other_segments_are_kept_after_any_gap_or_damage() {
    let mut aside = 0;
    for ending in [MachineEnd::InOrder, MachineEnd::Killed] {
        let machine = machine(ending);
        let segments = log_files(&machine.env.image());
        for (base_offset, bytes) in &segments {
            let path = Path::new(PARTITION).join(format!("{base_offset:020}.log"));
            for harm in Harm::all(bytes.len() as u64) {
                // After a reboot recovery must assume that unsynced writes were lost.
                for crash in [Crash::Kill, Crash::PowerCut] {
                    let place = format!("{ending:?}, {crash:?}, {} {harm:?}", path.display());
                    let harmed = machine.env.after_kill(1);
                    harm.apply(&harmed, &path).expect("the disk is good");
                    let env = match crash {
                        Crash::Kill => harmed,
                        Crash::PowerCut => synced(&harmed).after_power_cut(1),
                    };
                    if let Ok(session) = Session::open(&env, false) {
                        aside += session.report.set_aside.len();
                    }
                    let kept: Vec<Bytes> = env.image().into_values().collect();
                    for (other, bytes) in segments.iter().filter(|(at, _)| *at != base_offset) {
                        assert!(kept.contains(bytes), "{place}: segment {other} is gone");
                    }
                }
            }
        }
    }
    assert!(aside > 100, "only {aside} segments were set aside");
}

/// The same machine, with everything synced.
fn synced(env: &SimEnv) -> SimEnv {
    for path in env.image().into_keys() {
        let file = env.open_file(Path::new(&path), OpenMode::Write);
        file.and_then(|file| file.sync_data())
            .expect("the disk is good");
    }
    for dir in ["", "data", PARTITION] {
        env.sync_dir(Path::new(dir)).expect("the disk is good");
    }
    env.clone()
}
