//! Chooses the segments to delete when storage is exhausted. Pure.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use headwater_record::Offset;

/// The sealed segments of one partition that may be deleted, in offset order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidates {
    /// An index chosen by the caller.
    pub(crate) partition: usize,
    /// In offset order: a segment can be deleted only after all segments before it.
    pub(crate) segments: Vec<Candidate>,
}

/// A sealed segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The offset after its last record: the log start offset once it is deleted.
    pub(crate) next_offset: Offset,
    /// The size of its files in bytes.
    pub(crate) bytes: u64,
    /// The timestamp of its newest record.
    pub(crate) max_timestamp_ms: i64,
}

/// The segments to delete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Choice {
    /// For each partition that loses segments: its new log start offset.
    pub(crate) log_starts: Vec<(usize, Offset)>,
    /// The bytes that the deletion frees.
    pub(crate) bytes_freed: u64,
    /// The bytes that are still missing after all candidates are deleted.
    pub(crate) bytes_short: u64,
}

/// Chooses the segments whose newest record is the oldest, over all partitions, until `bytes_wanted` are freed.
///
/// Segments of a partition are deleted in offset order, even if a later segment has older timestamps.
pub(crate) fn choose(candidates: &[Candidates], bytes_wanted: u64) -> Choice {
    let mut choice = Choice {
        bytes_short: bytes_wanted,
        ..Choice::default()
    };
    let mut heads: BinaryHeap<Reverse<(i64, usize, usize)>> =
        BinaryHeap::with_capacity(candidates.len());
    let head = |at: usize, index: usize| {
        candidates[at]
            .segments
            .get(index)
            .map(|segment| Reverse((segment.max_timestamp_ms, at, index)))
    };
    heads.extend((0..candidates.len()).filter_map(|at| head(at, 0)));
    let mut taken = vec![0_usize; candidates.len()];
    while choice.bytes_short > 0 {
        let Some(Reverse((_, at, index))) = heads.pop() else {
            break;
        };
        let bytes = candidates[at].segments[index].bytes;
        taken[at] = index + 1;
        choice.bytes_freed += bytes;
        choice.bytes_short = choice.bytes_short.saturating_sub(bytes);
        heads.extend(head(at, index + 1));
    }
    for (of, count) in candidates.iter().zip(taken) {
        if let Some(last) = count.checked_sub(1) {
            choice
                .log_starts
                .push((of.partition, of.segments[last].next_offset));
        }
    }
    choice
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn partition(partition: usize, segments: &[(i64, u64, i64)]) -> Candidates {
        let segments = segments
            .iter()
            .map(|(next, bytes, time)| Candidate {
                next_offset: Offset::new(*next),
                bytes: *bytes,
                max_timestamp_ms: *time,
            })
            .collect();
        Candidates {
            partition,
            segments,
        }
    }

    #[test]
    fn the_oldest_segments_of_all_partitions_go_first() {
        let all = [
            partition(7, &[(10, 100, 5), (20, 100, 9)]),
            partition(3, &[(4, 100, 1), (8, 100, 7)]),
        ];
        let choice = choose(&all, 250);
        assert_eq!(
            choice.log_starts,
            [(7, Offset::new(10)), (3, Offset::new(8))]
        );
        assert_eq!((choice.bytes_freed, choice.bytes_short), (300, 0));
    }

    #[test]
    fn nothing_is_deleted_if_no_space_is_needed() {
        assert_eq!(choose(&[partition(0, &[(1, 9, 0)])], 0), Choice::default());
    }

    #[test]
    fn the_missing_bytes_are_reported_if_all_candidates_are_deleted() {
        let choice = choose(&[partition(0, &[(1, 9, 0)]), partition(1, &[])], 20);
        assert_eq!(
            choice,
            Choice {
                log_starts: vec![(0, Offset::new(1))],
                bytes_freed: 9,
                bytes_short: 11
            }
        );
    }

    #[test]
    fn a_segment_with_old_timestamps_is_deleted_after_those_before_it() {
        let all = [
            partition(0, &[(1, 10, 100), (2, 10, 0)]),
            partition(1, &[(1, 10, 50)]),
        ];
        assert_eq!(choose(&all, 10).log_starts, [(1, Offset::new(1))]);
        assert_eq!(
            choose(&all, 20).log_starts,
            [(0, Offset::new(1)), (1, Offset::new(1))]
        );
        assert_eq!(
            choose(&all, 30).log_starts,
            [(0, Offset::new(2)), (1, Offset::new(1))]
        );
    }

    proptest! {
        #[test]
        fn no_segment_is_deleted_needlessly(
            sizes in prop::collection::vec(prop::collection::vec((1_u64..100, -50_i64..50), 0..6), 0..6),
            wanted in 0_u64..600,
        ) {
            let all: Vec<_> = sizes.iter().enumerate().map(|(at, segments)| {
                let segments: Vec<_> = (1..).zip(segments).map(|(next, (bytes, time))| (next, *bytes, *time)).collect();
                partition(at, &segments)
            }).collect();
            let total: u64 = sizes.iter().flatten().map(|(bytes, _)| bytes).sum();
            let choice = choose(&all, wanted);
            prop_assert_eq!(choice.bytes_freed + choice.bytes_short >= wanted, true);
            prop_assert_eq!(choice.bytes_short, wanted.saturating_sub(choice.bytes_freed));
            prop_assert!(choice.bytes_short == 0 || choice.bytes_freed == total);
            // The first remaining segment of each partition is not older than the last deleted one.
            let went: u64 = choice.log_starts.iter().map(|(at, start)| {
                sizes[*at][..start.get() as usize].iter().map(|(bytes, _)| bytes).sum::<u64>()
            }).sum();
            prop_assert_eq!(went, choice.bytes_freed);
            let largest_last = choice.log_starts.iter().map(|(at, start)| sizes[*at][start.get() as usize - 1].0).max();
            prop_assert!(choice.bytes_short > 0 || choice.bytes_freed < wanted + largest_last.unwrap_or(1));
        }
    }
}
