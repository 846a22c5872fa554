//! `headwater user`: manages the users of listeners with SASL.

use std::io::{self, IsTerminal as _};

use clap::{Args, Subcommand};
use headwater_server::Mechanism;
use serde::Serialize;

use super::examples;
use super::exit::Failure;
use super::output::{Output, Row};
use super::target::Target;
use crate::ScramMechanism;

/// Add, list and delete the users of listeners with SASL
#[derive(Debug, Args)]
pub(crate) struct User {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Add(Add),
    List(List),
    Delete(Delete),
}

impl User {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.action {
            Action::Add(action) => action.run(),
            Action::List(action) => action.run(),
            Action::Delete(action) => action.run(),
        }
    }
}

/// Create a user or change the password: prompted for on a terminal, otherwise the first line of standard input
#[derive(Debug, Args)]
#[command(after_help = examples::USER_ADD)]
struct Add {
    /// The name
    name: String,
    #[command(flatten)]
    target: Target,
    /// SCRAM-SHA-256 or SCRAM-SHA-512, by default both; PLAIN accepts either. May be repeated
    #[arg(long, value_name = "MECHANISM", value_parser = scram)]
    mechanism: Vec<ScramMechanism>,
}

impl Add {
    fn run(self) -> Result<(), Failure> {
        let password = password(&self.name)?;
        let mechanisms = if self.mechanism.is_empty() {
            &ScramMechanism::ALL[..]
        } else {
            &self.mechanism
        };
        self.target.with_new(|engine| {
            let set = engine
                .admin()
                .set_password(&self.name, password.as_bytes(), mechanisms);
            Ok(engine.block_on(set)?)
        })
    }
}

fn scram(name: &str) -> Result<ScramMechanism, String> {
    match name.parse::<Mechanism>() {
        Ok(Mechanism::Scram(mechanism)) => Ok(mechanism),
        Ok(Mechanism::Plain) => Err(
            "PLAIN has no passwords of its own: set one for SCRAM-SHA-256 or SCRAM-SHA-512, which PLAIN accepts too"
                .to_owned(),
        ),
        Err(error) => Err(error.to_string()),
    }
}

fn password(user: &str) -> Result<String, Failure> {
    let asked = io::stdin().is_terminal();
    let password = if asked {
        rpassword::prompt_password(format!("Password of {user}: "))
    } else {
        io::read_to_string(io::stdin())
            .map(|text| text.lines().next().unwrap_or_default().to_owned())
    };
    let password = password.map_err(|error| {
        Failure::Failed(format!(
            "Cannot read the password ({error}): write it as one line to standard input."
        ))
    })?;
    if password.is_empty() {
        return Err(Failure::Usage(
            "The password is empty: write it as one line to standard input.".to_owned(),
        ));
    }
    if asked && rpassword::prompt_password("Once more: ").ok().as_ref() != Some(&password) {
        return Err(Failure::Usage(
            "The two passwords differ: try again.".to_owned(),
        ));
    }
    Ok(password)
}

/// List users: name, mechanisms
#[derive(Debug, Args)]
#[command(after_help = examples::USER_LIST)]
struct List {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Serialize)]
struct UserLine {
    name: String,
    mechanisms: Vec<&'static str>,
}

impl Row for UserLine {
    const HEADINGS: &'static [&'static str] = &["USER", "MECHANISMS"];

    fn cells(&self) -> Vec<String> {
        vec![self.name.clone(), self.mechanisms.join(",")]
    }
}

impl List {
    fn run(self) -> Result<(), Failure> {
        let users = self
            .target
            .with(|engine| Ok(engine.block_on(engine.admin().users())?))?;
        let lines: Vec<_> = users
            .into_iter()
            .map(|user| UserLine {
                name: user.name,
                mechanisms: user
                    .mechanisms
                    .into_iter()
                    .map(ScramMechanism::name)
                    .collect(),
            })
            .collect();
        self.output.print(&lines)
    }
}

/// Delete users
#[derive(Debug, Args)]
#[command(after_help = examples::USER_DELETE)]
struct Delete {
    /// The users
    #[arg(required = true)]
    names: Vec<String>,
    #[command(flatten)]
    target: Target,
}

impl Delete {
    fn run(self) -> Result<(), Failure> {
        self.target.with(|engine| {
            for name in &self.names {
                engine.block_on(engine.admin().delete_user(name))?;
            }
            Ok(())
        })
    }
}
