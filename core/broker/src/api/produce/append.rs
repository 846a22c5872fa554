//! From batches that were accepted to offsets.

use std::sync::Arc;

use headwater_env::Env;
use headwater_log::{AppendError, Appended};
use headwater_record::{PartitionId, ValidatedBatches};

use super::Place;
use super::accept::Accepted;
use crate::partition::{Acks, Partition, ProduceError};
use crate::state::State;

/// What became of one.
type Outcome<E> = (Place, Arc<Partition<E>>, Result<Appended, ProduceError>);

/// Appends all, those of a partition in their order.
pub(super) fn append_all<E: Env>(
    state: &State<E>,
    mut accepted: Vec<Accepted<E>>,
) -> Vec<Outcome<E>> {
    // By name, so that the same requests are always written in the same order; stable, so that those of one partition keep theirs.
    accepted.sort_by(|one, other| place_of(one).cmp(&place_of(other)));
    let mut outcomes = Vec::with_capacity(accepted.len());
    let mut accepted = accepted.into_iter().peekable();
    while let Some(first) = accepted.next() {
        let (partition, acks) = (first.partition, first.acks);
        let (mut places, mut run) = (vec![first.place], vec![first.batches]);
        let goes_with =
            |next: &Accepted<E>| Arc::ptr_eq(&next.partition, &partition) && next.acks == acks;
        while let Some(next) = accepted.next_if(goes_with) {
            places.push(next.place);
            run.push(next.batches);
        }
        let appended = append_run(state, &partition, run, acks);
        let outcome = |(place, appended)| (place, Arc::clone(&partition), appended);
        outcomes.extend(places.into_iter().zip(appended).map(outcome));
    }
    outcomes
}

/// What orders partitions.
fn place_of<E: Env>(accepted: &Accepted<E>) -> (&str, PartitionId) {
    (&accepted.partition.topic, accepted.partition.id)
}

/// Appends to one partition: with one write, or one by one where that tells them apart.
fn append_run<E: Env>(
    state: &State<E>,
    partition: &Partition<E>,
    run: Vec<ValidatedBatches>,
    acks: Acks,
) -> Vec<Result<Appended, ProduceError>> {
    if run.len() > 1
        && let Some(appended) = partition.append_together_as_leader(&run, acks)
    {
        let bytes: usize = run.iter().map(ValidatedBatches::size_in_bytes).sum();
        state.note_appended(bytes as u64);
        return appended.into_iter().map(Ok).collect();
    }
    let append = |batches| append(state, partition, batches, acks);
    run.into_iter().map(append).collect()
}

fn append<E: Env>(
    state: &State<E>,
    partition: &Partition<E>,
    batches: ValidatedBatches,
    acks: Acks,
) -> Result<Appended, ProduceError> {
    let size = batches.size_in_bytes() as u64;
    let appended = match partition.append_as_leader(batches.clone(), acks) {
        // The oldest records go before the newest are refused.
        Err(ProduceError::Append(AppendError::DiskFull(_))) => {
            state.relieve_storage(size);
            partition.append_as_leader(batches, acks)
        }
        result => result,
    }?;
    if !appended.duplicate {
        state.note_appended(size);
    }
    Ok(appended)
}
