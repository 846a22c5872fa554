//! The committed offsets of a group, for its administration.

use crate::support::reading::{Reading, TOPIC};

/// The committed offset and the end of the only partition.
fn offsets(reading: &Reading) -> (i64, Option<i64>) {
    let admin = reading.client.admin();
    let offsets = reading.wait(admin.group_offsets("g")).unwrap();
    assert_eq!(offsets.len(), 1);
    let end = offsets[0].end.map(headwater_record::Offset::get);
    (offsets[0].committed.get(), end)
}

#[test]
fn pending_commits_of_a_transaction_do_not_hide_the_committed_offsets() {
    let reading = Reading::new(1, 1);
    reading.send(0);
    let committed = ((TOPIC.to_owned(), 0), (1, -1));
    reading.cluster.state().committed.extend([committed]);
    assert_eq!(offsets(&reading), (1, Some(1)));
    assert_eq!(reading.cluster.asked("OffsetFetch").len(), 1);
    reading.cluster.state().has_pending_commits = true;
    assert_eq!(offsets(&reading), (1, Some(1)));
    assert_eq!(reading.cluster.asked("OffsetFetch").len(), 3);
}

#[test]
fn the_end_of_a_partition_is_found_while_a_broker_lags_behind() {
    let reading = Reading::new(2, 1);
    reading.send(0);
    let committed = ((TOPIC.to_owned(), 0), (0, -1));
    reading.cluster.state().committed.extend([committed]);
    reading.cluster.state().metadata_forgets = 3;
    assert_eq!(offsets(&reading), (0, Some(1)));
}
