//! `CreatePartitions` (key 37), versions 0-3.
//!
//! Behaviour: increases the number of partitions of a topic to a total count. Records with keys may map to other
//! partitions afterwards, as in Kafka.
//!
//! Notes: the count may only grow (`INVALID_PARTITIONS`); replica assignments may only contain this broker.

use std::collections::HashSet;
use std::sync::Arc;

use headwater_env::Env;
use headwater_metadata::{Image, MetadataRecord, NodeId, PartitionImage, TopicImage};
use headwater_protocol::create_partitions_request::CreatePartitionsTopic;
use headwater_protocol::create_partitions_response::CreatePartitionsTopicResult;
use headwater_protocol::{CreatePartitionsRequest, CreatePartitionsResponse, ErrorCode};

use super::support::errors::Refusal;
use crate::RequestContext;
use crate::controller::{Changes, Controller, Proposal};
use crate::new_topic::{PARTITIONS_MAX, check_assignment};
use crate::partitions::NewPartitions;

/// Handles the request.
pub(super) async fn handle<E: Env>(
    controller: &Arc<Controller<E>>,
    _context: &RequestContext,
    request: CreatePartitionsRequest,
) -> CreatePartitionsResponse {
    let (mut results, proposal) = propose(controller, &request);
    if let Some(proposal) = proposal
        && let Err(error) = proposal.decided().await
    {
        let refusal = Refusal::from(error);
        for result in results.iter_mut().filter(|result| result.is_ok()) {
            *result = Err(refusal.clone());
        }
    }
    let results = request.topics.into_iter().zip(results);
    let results = results.map(|(wanted, result)| respond(wanted, result.map(drop)));
    CreatePartitionsResponse {
        results: results.collect(),
        ..CreatePartitionsResponse::default()
    }
}

/// The records that create the new partitions of a topic.
type PartitionsPlan = Result<Vec<MetadataRecord>, Refusal>;

/// Plans the partitions of the request, creates their files and proposes them. Returns a plan for each topic, and the
/// proposal unless the request only validates.
fn propose<E: Env>(
    controller: &Arc<Controller<E>>,
    request: &CreatePartitionsRequest,
) -> (Vec<PartitionsPlan>, Option<Proposal>) {
    let mut changes = controller.changes();
    let image = changes.image();
    let mut seen = HashSet::new();
    let mut plans: Vec<PartitionsPlan> = request
        .topics
        .iter()
        .map(|wanted| {
            if seen.insert(&*wanted.name) {
                plan(controller.node.id, &image, wanted)
            } else {
                Err(Refusal::new(
                    ErrorCode::InvalidRequest,
                    format!("the request names \"{}\" twice", wanted.name),
                ))
            }
        })
        .collect();
    let proposal =
        (!request.validate_only).then(|| make(&mut changes, &request.topics, &mut plans));
    (plans, proposal)
}

fn plan(node_id: NodeId, image: &Image, wanted: &CreatePartitionsTopic) -> PartitionsPlan {
    let topic: &Arc<TopicImage> = image
        .topic(&wanted.name)
        .ok_or_else(|| Refusal::unknown_topic(&wanted.name))?;
    let present = topic.partitions.len() as i32;
    if wanted.count <= present {
        let message = format!(
            "\"{}\" has {present} partitions and cannot be made to have {}: give a larger number",
            wanted.name, wanted.count
        );
        return Err(Refusal::new(ErrorCode::InvalidPartitions, message));
    }
    if wanted.count > PARTITIONS_MAX {
        let message = format!("a topic has at most {PARTITIONS_MAX} partitions");
        return Err(Refusal::new(ErrorCode::InvalidPartitions, message));
    }
    if let Some(assignments) = &wanted.assignments {
        if assignments.len() as i32 != wanted.count - present {
            let message = format!(
                "{} new partitions need as many assignments, {} were given",
                wanted.count - present,
                assignments.len()
            );
            return Err(Refusal::new(ErrorCode::InvalidReplicaAssignment, message));
        }
        for assignment in assignments {
            check_assignment(node_id, &assignment.broker_ids)?;
        }
    }
    let new = |index| PartitionImage::new(vec![node_id]).record(topic.id, index);
    Ok((present..wanted.count).map(new).collect())
}

/// Creates the planned partitions: the files of each topic first, then one metadata change for all. Each topic gets its
/// own result.
fn make<E: Env>(
    changes: &mut Changes<'_, E>,
    wanted: &[CreatePartitionsTopic],
    plans: &mut [PartitionsPlan],
) -> Proposal {
    let mut new = Vec::new();
    let mut records = Vec::new();
    for (wanted, result) in wanted.iter().zip(&mut *plans) {
        let Ok(planned) = result else { continue };
        match prepare(changes, &wanted.name, planned) {
            Ok(partitions) => {
                new.push(partitions);
                records.extend(planned.iter().cloned());
            }
            Err(refusal) => *result = Err(refusal),
        }
    }
    changes.propose_partitions(records, new)
}

fn prepare<E: Env>(
    changes: &Changes<'_, E>,
    name: &str,
    records: &[MetadataRecord],
) -> Result<NewPartitions<E>, Refusal> {
    let image = changes.image().with(records)?;
    let topic = image
        .topic(name)
        .ok_or_else(|| Refusal::unknown_topic(name))?;
    changes.prepare(&image, topic)
}

fn respond(
    wanted: CreatePartitionsTopic,
    result: Result<(), Refusal>,
) -> CreatePartitionsTopicResult {
    let (code, message) = match result {
        Ok(()) => (ErrorCode::None, None),
        Err(refusal) => (refusal.code, Some(refusal.message.into())),
    };
    CreatePartitionsTopicResult {
        name: wanted.name,
        error_code: code.code(),
        error_message: message,
        ..CreatePartitionsTopicResult::default()
    }
}
