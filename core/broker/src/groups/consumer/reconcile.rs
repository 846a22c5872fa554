//! Reconciliation: one step of a member towards its target. Revocation comes before assignment.

use std::collections::BTreeSet;

use headwater_protocol::Str;
use uuid::Uuid;

use super::{Assignment, ConsumerGroup, GroupUpdate, Member, MemberState};

impl GroupUpdate {
    /// Moves a member as far as possible. `owned` is the list that the member sent; `None` if it sent none.
    pub(super) fn reconcile(&mut self, member_id: &Str, owned: Option<&Assignment>) {
        let member = &self.group.members[member_id];
        if self.group.is_reconciled(member) {
            return;
        }
        let revoked = match member.state {
            MemberState::UnrevokedPartitions if holds_any(owned, &member.revoking) => return,
            // The member has revoked its partitions, which completes one epoch.
            MemberState::UnrevokedPartitions => Member {
                epoch: member.epoch + 1,
                ..member.clone()
            },
            MemberState::Stable | MemberState::UnreleasedPartitions => member.clone(),
        };
        let next = self.next_step(&revoked, owned);
        let previous_epoch = if next.epoch == member.epoch {
            member.previous_epoch
        } else {
            member.epoch
        };
        let next = Member {
            previous_epoch,
            ..next
        };
        if next != *member {
            let record = self.group.current_record(&next);
            self.push(record);
        }
    }

    fn next_step(&self, member: &Member, owned: Option<&Assignment>) -> Member {
        let nothing = Assignment::new();
        let target = self.group.target.get(&member.id).unwrap_or(&nothing);
        let kept = intersection(&member.assigned, target);
        let revoking = difference(&member.assigned, &kept);
        if !revoking.is_empty() && holds_any(owned, &revoking) {
            return Member {
                state: MemberState::UnrevokedPartitions,
                assigned: kept,
                revoking,
                ..member.clone()
            };
        }
        let held = self.group.held_by_others(&member.id);
        let missing = difference(target, &kept);
        let mut assigned = kept;
        let mut state = MemberState::Stable;
        for (topic, partitions) in missing {
            for partition in partitions {
                if held.contains(&(topic, partition)) {
                    state = MemberState::UnreleasedPartitions;
                } else {
                    assigned.entry(topic).or_default().insert(partition);
                }
            }
        }
        Member {
            epoch: self.group.target_epoch,
            state,
            assigned,
            revoking: Assignment::new(),
            ..member.clone()
        }
    }
}

impl ConsumerGroup {
    /// The partitions that other members have or have not revoked yet.
    pub(super) fn held_by_others(&self, member_id: &Str) -> BTreeSet<(Uuid, i32)> {
        let others = self.members.values();
        let others = others.filter(|member| member.id != *member_id);
        others
            .flat_map(|member| member.assigned.iter().chain(&member.revoking))
            .flat_map(|(topic, partitions)| partitions.iter().map(|partition| (*topic, *partition)))
            .collect()
    }
}

/// Whether the member may still own any of `those`. Without a list it may.
fn holds_any(owned: Option<&Assignment>, those: &Assignment) -> bool {
    owned.is_none_or(|owned| !intersection(owned, those).is_empty())
}

fn intersection(some: &Assignment, others: &Assignment) -> Assignment {
    let both = some.iter().filter_map(|(topic, partitions)| {
        let shared = partitions & others.get(topic)?;
        (!shared.is_empty()).then_some((*topic, shared))
    });
    both.collect()
}

pub(super) fn difference(some: &Assignment, without: &Assignment) -> Assignment {
    let rest = some.iter().filter_map(|(topic, partitions)| {
        let rest = match without.get(topic) {
            Some(without) => partitions - without,
            None => partitions.clone(),
        };
        (!rest.is_empty()).then_some((*topic, rest))
    });
    rest.collect()
}
