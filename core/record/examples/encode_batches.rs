//! Encodes the batches of `cases.json` into files `<case>.<codec>.bin`, and the two transaction markers, for
//! `tests/foreign/test_record_batches.py` to decode with other clients.
//!
//! `cargo run -p headwater-record --example encode_batches -- CASES_JSON OUTPUT_DIRECTORY`

#[path = "../tests/it/cases/mod.rs"]
#[allow(dead_code)] // shared with a test, which uses more of it
mod cases;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, fs, io};

use headwater_record::{Compression, ControlType, ProducerEpoch, ProducerId, control_batch};

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [cases, output] = arguments.as_slice() else {
        eprintln!("usage: encode_batches CASES_JSON OUTPUT_DIRECTORY");
        return ExitCode::from(2);
    };
    match encode(cases, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("encode_batches: {error}");
            ExitCode::FAILURE
        }
    }
}

fn encode(cases: &Path, output: &Path) -> io::Result<()> {
    for case in cases::parse(&fs::read_to_string(cases)?) {
        for codec in Compression::ALL {
            fs::write(
                output.join(format!("{}.{codec}.bin", case.name)),
                case.encode(codec),
            )?;
        }
    }
    for (name, control_type) in [
        ("commit", ControlType::Commit),
        ("abort", ControlType::Abort),
    ] {
        let batch = control_batch(
            control_type,
            1_357_000_000_000,
            ProducerId::new(4000),
            ProducerEpoch::new(7),
            3,
        );
        fs::write(output.join(format!("control-{name}.bin")), batch)?;
    }
    Ok(())
}
