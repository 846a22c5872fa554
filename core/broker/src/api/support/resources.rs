//! Configuration resources of a request, by type and name.

use std::collections::HashSet;

use headwater_protocol::{ErrorCode, Str};

use super::errors::Refusal;

/// The resources that appear more than once.
pub(in crate::api) fn repeated<'a>(
    resources: impl Iterator<Item = (i8, &'a Str)>,
) -> HashSet<(i8, Str)> {
    let mut seen = HashSet::new();
    resources
        .filter(|named| !seen.insert(*named))
        .map(|(kind, name)| (kind, name.clone()))
        .collect()
}

/// Refuses a repeated resource, because its changes have no defined order.
pub(in crate::api) fn check_not_repeated(
    twice: &HashSet<(i8, Str)>,
    (kind, name): (i8, &Str),
) -> Result<(), Refusal> {
    if twice.contains(&(kind, name.clone())) {
        let message = format!("the request contains the resource \"{name}\" twice: send it once");
        return Err(Refusal::new(ErrorCode::InvalidRequest, message));
    }
    Ok(())
}
