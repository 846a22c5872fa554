//! The last line of commands that move records: "50,000 records in 0.4 s", on standard error.

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::HumanCount;

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Quiet {
    /// Do not print the closing line, such as "50,000 records in 0.4 s", on standard error
    #[arg(long, short)]
    quiet: bool,
}

/// The start of a command's work.
#[derive(Debug)]
pub(crate) struct ClosingLine {
    quiet: bool,
    started: Instant,
}

impl ClosingLine {
    pub(crate) fn start(quiet: Quiet) -> Self {
        Self {
            quiet: quiet.quiet,
            started: Instant::now(),
        }
    }

    /// Prints the line. A failure to print it is not an error.
    pub(crate) fn print(&self, records: u64) {
        if !self.quiet {
            let _ = writeln!(io::stderr(), "{}", line(records, self.started.elapsed()));
        }
    }
}

fn line(records: u64, elapsed: Duration) -> String {
    let noun = if records == 1 { "record" } else { "records" };
    let minutes = elapsed.as_secs() / 60;
    let time = if minutes == 0 {
        format!("{:.1} s", elapsed.as_secs_f64())
    } else {
        format!("{minutes} min {} s", elapsed.as_secs() % 60)
    };
    format!("{} {noun} in {time}", HumanCount(records))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_has_the_number_and_the_time() {
        let after = |ms| Duration::from_millis(ms);
        assert_eq!(line(50_000, after(412)), "50,000 records in 0.4 s");
        assert_eq!(line(1, after(0)), "1 record in 0.0 s");
        assert_eq!(line(999, after(59_900)), "999 records in 59.9 s");
        assert_eq!(
            line(1_234_567, after(125_000)),
            "1,234,567 records in 2 min 5 s"
        );
    }
}
