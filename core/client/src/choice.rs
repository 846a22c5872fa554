//! Options that are one of a few words, as every binding and the command line spell them.

use crate::error::{Error, ErrorKind, Result};

/// The choice that `given` names, or an error that lists the choices of option `option`.
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
