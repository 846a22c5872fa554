//! Resources whose configuration is asked for or changed, by kind and name.

use std::collections::HashSet;

use headwater_protocol::{ErrorCode, Str};

use super::errors::Refusal;

/// Those that are named more than once.
pub(super) fn named_twice<'a>(
    resources: impl Iterator<Item = (i8, &'a Str)>,
) -> HashSet<(i8, Str)> {
    let mut seen = HashSet::new();
    resources
        .filter(|named| !seen.insert(*named))
        .map(|(kind, name)| (kind, name.clone()))
        .collect()
}

/// Refuses a resource that is one of them: which of its places counts nobody knows.
pub(super) fn check_named_once(
    twice: &HashSet<(i8, Str)>,
    (kind, name): (i8, &Str),
) -> Result<(), Refusal> {
    if twice.contains(&(kind, name.clone())) {
        let message = format!("the request names the resource \"{name}\" twice: name it once");
        return Err(Refusal::new(ErrorCode::InvalidRequest, message));
    }
    Ok(())
}
