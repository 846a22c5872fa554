//! Changes under a quorum that does not decide at once.

use std::path::Path;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use headwater_env::MemoryEnv;
use headwater_log::ChangeError;
use headwater_metadata::{MetadataRecord, PartitionImage, TopicImage};
use headwater_protocol::FeatureLevelRecord;
use uuid::Uuid;

use super::quorum::OnDecision;
use super::*;
use crate::state::State;

/// A quorum that decides when a test calls `decide` or `refuse`.
#[derive(Clone, Default)]
struct SlowQuorum {
    shared: Arc<Mutex<Proposals>>,
}

#[derive(Default)]
struct Proposals {
    decided: Image,
    proposed: Image,
    log_end_offset: i64,
    waiting: Vec<(Image, OnDecision)>,
}

impl std::fmt::Debug for SlowQuorum {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("SlowQuorum")
    }
}

impl Quorum for SlowQuorum {
    fn decided(&self) -> Decision {
        let shared = self.shared.lock();
        Decision {
            image: Arc::new(shared.decided.clone()),
            log_end_offset: headwater_record::Offset::new(shared.log_end_offset),
        }
    }

    fn proposed_image(&self) -> Arc<Image> {
        Arc::new(self.shared.lock().proposed.clone())
    }

    fn propose(&self, records: Vec<MetadataRecord>, on_decision: OnDecision) {
        let mut shared = self.shared.lock();
        shared.proposed = shared.proposed.with(&records).unwrap();
        let after = shared.proposed.clone();
        shared.waiting.push((after, on_decision));
    }

    fn close(&self) -> Result<(), ChangeError> {
        Ok(())
    }
}

impl SlowQuorum {
    /// Decides the oldest proposal.
    fn decide(&self) {
        let on_decision = {
            let mut shared = self.shared.lock();
            let (image, on_decision) = shared.waiting.remove(0);
            shared.decided = image;
            shared.log_end_offset += 1;
            on_decision
        };
        on_decision(Ok(self.decided()));
    }

    /// Refuses all proposals.
    fn refuse(&self) {
        let waiting = {
            let mut shared = self.shared.lock();
            shared.proposed = shared.decided.clone();
            std::mem::take(&mut shared.waiting)
        };
        for (_, on_decision) in waiting {
            on_decision(Err(CommitError::TooLarge));
        }
    }
}

/// A controller with a slow quorum over the partitions of an open broker.
fn controller() -> (SlowQuorum, Arc<Controller<MemoryEnv>>, State<MemoryEnv>) {
    let path = Path::new("/data");
    let (state, _) = crate::open::open(MemoryEnv::new(), path, BrokerConfig::default()).unwrap();
    let node = Node {
        id: state.controller.node.id,
        cluster_id: state.controller.node.cluster_id.clone(),
        data_dir: state.controller.node.data_dir.clone(),
        listeners: crate::listeners::Listeners::default(),
        static_config: BrokerConfig::default(),
    };
    let quorum = SlowQuorum::default();
    let controller = Controller::new(
        node,
        BrokerConfig::default(),
        Box::new(quorum.clone()),
        Arc::clone(&state.partitions),
    );
    (quorum, Arc::new(controller), state)
}

fn feature(name: &str) -> Vec<MetadataRecord> {
    vec![MetadataRecord::FeatureLevel(FeatureLevelRecord {
        name: name.into(),
        feature_level: 1,
        ..FeatureLevelRecord::default()
    })]
}

fn topic() -> (TopicImage, Vec<MetadataRecord>) {
    let topic = TopicImage {
        id: Uuid::from_u128(7),
        name: Arc::from("t"),
        partitions: vec![PartitionImage::new(vec![1])],
    };
    let mut records = vec![topic.record()];
    let partitions = topic.partitions();
    records.extend(partitions.map(|(id, partition)| partition.record(topic.id, id.get())));
    (topic, records)
}

fn poll<T>(future: impl Future<Output = T>) -> Poll<T> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_change_is_published_and_acknowledged_when_it_is_decided() {
    let (quorum, controller, _state) = controller();
    let proposal = controller.changes().propose(feature("a"), |_| {});
    let mut acknowledged = pin!(proposal.decided());
    assert!(poll(&mut acknowledged).is_pending());
    assert_eq!(controller.versioned_image().1, 0);
    quorum.decide();
    assert!(matches!(poll(acknowledged), Poll::Ready(Ok(()))));
    let (image, version) = controller.versioned_image();
    assert_eq!((image.feature("a"), version), (Some(1), 1));
}

#[test]
fn the_next_change_is_planned_on_those_that_are_not_decided_yet() {
    let (quorum, controller, _state) = controller();
    let first = controller.changes().propose(feature("a"), |_| {});
    let mut changes = controller.changes();
    assert_eq!(changes.image().feature("a"), Some(1));
    let second = changes.propose(feature("b"), |_| {});
    drop(changes);
    quorum.decide();
    assert!(poll(first.decided()).is_ready());
    assert_eq!(controller.image().feature("b"), None);
    quorum.decide();
    assert!(poll(second.decided()).is_ready());
    assert_eq!(controller.image().feature("b"), Some(1));
}

#[test]
fn a_decided_topic_is_put_into_service_even_if_its_client_is_gone() {
    let (quorum, controller, state) = controller();
    let (topic, records) = topic();
    let mut changes = controller.changes();
    let image = changes.image().with(&records).unwrap();
    let new = changes.prepare(&image, &topic).unwrap();
    drop(changes.propose_partitions(records, vec![new]));
    drop(changes);
    assert!(state.partitions.topic("t").is_none());
    quorum.decide();
    assert_eq!(state.partitions.topic("t").unwrap().partitions().len(), 1);
}

#[test]
fn a_refused_change_is_not_published_and_its_files_are_removed() {
    let (quorum, controller, state) = controller();
    let (topic, records) = topic();
    let mut changes = controller.changes();
    let image = changes.image().with(&records).unwrap();
    let new = changes.prepare(&image, &topic).unwrap();
    let dir = Path::new("/data/t-0");
    assert!(state.partitions.env.metadata(dir).unwrap().is_some());
    let proposal = changes.propose_partitions(records, vec![new]);
    drop(changes);
    quorum.refuse();
    let refused = poll(proposal.decided());
    assert!(matches!(refused, Poll::Ready(Err(CommitError::TooLarge))));
    assert!(state.partitions.topic("t").is_none());
    assert!(controller.image().topic("t").is_none());
    assert!(state.partitions.env.metadata(dir).unwrap().is_none());
}

#[test]
fn producer_ids_wait_for_the_reservation_of_their_block() {
    let (quorum, controller, _state) = controller();
    let mut first = pin!(controller.next_producer_id());
    let mut second = pin!(controller.next_producer_id());
    assert!(poll(&mut first).is_pending());
    assert!(poll(&mut second).is_pending());
    quorum.decide();
    let Poll::Ready(Ok(one)) = poll(first) else {
        panic!("the block is reserved")
    };
    quorum.decide();
    let Poll::Ready(Ok(other)) = poll(second) else {
        panic!("the block is reserved")
    };
    assert_ne!(one, other);
}

#[test]
fn a_closed_broker_proposes_nothing() {
    let (quorum, controller, state) = controller();
    assert!(state.lifecycle.begin_close());
    let proposal = controller.changes().propose(feature("a"), |_| {});
    let refused = poll(proposal.decided());
    assert!(matches!(refused, Poll::Ready(Err(CommitError::Closed))));
    assert!(quorum.shared.lock().waiting.is_empty());
}
