//! The program `headwater`, which npm installs (`bin/headwater.js`).

use napi_derive::napi;

/// Runs the command line on these arguments, which begin with the program's name, and returns its exit code. Blocks the
/// thread until then. Only for a process that does nothing else.
#[napi]
pub fn run_command_line(arguments: Vec<String>) -> u8 {
    restore_signals();
    headwater::cli::run(arguments).code()
}

/// Gives SIGINT and SIGTERM their default effect. Node's own handlers send the signal again, and the command line calls
/// earlier handlers from its own.
fn restore_signals() {
    #[cfg(unix)]
    for signal in [libc::SIGINT, libc::SIGTERM] {
        // SAFETY: the default effect runs no code of this process.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}
