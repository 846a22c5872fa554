//! `DeleteTopics` (key 20), versions 1-6.
//!
//! Behaviour: deletes topics by name, from version 6 on also by id. The deletion is durable before the response. The
//! files are deleted after `file.delete.delay.ms`; after a crash the next open deletes them.
//!
//! Notes: a topic that appears twice is `INVALID_REQUEST`. With `delete.topic.enable=false` all topics are refused;
//! versions before 3 have no code for that and get `INVALID_REQUEST`. Internal topics cannot be deleted.

use std::sync::Arc;

use headwater_env::Env;
use headwater_metadata::{Image, MetadataRecord, TopicImage, is_internal_topic};
use headwater_protocol::delete_topics_request::DeleteTopicState;
use headwater_protocol::delete_topics_response::DeletableTopicResult;
use headwater_protocol::{DeleteTopicsRequest, DeleteTopicsResponse, ErrorCode, RemoveTopicRecord};

use super::support::errors::Refusal;
use crate::RequestContext;
use crate::controller::{Controller, Proposal};
use crate::groups::Groups;
use crate::metadata_log::CommitError;
use crate::partitions::Partitions;

/// The first version with the code for disabled deletion.
const DISABLED_SINCE: i16 = 3;

/// Handles the request.
pub(super) async fn handle<E: Env>(
    controller: &Arc<Controller<E>>,
    partitions: &Arc<Partitions<E>>,
    groups: &Groups<E>,
    context: &RequestContext,
    request: DeleteTopicsRequest,
) -> DeleteTopicsResponse {
    let by_name = request
        .topic_names
        .into_iter()
        .map(|name| DeleteTopicState {
            name: Some(name),
            ..DeleteTopicState::default()
        });
    let wanted: Vec<_> = request.topics.into_iter().chain(by_name).collect();
    let (found, proposal) = propose(controller, partitions, context, &wanted);
    let committed = proposal.decided().await.map_err(Refusal::from);
    if committed.is_ok() {
        for topic in found.iter().flatten() {
            groups.forget_offsets_of_topic(&topic.name, topic.id);
        }
    }
    let answer = |(wanted, found): (DeleteTopicState, Result<_, Refusal>)| {
        let result = found.and_then(|topic| committed.clone().map(|()| topic));
        respond(wanted, result)
    };
    DeleteTopicsResponse {
        responses: wanted.into_iter().zip(found).map(answer).collect(),
        ..DeleteTopicsResponse::default()
    }
}

/// A topic to delete, or the reason for refusing it.
type DeletionTarget = Result<Arc<TopicImage>, Refusal>;

/// Proposes to delete the topics that may be deleted.
fn propose<E: Env>(
    controller: &Arc<Controller<E>>,
    partitions: &Arc<Partitions<E>>,
    context: &RequestContext,
    wanted: &[DeleteTopicState],
) -> (Vec<DeletionTarget>, Proposal) {
    let mut changes = controller.changes();
    let image = changes.image();
    let mut found: Vec<DeletionTarget> = wanted
        .iter()
        .map(|wanted| {
            check_allowed(controller, context)?;
            find(&image, wanted)
        })
        .collect();
    refuse_repeated(&mut found);
    let remove = |topic: &Arc<TopicImage>| {
        MetadataRecord::RemoveTopic(RemoveTopicRecord {
            topic_id: topic.id,
            ..RemoveTopicRecord::default()
        })
    };
    let records: Vec<_> = found.iter().flatten().map(remove).collect();
    let ids: Vec<_> = found.iter().flatten().map(|topic| topic.id).collect();
    let partitions = Arc::clone(partitions);
    let retire = move |made: &Result<(), CommitError>| {
        if made.is_err() || ids.is_empty() {
            return;
        }
        for id in ids {
            partitions.retire_topic(id);
        }
        // A later topic must not inherit the recovery point of a deleted one.
        partitions.write_recovery_points();
        partitions.write_log_starts();
        partitions.write_cleaner_offsets();
    };
    let proposal = changes.propose(records, retire);
    (found, proposal)
}

fn check_allowed<E: Env>(
    controller: &Controller<E>,
    context: &RequestContext,
) -> Result<(), Refusal> {
    if controller.config().delete_topics {
        return Ok(());
    }
    let code = if context.is_at_least(DISABLED_SINCE) {
        ErrorCode::TopicDeletionDisabled
    } else {
        ErrorCode::InvalidRequest
    };
    let message = "topics cannot be deleted: the broker was opened with delete.topic.enable=false";
    Err(Refusal::new(code, message))
}

fn find(image: &Image, wanted: &DeleteTopicState) -> Result<Arc<TopicImage>, Refusal> {
    let topic = match (&wanted.name, wanted.topic_id) {
        (Some(name), id) if id.is_nil() => image
            .topic(name)
            .ok_or_else(|| Refusal::unknown_topic(name)),
        (None, id) if !id.is_nil() => {
            let missing = || {
                Refusal::new(
                    ErrorCode::UnknownTopicId,
                    format!("there is no topic with the id {id}"),
                )
            };
            image.topic_by_id(id).ok_or_else(missing)
        }
        _ => Err(Refusal::new(
            ErrorCode::InvalidRequest,
            "identify a topic either by its name or by its id",
        )),
    }?;
    if is_internal_topic(&topic.name) {
        let message = format!(
            "the topic \"{}\" belongs to the broker and cannot be deleted",
            topic.name
        );
        return Err(Refusal::new(ErrorCode::InvalidTopicException, message));
    }
    Ok(Arc::clone(topic))
}

/// Refuses every occurrence of a repeated topic.
fn refuse_repeated(found: &mut [Result<Arc<TopicImage>, Refusal>]) {
    let ids: Vec<_> = found
        .iter()
        .map(|topic| topic.as_ref().ok().map(|topic| topic.id))
        .collect();
    for (at, id) in ids.iter().enumerate() {
        let repeated = id.is_some()
            && ids
                .iter()
                .enumerate()
                .any(|(other, other_id)| other != at && other_id == id);
        if repeated {
            found[at] = Err(Refusal::new(
                ErrorCode::InvalidRequest,
                "the request names this topic twice",
            ));
        }
    }
}

fn respond(
    wanted: DeleteTopicState,
    result: Result<Arc<TopicImage>, Refusal>,
) -> DeletableTopicResult {
    match result {
        Ok(topic) => DeletableTopicResult {
            name: Some((&*topic.name).into()),
            topic_id: topic.id,
            error_code: ErrorCode::None.code(),
            ..DeletableTopicResult::default()
        },
        Err(refusal) => DeletableTopicResult {
            name: wanted.name,
            topic_id: wanted.topic_id,
            error_code: refusal.code.code(),
            error_message: Some(refusal.message.into()),
            ..DeletableTopicResult::default()
        },
    }
}
