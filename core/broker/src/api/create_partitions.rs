//! `CreatePartitions` (key 37), versions 0-3.
//!
//! Behaviour: increases the number of partitions of a topic to a total count. Records with keys may map to other
//! partitions afterwards, as in Kafka.
//!
//! Notes: the count may only grow (`INVALID_PARTITIONS`); replica assignments may only contain this broker.

use std::collections::HashSet;
use std::sync::Arc;

use headwater_env::Env;
use headwater_metadata::{Image, MetadataRecord, PartitionImage, TopicImage};
use headwater_protocol::create_partitions_request::CreatePartitionsTopic;
use headwater_protocol::create_partitions_response::CreatePartitionsTopicResult;
use headwater_protocol::{CreatePartitionsRequest, CreatePartitionsResponse, ErrorCode};

use super::support::errors::Refusal;
use crate::RequestContext;
use crate::controller::Controller;
use crate::new_topic::{PARTITIONS_MAX, check_assignment};
use crate::state::State;
use crate::topic_changes::NewPartitions;

/// Handles the request.
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
    let mut results: Vec<Result<Vec<MetadataRecord>, Refusal>> = plans;
    if !request.validate_only {
        make(state, &mut controller, &request.topics, &mut results);
    }
    let results = request.topics.into_iter().zip(results);
    let results = results.map(|(wanted, result)| respond(wanted, result.map(drop)));
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

/// Creates the planned partitions: the files of each topic first, then one metadata change for all. Each topic gets its
/// own result.
fn make<E: Env>(
    state: &State<E>,
    controller: &mut Controller,
    wanted: &[CreatePartitionsTopic],
    results: &mut [Result<Vec<MetadataRecord>, Refusal>],
) {
    let mut new = Vec::new();
    let mut records = Vec::new();
    for (wanted, result) in wanted.iter().zip(&mut *results) {
        let Ok(planned) = result else { continue };
        match prepare(state, &wanted.name, planned) {
            Ok(partitions) => {
                new.push(partitions);
                records.extend(planned.iter().cloned());
            }
            Err(refusal) => *result = Err(refusal),
        }
    }
    if let Err(refusal) = state.record(controller, &records, new) {
        for result in results.iter_mut().filter(|result| result.is_ok()) {
            *result = Err(refusal.clone());
        }
    }
}

fn prepare<E: Env>(
    state: &State<E>,
    name: &str,
    records: &[MetadataRecord],
) -> Result<NewPartitions<E>, Refusal> {
    let image = state.image().with(records)?;
    let topic = image
        .topic(name)
        .ok_or_else(|| Refusal::unknown_topic(name))?;
    state.prepare(&image, topic)
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
