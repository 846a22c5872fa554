//! Appends accepted batches.

use std::sync::Arc;

use headwater_env::Env;
use headwater_log::{AppendError, Appended};
use headwater_record::{PartitionId, ValidatedBatches};

use super::PartitionSlot;
use super::accept::AcceptedBatches;
use crate::partition::{Acks, Partition, ProduceError};
use crate::storage::Storage;

/// The result of one append.
type AppendResult<E> = (
    PartitionSlot,
    Arc<Partition<E>>,
    Result<Appended, ProduceError>,
);

/// Appends all batches; those of one partition keep their order.
pub(super) fn append_all<E: Env>(
    storage: &Storage<E>,
    mut accepted: Vec<AcceptedBatches<E>>,
) -> Vec<AppendResult<E>> {
    // Sort by name, so that the same requests are always written in the same order. The sort is stable, so the batches
    // of a partition keep theirs.
    accepted.sort_by(|one, other| sort_key(one).cmp(&sort_key(other)));
    let mut results = Vec::with_capacity(accepted.len());
    let mut accepted = accepted.into_iter().peekable();
    while let Some(first) = accepted.next() {
        let (partition, acks) = (first.partition, first.acks);
        let (mut slots, mut run) = (vec![first.slot], vec![first.batches]);
        let goes_with = |next: &AcceptedBatches<E>| {
            Arc::ptr_eq(&next.partition, &partition) && next.acks == acks
        };
        while let Some(next) = accepted.next_if(goes_with) {
            slots.push(next.slot);
            run.push(next.batches);
        }
        let appended = append_run(storage, &partition, run, acks);
        let result = |(slot, appended)| (slot, Arc::clone(&partition), appended);
        results.extend(slots.into_iter().zip(appended).map(result));
    }
    results
}

/// The sort key of a partition.
fn sort_key<E: Env>(accepted: &AcceptedBatches<E>) -> (&str, PartitionId) {
    (&accepted.partition.topic, accepted.partition.id)
}

/// Appends to one partition: with one write, or one by one if the results differ.
fn append_run<E: Env>(
    storage: &Storage<E>,
    partition: &Partition<E>,
    run: Vec<ValidatedBatches>,
    acks: Acks,
) -> Vec<Result<Appended, ProduceError>> {
    if run.len() > 1
        && let Some(appended) = partition.append_together_as_leader(&run, acks)
    {
        let bytes: usize = run.iter().map(ValidatedBatches::size_in_bytes).sum();
        storage.count_appended(bytes as u64);
        return appended.into_iter().map(Ok).collect();
    }
    let append = |batches| append(storage, partition, batches, acks);
    run.into_iter().map(append).collect()
}

fn append<E: Env>(
    storage: &Storage<E>,
    partition: &Partition<E>,
    batches: ValidatedBatches,
    acks: Acks,
) -> Result<Appended, ProduceError> {
    let size = batches.size_in_bytes() as u64;
    let appended = match partition.append_as_leader(batches.clone(), acks) {
        // Delete the oldest records before refusing new ones.
        Err(ProduceError::Append(AppendError::DiskFull(_))) => {
            storage.free_storage(size);
            partition.append_as_leader(batches, acks)
        }
        result => result,
    }?;
    if !appended.duplicate {
        storage.count_appended(size);
    }
    Ok(appended)
}
