//! `CreatePartitions` (key 37), versions 0-3.
//!
//! Behaviour: gives a topic more partitions, up to a total count. Records with keys go to other partitions from then on, as in Kafka.
//!
//! Notes: the count may only grow (`INVALID_PARTITIONS`); assignments, if given, can only name this broker.

use std::collections::HashSet;
use std::sync::Arc;

use headwater_env::Env;
use headwater_metadata::{Image, MetadataRecord, PartitionImage, TopicImage};
use headwater_protocol::create_partitions_request::CreatePartitionsTopic;
use headwater_protocol::create_partitions_response::CreatePartitionsTopicResult;
use headwater_protocol::{CreatePartitionsRequest, CreatePartitionsResponse, ErrorCode};

use super::errors::Refusal;
use crate::RequestContext;
use crate::new_topic::{PARTITIONS_MAX, check_assignment};
use crate::state::State;

/// Answers the request.
pub(super) fn handle<E: Env>(
    state: &State<E>,
    _context: &RequestContext,
    request: CreatePartitionsRequest,
) -> CreatePartitionsResponse {
    let mut controller = state.controller.lock();
    let image = state.image();
    let mut seen = HashSet::new();
    let plans: Vec<_> = request
        .topics
        .iter()
        .map(|wanted| {
            if seen.insert(&*wanted.name) {
                plan(state, &image, wanted)
            } else {
                Err(Refusal::new(
                    ErrorCode::InvalidRequest,
                    format!("the request names \"{}\" twice", wanted.name),
                ))
            }
        })
        .collect();
    let records: Vec<_> = plans.iter().flatten().flatten().cloned().collect();
    let committed = if request.validate_only {
        Ok(())
    } else {
        controller.commit(state, &records).map_err(Refusal::from)
    };
    let image = state.image();
    let results = request.topics.into_iter().zip(plans).map(|(wanted, plan)| {
        let result = plan.and_then(|_| {
            committed.clone()?;
            if request.validate_only {
                Ok(())
            } else {
                materialise(state, &image, &wanted.name)
            }
        });
        respond(wanted, result)
    });
    CreatePartitionsResponse {
        results: results.collect(),
        ..CreatePartitionsResponse::default()
    }
}

fn plan<E: Env>(
    state: &State<E>,
    image: &Image,
    wanted: &CreatePartitionsTopic,
) -> Result<Vec<MetadataRecord>, Refusal> {
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
            check_assignment(state.node_id, &assignment.broker_ids)?;
        }
    }
    let new = |index| PartitionImage::new(vec![state.node_id]).record(topic.id, index);
    Ok((present..wanted.count).map(new).collect())
}

fn materialise<E: Env>(state: &State<E>, image: &Image, name: &str) -> Result<(), Refusal> {
    let topic = image
        .topic(name)
        .ok_or_else(|| Refusal::unknown_topic(name))?;
    state.materialise(image, topic).map_err(|error| {
        let message = format!("the partitions are recorded, but their files could not be made: {error}. Check the disk, then open the directory again");
        Refusal::new(ErrorCode::KafkaStorageError, message)
    })
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
