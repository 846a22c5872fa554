//! The terminal that shows the output: its width, and whether it shows colours. `NO_COLOR` turns colours off.

use std::io::{self, IsTerminal as _};

use console::{Style, Term};

/// The columns of the terminal on standard output, if it is one.
pub(crate) fn width() -> Option<u16> {
    if !io::stdout().is_terminal() {
        return None;
    }
    Term::stdout().size_checked().map(|(_, columns)| columns)
}

/// The style of headings on standard output.
pub(crate) fn heading() -> Style {
    Style::new().bold()
}

/// The style of the word that begins an error on standard error.
pub(crate) fn error() -> Style {
    Style::new().for_stderr().red().bold()
}

/// Clears the terminal on standard output, if it is one.
pub(crate) fn clear() {
    if io::stdout().is_terminal() {
        // Output that stays on the screen is not an error.
        let _ = Term::stdout().clear_screen();
    }
}
