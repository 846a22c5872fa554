//! Reads the committed offsets of all groups repeatedly.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use headwater::Engine;
use headwater_fault_tests::history::Event;

use super::{Group, SharedState, spawn};

const PAUSE: Duration = Duration::from_millis(200);

/// Starts the observer.
pub(super) fn start(
    shared: &Arc<SharedState>,
    client: Engine,
    groups: Vec<Group>,
) -> JoinHandle<()> {
    let shared = Arc::clone(shared);
    spawn("observer".to_owned(), move || {
        while !shared.members_stop() {
            for group in &groups {
                observe(&shared, &client, group);
            }
            std::thread::sleep(PAUSE);
        }
    })
}

fn observe(shared: &SharedState, client: &Engine, group: &Group) {
    shared.recorder.record(Event::AskCommitted(group.id));
    let seen = client.block_on(client.admin().group_offsets(&group.name));
    // If a broker was away for too long, there is nothing to record.
    let Ok(seen) = seen else { return };
    let offsets = seen
        .into_iter()
        .filter(|seen| *seen.partition.topic == *shared.topic);
    let offsets = offsets.map(|seen| (seen.partition.partition.get(), seen.committed.get()));
    let event = Event::SawCommitted(group.id, offsets.collect());
    shared.recorder.record(event);
}
