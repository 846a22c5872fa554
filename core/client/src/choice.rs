//! Options with a few allowed words, spelled the same in every binding and on the command line.

use crate::error::{Error, ErrorKind, Result};

/// The choice with the name `given`, or an error that lists the choices of option `option`.
pub(crate) fn parse<T: Copy>(option: &str, given: &str, choices: &[(&str, T)]) -> Result<T> {
    let found = choices.iter().find(|(name, _)| *name == given);
    if let Some((_, choice)) = found {
        return Ok(*choice);
    }
    let names: Vec<_> = choices
        .iter()
        .map(|(name, _)| format!("{name:?}"))
        .collect();
    Err(Error::new(
        ErrorKind::InvalidArgument,
        format!("{option} is {}, not {given:?}.", names.join(" or ")),
    ))
}
