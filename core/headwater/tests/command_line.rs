//! The page of commands is printed from the definition of the command line.
#![allow(clippy::unwrap_used, reason = "a panic shows where a test failed")]

use std::fmt::Write as _;

use clap::{Arg, ArgAction, Command};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/COMMAND_LINE.md");

const INTRODUCTION: &str = "\
# Command line

`headwater` comes with the Python package, and with `cargo install --path core/headwater`. Results go to standard output: aligned tables on a terminal
(colours unless `NO_COLOR` is set), cells separated by tabs in a pipe, and JSON, one object on each line, with `--json`. Errors, the closing line of
`produce` and `consume`, and the log go to standard error.

A command works on a data directory (`--data`, or the variable `HEADWATER_DATA`), which no other process may have open, or on a running cluster
(`--bootstrap-server`, or `HEADWATER_BOOTSTRAP_SERVER`). Options win over variables.

Printed from the code; do not edit. A test runs the examples in the order of this page.
";

/// `HEADWATER_WRITE_DOCS=1 cargo test -p headwater --test command_line` writes the page again.
#[test]
fn the_page_of_commands_is_up_to_date() {
    let mut command = headwater::cli::command();
    command.build();
    let mut page = String::from(INTRODUCTION);
    print_after(&command, "text", &mut page);
    print_arguments(
        "Options of all commands",
        command.get_arguments().filter(|arg| arg.is_global_set()),
        &mut page,
    );
    for command in command.get_subcommands() {
        print(command, &mut page);
    }
    if std::env::var_os("HEADWATER_WRITE_DOCS").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    }
    let written = std::fs::read_to_string(PAGE).unwrap();
    assert!(
        written == page,
        "{PAGE} differs from the code: write it again with HEADWATER_WRITE_DOCS=1"
    );
}

/// Prints a command that does something, or the commands in it.
fn print(command: &Command, page: &mut String) {
    if command.get_name() == "help" {
        return;
    }
    if command.has_subcommands() {
        for command in command.get_subcommands() {
            print(command, page);
        }
        return;
    }
    let name = command.get_bin_name().unwrap();
    let about = command.get_about().unwrap();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage:").trim();
    write!(
        page,
        "\n## {name}\n\n{}.\n\n```\n{usage}\n```\n",
        escaped(&about.to_string())
    )
    .unwrap();
    let own =
        |arg: &&Arg| !arg.is_global_set() && !matches!(arg.get_id().as_str(), "help" | "version");
    print_arguments("Argument", command.get_arguments().filter(own), page);
    print_after(command, "sh", page);
}

/// Prints a table of arguments. It has a column of defaults if one of them has a default.
fn print_arguments<'a>(title: &str, arguments: impl Iterator<Item = &'a Arg>, page: &mut String) {
    let rows: Vec<_> = arguments.map(row).collect();
    if rows.is_empty() {
        return;
    }
    let has_defaults = rows.iter().any(|[.., defaults]| !defaults.is_empty());
    let columns = if has_defaults { 3 } else { 2 };
    let heading = [title, "Description", "Default"].map(String::from);
    let line = ["---"; 3].map(String::from);
    page.push('\n');
    for cells in [heading, line].iter().chain(&rows) {
        writeln!(page, "| {} |", cells[..columns].join(" | ")).unwrap();
    }
}

/// The name of an argument, its description and its defaults.
fn row(arg: &Arg) -> [String; 3] {
    let value = match arg.get_value_names() {
        Some(names) if arg.get_action().takes_values() => names[0].as_str(),
        _ => "",
    };
    let is_flag = matches!(arg.get_action(), ArgAction::SetTrue);
    let name = match (arg.get_short(), arg.get_long()) {
        (Some(short), Some(long)) if is_flag => format!("`-{short}`, `--{long}`"),
        (Some(short), Some(long)) => format!("`-{short}`, `--{long} {value}`"),
        (None, Some(long)) if is_flag => format!("`--{long}`"),
        (None, Some(long)) if arg.is_require_equals_set() => format!("`--{long}[={value}]`"),
        (None, Some(long)) => format!("`--{long} {value}`"),
        _ => format!("`{value}`"),
    };
    let mut help = with_options_as_code(&escaped(&arg.get_help().unwrap().to_string()));
    let choices: Vec<_> = if is_flag {
        Vec::new()
    } else {
        arg.get_possible_values()
    };
    for choice in &choices {
        let meaning = choice
            .get_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        write!(help, "<br>`{}`: {}", choice.get_name(), escaped(&meaning)).unwrap();
    }
    let defaults = arg.get_default_values().iter();
    let defaults: Vec<_> = if is_flag {
        Vec::new()
    } else {
        defaults
            .map(|value| format!("`{}`", value.to_string_lossy()))
            .collect()
    };
    [name, help, defaults.join(", ")]
}

/// Prints the text after the help: indented lines are code.
fn print_after(command: &Command, language: &str, page: &mut String) {
    let text = command.get_after_help().map(ToString::to_string);
    let mut in_code = false;
    for line in text.unwrap_or_default().lines() {
        match (line.strip_prefix("  "), in_code) {
            (Some(code), true) => writeln!(page, "{code}").unwrap(),
            (Some(code), false) => write!(page, "\n```{language}\n{code}\n").unwrap(),
            (None, true) => write!(page, "```\n\n{}\n", escaped(line)).unwrap(),
            (None, false) => write!(page, "\n{}\n", escaped(line)).unwrap(),
        }
        in_code = line.starts_with("  ");
    }
    if in_code {
        page.push_str("```\n");
    }
}

/// Options in a text become code, so that a line does not break after their dashes.
fn with_options_as_code(text: &str) -> String {
    let words = text.split(' ').map(|word| {
        let option = word.trim_end_matches([',', '.', ';', ':', ')']);
        match option.strip_prefix("--") {
            Some(_) => format!("`{option}`{}", &word[option.len()..]),
            None => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Text as Markdown in a table or a paragraph.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('|', "\\|")
        .replace('<', "\\<")
        .replace('\n', " ")
}
