//! The command line: one file per command. Commands use the public API of this crate.
//!
//! Results go to standard output, in a plain format if it is piped; errors and the log go to standard error. The exit
//! code is an [`Exit`].

#![allow(
    clippy::doc_markdown,
    reason = "the documentation of an argument is the text of --help"
)]

mod arguments;
mod closing_line;
mod completions;
mod consume;
mod dump;
mod examples;
mod exit;
mod group;
mod logging;
mod output;
mod payload;
mod produce;
mod properties;
mod serve;
mod stop;
mod table;
mod target;
mod terminal;
mod topic;
mod user;
mod wording;

use std::ffi::OsString;
use std::io::Write as _;

use clap::{CommandFactory as _, Parser, Subcommand};

pub use exit::Exit;
use exit::Failure;

/// Kafka as a library, from the shell.
#[derive(Debug, Parser)]
#[command(name = "headwater", version, arg_required_else_help = true, after_help = exit::CODES)]
struct Arguments {
    /// The log on standard error: off, error, warn, info, debug, trace, or directives such as headwater_server=debug
    #[arg(long, global = true, value_name = "FILTER", default_value = "warn")]
    log: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Serve),
    Topic(topic::Topic),
    Produce(produce::Produce),
    Consume(consume::Consume),
    Group(group::Group),
    User(user::User),
    Dump(dump::Dump),
    Completions(completions::Completions),
}

impl Command {
    fn run(self) -> Result<(), Failure> {
        match self {
            Self::Serve(command) => command.run(),
            Self::Topic(command) => command.run(),
            Self::Produce(command) => command.run(),
            Self::Consume(command) => command.run(),
            Self::Group(command) => command.run(),
            Self::User(command) => command.run(),
            Self::Dump(command) => command.run(),
            Self::Completions(command) => command.run(),
        }
    }
}

/// The definition of the command line, for its documentation and completions.
pub fn command() -> clap::Command {
    Arguments::command()
}

/// Runs the command line `args`, which begins with the program's name.
pub fn run(args: impl IntoIterator<Item = impl Into<OsString> + Clone>) -> Exit {
    let arguments = match Arguments::try_parse_from(args) {
        Ok(arguments) => arguments,
        Err(answer) => {
            // If neither output can be written, the error cannot be reported.
            let _ = answer.print();
            return if answer.use_stderr() {
                Exit::Usage
            } else {
                Exit::Success
            };
        }
    };
    let done = logging::start(&arguments.log).and_then(|()| arguments.command.run());
    match done {
        Ok(()) => Exit::Success,
        Err(failure) => {
            if let Some(message) = failure.message() {
                let name = terminal::error().apply_to("headwater:");
                let _ = writeln!(std::io::stderr(), "{name} {message}");
            }
            failure.exit()
        }
    }
}
