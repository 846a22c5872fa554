use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// Slots with increasing ids, and the time.
struct Bench {
    slots: Slots<()>,
    now: Duration,
    next: u32,
}

impl Bench {
    fn new(count: usize, partitions_max: usize) -> Self {
        Self {
            slots: Slots::new(count, partitions_max),
            now: Duration::ZERO,
            next: 0,
        }
    }

    fn insert(&mut self, len: usize) -> Option<SessionId> {
        let next = &mut self.next;
        self.slots.insert(
            len,
            self.now,
            || (),
            || {
                *next += 2;
                *next
            },
        )
    }

    fn has(&self, id: SessionId) -> bool {
        self.slots.get(id).is_some()
    }
}

#[test]
fn young_sessions_in_use_keep_their_slots() {
    let mut bench = Bench::new(1, 100);
    let first = bench.insert(1).unwrap();
    assert_eq!(bench.insert(50), None);
    bench.now = 120 * SECOND;
    assert_eq!(bench.insert(50), None, "two minutes are still protected");
    assert!(bench.has(first));
}

#[test]
fn the_least_recently_used_session_is_evicted_first() {
    let mut bench = Bench::new(2, 100);
    let (first, second) = (bench.insert(9).unwrap(), bench.insert(1).unwrap());
    bench.now = 100 * SECOND;
    assert!(bench.slots.touch(second, 1, bench.now));
    bench.now = 121 * SECOND;
    let third = bench.insert(1).unwrap();
    assert!(!bench.has(first) && bench.has(second) && bench.has(third));
}

#[test]
fn the_smallest_of_the_old_sessions_in_use_is_evicted_for_a_larger_one() {
    let mut bench = Bench::new(2, 100);
    let (large, small) = (bench.insert(9).unwrap(), bench.insert(4).unwrap());
    for id in [large, small] {
        bench.now += 61 * SECOND;
        bench.slots.touch(large, 9, bench.now);
        bench.slots.touch(small, 4, bench.now);
        assert!(bench.has(id));
    }
    assert_eq!(
        bench.insert(4),
        None,
        "a session of the same size is not evicted"
    );
    let new = bench.insert(5).unwrap();
    assert!(bench.has(large) && !bench.has(small) && bench.has(new));
}

#[test]
fn all_sessions_together_have_at_most_this_many_partitions() {
    let mut bench = Bench::new(10, 10);
    let first = bench.insert(6).unwrap();
    assert_eq!(bench.insert(5), None);
    let second = bench.insert(4).unwrap();
    assert!(!bench.slots.touch(second, 5, bench.now), "it may not grow");
    assert!(!bench.has(second) && bench.has(first));
    assert!(bench.insert(4).is_some(), "its partitions are free again");
}

#[test]
fn without_slots_there_are_no_sessions() {
    assert_eq!(Bench::new(0, 100).insert(1), None);
}

#[test]
fn an_id_in_use_is_not_assigned_again() {
    let mut slots = Slots::new(2, 100);
    let mut chance = [4, 4, 6].into_iter();
    let mut insert = || slots.insert(1, Duration::ZERO, || (), || chance.next().unwrap());
    assert_eq!(insert().map(SessionId::get), Some(2));
    assert_eq!(insert().map(SessionId::get), Some(3));
}

#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Insert(usize),
    Touch(usize, usize),
    Remove(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..150_u64).prop_map(Step::Wait),
        (1..9_usize).prop_map(Step::Insert),
        (0..6_usize, 1..9_usize).prop_map(|(which, len)| Step::Touch(which, len)),
        (0..6_usize).prop_map(Step::Remove),
    ]
}

/// The simple model of a session: created, used, touched when old, partitions.
#[derive(Debug, Clone, Copy)]
struct Line {
    made: Duration,
    used: Duration,
    is_old: bool,
    len: usize,
}

/// The session that Kafka evicts for a new one of `len` partitions.
fn evicted(lines: &BTreeMap<SessionId, Line>, len: usize, now: Duration) -> Option<SessionId> {
    let by_use = lines.iter().min_by_key(|(id, line)| (line.used, **id));
    if let Some((id, line)) = by_use
        && now.saturating_sub(line.used) > PROTECTED_FOR
    {
        return Some(*id);
    }
    let old = lines.iter().filter(|(_, line)| line.is_old);
    let (id, smallest) = old.min_by_key(|(id, line)| (line.len, **id))?;
    (len > smallest.len).then_some(*id)
}

proptest! {
    #[test]
    fn slots_behave_like_a_simple_model(steps in prop::collection::vec(step(), 1..80)) {
        const COUNT: usize = 4;
        const PARTITIONS: usize = 24;
        let mut bench = Bench::new(COUNT, PARTITIONS);
        let mut lines: BTreeMap<SessionId, Line> = BTreeMap::new();
        for step in steps {
            let nth = |which: usize| lines.keys().nth(which).copied();
            let sum: usize = lines.values().map(|line| line.len).sum();
            match step {
                Step::Wait(seconds) => bench.now += SECOND * seconds as u32,
                Step::Remove(which) => {
                    if let Some(id) = nth(which) {
                        bench.slots.remove(id);
                        lines.remove(&id);
                    }
                }
                Step::Touch(which, len) => {
                    let Some(id) = nth(which) else { continue };
                    let fits = sum - lines[&id].len + len <= PARTITIONS;
                    prop_assert_eq!(bench.slots.touch(id, len, bench.now), fits);
                    if let Some(line) = lines.get_mut(&id).filter(|_| fits) {
                        line.is_old = bench.now.saturating_sub(line.made) > PROTECTED_FOR;
                        (line.used, line.len) = (bench.now, len);
                    } else {
                        lines.remove(&id);
                    }
                }
                Step::Insert(len) => {
                    let leaves = evicted(&lines, len, bench.now);
                    let may = sum + len <= PARTITIONS && (lines.len() < COUNT || leaves.is_some());
                    let given = bench.insert(len);
                    prop_assert_eq!(given.is_some(), may);
                    let Some(given) = given else { continue };
                    if lines.len() == COUNT {
                        lines.remove(&leaves.unwrap());
                    }
                    let (made, used) = (bench.now, bench.now);
                    lines.insert(given, Line { made, used, is_old: false, len });
                }
            }
            for id in (1..=bench.next as i32).filter_map(SessionId::named) {
                prop_assert_eq!(bench.has(id), lines.contains_key(&id));
            }
        }
    }
}
