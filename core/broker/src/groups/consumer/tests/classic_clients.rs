//! Clients of the classic protocol.

use std::collections::BTreeMap;
use std::time::Duration;

use headwater_protocol::consumer_protocol_subscription::TopicPartition;
use headwater_protocol::{
    ConsumerProtocolSubscription, ErrorCode, HeartbeatRequest, Message as _, Str, SyncGroupRequest,
};
use uuid::Uuid;

use super::super::embedded;
use super::{Client, ClientProtocol, World, instance_id};
use crate::groups::classic::{CONSUMER, Join, Leaver, MemberIdRule, Protocol, SkipRule};

impl World {
    pub(super) fn is_classic(&self, client: usize) -> bool {
        self.clients[client].protocol != ClientProtocol::Consumer
    }

    /// Sends a heartbeat of a classic client, and takes its next step if the response requires one.
    pub(super) fn beat_classic(&mut self, client: usize, is_answered: bool) {
        let (context, known) = (self.context(), self.clients[client].clone());
        if known.epoch > 0 {
            let request = HeartbeatRequest {
                member_id: known.member_id.clone(),
                generation_id: known.epoch,
                group_instance_id: instance_id(client),
                ..HeartbeatRequest::default()
            };
            match self.group.heartbeat_classic(&request, &context) {
                Ok(()) if known.protocol == ClientProtocol::Classic => return,
                Ok(()) | Err(ErrorCode::RebalanceInProgress) => {}
                Err(ErrorCode::IllegalGeneration) => self.clients[client].owned.clear(),
                Err(_) => {
                    let known = &mut self.clients[client];
                    (known.epoch, known.member_id) = (0, Str::new());
                    known.owned.clear();
                    return;
                }
            }
        }
        self.join_classic(client, is_answered);
    }

    /// A join and its sync.
    fn join_classic(&mut self, client: usize, is_answered: bool) {
        let (context, known) = (self.context(), self.clients[client].clone());
        self.made += 1;
        let join = classic_join(&known, instance_id(client), self.made, &self.names);
        if self.group.check_classic_join(&join, &context).is_err() {
            return;
        }
        let Ok(update) = self.group.join_classic(&join, &context, &self.topics) else {
            return;
        };
        let answer = update.group().classic_join_answer(&join);
        if self.accept(update).is_none() || !is_answered {
            return;
        }
        let request = SyncGroupRequest {
            member_id: answer.member_id.clone(),
            generation_id: answer.generation_id,
            group_instance_id: instance_id(client),
            ..SyncGroupRequest::default()
        };
        let synced = self
            .group
            .sync_classic(&request, &context, &self.topics)
            .unwrap();
        let known = &mut self.clients[client];
        known.member_id = answer.member_id;
        known.epoch = answer.generation_id;
        known.owned = embedded::assignment(&synced.assignment, &self.topics).unwrap();
        known.protocol = ClientProtocol::Classic;
    }

    pub(super) fn leave_classic(&mut self, client: usize) {
        let leaver = Leaver {
            member_id: self.clients[client].member_id.clone(),
            instance_id: instance_id(client),
        };
        let (update, _) = self.group.leave_classic(vec![leaver], &self.topics);
        if update.is_some_and(|update| self.accept(update).is_some()) {
            self.clients[client] = self.new_client();
        }
    }
}

impl Client {
    /// The client, or a classic client, which gets its id from its first join.
    pub(super) fn or_classic(self, is_classic: bool) -> Self {
        if !is_classic {
            return self;
        }
        Self {
            member_id: Str::new(),
            protocol: ClientProtocol::Classic,
            ..self
        }
    }
}

fn classic_join(
    client: &Client,
    instance_id: Option<Str>,
    number: u128,
    names: &BTreeMap<Uuid, Str>,
) -> Join {
    let owned = client
        .owned
        .iter()
        .map(|(topic, partitions)| TopicPartition {
            topic: names[topic].clone(),
            partitions: partitions.iter().copied().collect(),
        });
    let subscription = ConsumerProtocolSubscription {
        topics: client.topics.clone(),
        owned_partitions: owned.collect(),
        ..ConsumerProtocolSubscription::default()
    };
    Join {
        member_id: client.member_id.clone(),
        instance_id,
        client_id: Str::new(),
        client_host: Str::new(),
        session_timeout: Duration::from_secs(20),
        rebalance_timeout: Duration::from_secs(30),
        protocol_type: CONSUMER.into(),
        protocols: vec![Protocol {
            name: "cooperative-sticky".into(),
            metadata: subscription.to_versioned_bytes(3).unwrap(),
        }],
        memory: None,
        new_member_id: format!("c{number}").into(),
        member_id_rule: MemberIdRule::Given,
        skip_rule: SkipRule::Skip,
    }
}
