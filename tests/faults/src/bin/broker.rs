//! The program `headwater`, as a process that scenarios can kill.

use std::process::ExitCode;

fn main() -> ExitCode {
    headwater::cli::run(std::env::args_os()).into()
}
