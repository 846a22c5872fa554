//! Positions: text that the core parses, or an offset for each partition.

use headwater::{PartitionId, Position};
use napi::Env;
use napi::bindgen_prelude::Either;

use super::partitions::{PartitionOffset, offset};
use crate::errors;

/// A position in the form from TypeScript.
pub(crate) type PositionArgument = Either<String, Vec<PartitionOffset>>;

pub(crate) fn position(env: &Env, given: &PositionArgument) -> napi::Result<Position> {
    match given {
        Either::A(text) => text.parse().map_err(|error| errors::raise(env, &error)),
        Either::B(offsets) => {
            let offset = |given: &PartitionOffset| {
                (PartitionId::new(given.partition), offset(&given.offset))
            };
            Ok(Position::PerPartition(offsets.iter().map(offset).collect()))
        }
    }
}
