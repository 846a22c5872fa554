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
use crate::state::State;

/// The first version with the code for disabled deletion.
const DISABLED_SINCE: i16 = 3;

/// Handles the request.
pub(super) fn handle<E: Env>(
    state: &State<E>,
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
    let (found, committed) = delete(state, context, &wanted);
    if committed.is_ok() {
        for topic in found.iter().flatten() {
            state.forget_offsets_of_topic(&topic.name, topic.id);
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

/// Deletes the topics that may be deleted, under the controller lock.
fn delete<E: Env>(
    state: &State<E>,
    context: &RequestContext,
    wanted: &[DeleteTopicState],
) -> (Vec<DeletionTarget>, Result<(), Refusal>) {
    let mut controller = state.controller.lock();
    let image = state.image();
    let mut found: Vec<DeletionTarget> = wanted
        .iter()
        .map(|wanted| {
            check_allowed(state, context)?;
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
    let committed = controller.commit(state, &records).map_err(Refusal::from);
    if committed.is_ok() && !records.is_empty() {
        for topic in found.iter().flatten() {
            if let Some(topic) = state.topics.remove(topic.id) {
                state.retire_topic(&topic);
            }
        }
        // A later topic must not inherit the recovery point of a deleted one.
        state.write_recovery_points();
        state.write_log_starts();
        state.write_cleaner_offsets();
    }
    (found, committed)
}

fn check_allowed<E: Env>(state: &State<E>, context: &RequestContext) -> Result<(), Refusal> {
    if state.config().delete_topics {
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
