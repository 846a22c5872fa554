//! Which segments go when storage is exhausted. A pure decision.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use headwater_record::Offset;

/// The sealed segments of one partition that may go, in order of offsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidates {
    /// Whose they are: an index that only the caller understands.
    pub(crate) partition: usize,
    /// Oldest offsets first: a later segment can go only after all before it.
    pub(crate) segments: Vec<Candidate>,
}

/// One sealed segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The first offset after it: where the log starts once it has gone.
    pub(crate) next_offset: Offset,
    /// What its files take on the disk.
    pub(crate) bytes: u64,
    /// The time of its newest record.
    pub(crate) max_timestamp_ms: i64,
}

/// What is to be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Choice {
    /// For each partition that loses segments: the offset at which its log is to start.
    pub(crate) log_starts: Vec<(usize, Offset)>,
    /// What that frees.
    pub(crate) bytes_freed: u64,
    /// What is missing still, although everything that may go goes.
    pub(crate) bytes_short: u64,
}

/// Chooses the segments with the oldest newest record, over all partitions, until `bytes_wanted` are freed.
///
/// Within a partition offsets keep their order: a segment whose records claim to be older than those before it waits for its turn.
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
    fn nothing_goes_when_nothing_is_wanted() {
        assert_eq!(choose(&[partition(0, &[(1, 9, 0)])], 0), Choice::default());
    }

    #[test]
    fn what_is_missing_is_told_when_everything_has_gone() {
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
    fn a_segment_with_old_times_waits_for_those_before_it() {
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
        fn no_segment_goes_that_need_not(
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
            // Whatever stays at the head of a partition is no older than what went last: else it should have gone instead.
            let went: u64 = choice.log_starts.iter().map(|(at, start)| {
                sizes[*at][..start.get() as usize].iter().map(|(bytes, _)| bytes).sum::<u64>()
            }).sum();
            prop_assert_eq!(went, choice.bytes_freed);
            let largest_last = choice.log_starts.iter().map(|(at, start)| sizes[*at][start.get() as usize - 1].0).max();
            prop_assert!(choice.bytes_short > 0 || choice.bytes_freed < wanted + largest_last.unwrap_or(1));
        }
    }
}
