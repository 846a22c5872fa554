//! Expiry of committed offsets and of empty groups.

use headwater_env::Env;
use headwater_protocol::{ErrorCode, Str};

use super::coordinator::{Coordinator, Groups};

impl<E: Env> Groups<E> {
    /// Removes offsets older than `offsets.retention.minutes`, and groups without members and offsets.
    pub(crate) fn expire_offsets(&self) {
        self.fire_group_timers();
        if self
            .controller
            .image()
            .topic(super::offsets_topic::TOPIC)
            .is_none()
        {
            return;
        }
        for index in 0..self.coordinators() {
            let Ok(mut coordinator) = self.coordinator(index) else {
                continue;
            };
            let ids: Vec<Str> = coordinator
                .shard()
                .iter()
                .map(|(group_id, _)| group_id.clone())
                .collect();
            for group_id in ids {
                if let Err(code) = coordinator.expire(&group_id) {
                    tracing::warn!(%group_id, %code, "expired offsets stay until the next round");
                }
            }
        }
    }
}

impl<E: Env> Coordinator<'_, E> {
    fn expire(&mut self, group_id: &Str) -> Result<(), ErrorCode> {
        let retention_ms = self.groups.controller.config().offsets_retention_ms;
        let now_ms = self.now().wall_ms;
        let Some(entry) = self.shard().get(group_id) else {
            return Ok(());
        };
        let expired =
            entry
                .offsets
                .expired(entry.retention_start(), retention_ms, now_ms, |topic| {
                    entry.group.is_subscribed_to(topic)
                });
        if !expired.is_empty() {
            tracing::info!(%group_id, offsets = expired.len(), "committed offsets have expired");
        }
        self.forget_offsets(group_id, &expired)?;
        let is_over =
            |entry: &super::shard::Entry| entry.group.is_idle() && entry.offsets.is_empty();
        if self.shard().get(group_id).is_some_and(is_over) {
            self.forget_group(group_id)?;
        }
        Ok(())
    }
}
