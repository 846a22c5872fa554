//! Texts for `repr()`: they need no wait, and no error ends them.

use std::fmt::Write as _;
use std::path::PathBuf;

use indicatif::HumanCount;

use crate::face::Face;

/// The data of a client.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// An engine in memory.
    Memory,
    /// An engine in a directory, as the caller wrote it.
    Directory(PathBuf),
    /// A cluster with these bootstrap addresses.
    Cluster(String),
}

impl Origin {
    pub(crate) fn of_path(path: Option<PathBuf>) -> Self {
        path.map_or(Self::Memory, Self::Directory)
    }

    /// The path or the addresses in quotes.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Memory => "in memory".to_owned(),
            Self::Directory(path) => quoted(&path.to_string_lossy()),
            Self::Cluster(addresses) => quoted(addresses),
        }
    }
}

/// The name of a class with the prefix of its face, and its properties.
pub(crate) fn object(
    face: Face,
    class: &str,
    properties: impl IntoIterator<Item = String>,
) -> String {
    let prefix = match face {
        Face::Blocking => "",
        Face::Asyncio => "aio.",
    };
    let properties: Vec<_> = properties.into_iter().collect();
    format!("{prefix}{class}({})", properties.join(", "))
}

/// A text in quotes, as Python writes it.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("'");
    for letter in text.chars() {
        match letter {
            '\'' | '\\' => {
                quoted.push('\\');
                quoted.push(letter);
            }
            letter if letter.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(quoted, "\\x{:02x}", u32::from(letter));
            }
            letter => quoted.push(letter),
        }
    }
    quoted.push('\'');
    quoted
}

/// The maximum names in a list.
const NAMES_MAX: usize = 5;

/// A list of names, cut after the first ones.
pub(crate) fn names<N: AsRef<str>>(names: &[N]) -> String {
    let mut shown: Vec<_> = names
        .iter()
        .take(NAMES_MAX)
        .map(|name| quoted(name.as_ref()))
        .collect();
    if names.len() > NAMES_MAX {
        shown.push(format!("… {} more", names.len() - NAMES_MAX));
    }
    format!("[{}]", shown.join(", "))
}

/// A number of things: `1 topic`, `1,000 topics`. `thing` is the singular of a regular noun.
pub(crate) fn count(number: usize, thing: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {thing}{plural}", HumanCount(number as u64))
}
