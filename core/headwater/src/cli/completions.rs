//! `headwater completions`: prints a completion script for a shell.

use std::io::{self, Write as _};

use clap::{Args, ValueEnum};
use clap_complete::aot::{Bash, Fish, Generator, Zsh, generate};

use super::examples;
use super::exit::Failure;

/// Print a script that completes commands, options and their values in a shell
#[derive(Debug, Args)]
#[command(after_help = examples::COMPLETIONS)]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shell {
    /// Load it in ~/.bashrc with: source <(headwater completions bash)
    Bash,
    /// Save it as _headwater in a directory of $fpath, before compinit runs
    Zsh,
    /// Save it as ~/.config/fish/completions/headwater.fish
    Fish,
}

impl Completions {
    pub(crate) fn run(self) -> Result<(), Failure> {
        let script = match self.shell {
            Shell::Bash => script(Bash),
            Shell::Zsh => script(Zsh),
            Shell::Fish => script(Fish),
        };
        io::stdout()
            .write_all(&script)
            .map_err(|error| Failure::of_output(&error))
    }
}

fn script(shell: impl Generator) -> Vec<u8> {
    let mut script = Vec::new();
    generate(shell, &mut super::command(), "headwater", &mut script);
    script
}
