//! `CreateTopics` (key 19), versions 2-7.
//!
//! Behaviour: each topic gets its own result. The name, counts, assignments and configuration are checked, and the
//! first problem is the topic's error, with a message. Then the topic's files are created; all topics whose files were
//! created become durable in one write. -1 requests the broker's default.
//!
//! Notes: the topics of one request have at most 10,000 partitions together (`POLICY_VIOLATION`). With one broker the
//! only replication factor is 1. Names that differ only in '.' and '_' collide, as in Kafka.

use std::collections::HashSet;
use std::sync::Arc;

use headwater_env::Env;
use headwater_metadata::{Image, MetadataRecord, TopicImage};
use headwater_protocol::create_topics_request::CreatableTopic;
use headwater_protocol::create_topics_response::CreatableTopicResult;
use headwater_protocol::{CreateTopicsRequest, CreateTopicsResponse, ErrorCode};

use super::describe_configs;
use super::support::errors::Refusal;
use crate::RequestContext;
use crate::controller::{Changes, Controller, Proposal};
use crate::new_topic::{self, NewTopic, Owner, PARTITIONS_MAX};

/// Handles the request.
pub(super) async fn handle<E: Env>(
    controller: &Arc<Controller<E>>,
    _context: &RequestContext,
    request: CreateTopicsRequest,
) -> CreateTopicsResponse {
    let mut change = propose(controller, &request);
    if let Some(proposal) = change.proposal.take()
        && let Err(error) = proposal.decided().await
    {
        let refusal = Refusal::from(error);
        for result in change.results.iter_mut().filter(|result| result.is_ok()) {
            *result = Err(refusal.clone());
        }
    }
    let topics = request.topics.iter().zip(change.results);
    let topics = topics.map(|(wanted, result)| match result {
        Ok(plan) => created(controller, &change.planned, &plan),
        Err(refusal) => refused(wanted, refusal),
    });
    CreateTopicsResponse {
        topics: topics.collect(),
        ..CreateTopicsResponse::default()
    }
}

/// A valid new topic, and the metadata records that create it.
struct TopicPlan {
    topic: TopicImage,
    records: Vec<MetadataRecord>,
}

/// The change that creates the topics of a request.
struct TopicsChange {
    /// The image after the change.
    planned: Image,
    /// One for each topic of the request.
    results: Vec<Result<TopicPlan, Refusal>>,
    /// `None` if the request only validates.
    proposal: Option<Proposal>,
}

/// Plans the topics of the request, creates their files and proposes them.
fn propose<E: Env>(controller: &Arc<Controller<E>>, request: &CreateTopicsRequest) -> TopicsChange {
    let mut changes = controller.changes();
    let image = changes.image();
    let twice = repeated(&request.topics);
    let mut planned = image.as_ref().clone();
    let mut results = Vec::new();
    let mut partitions = 0;
    for wanted in &request.topics {
        let plan = if twice.contains(&*wanted.name) {
            Err(Refusal::new(
                ErrorCode::InvalidRequest,
                format!("the request names \"{}\" twice", wanted.name),
            ))
        } else {
            plan(controller, &mut planned, wanted).and_then(|plan| {
                partitions += plan.topic.partitions.len();
                check_total(partitions)?;
                Ok(plan)
            })
        };
        results.push(plan);
    }
    let proposal = (!request.validate_only).then(|| make(&mut changes, &planned, &mut results));
    TopicsChange {
        planned,
        results,
        proposal,
    }
}

fn plan<E: Env>(
    controller: &Controller<E>,
    planned: &mut Image,
    wanted: &CreatableTopic,
) -> Result<TopicPlan, Refusal> {
    let assignments = wanted
        .assignments
        .iter()
        .map(|given| (given.partition_index, given.broker_ids.as_slice()))
        .collect();
    let configs = wanted
        .configs
        .iter()
        .map(|config| (&*config.name, config.value.as_deref()))
        .collect();
    let new = NewTopic {
        name: &wanted.name,
        owner: Owner::Client,
        partitions: wanted.num_partitions,
        replication_factor: wanted.replication_factor,
        assignments,
        configs,
    };
    let topic = new_topic::check(controller, planned, &new)?;
    let records = new_topic::records(&topic, &new)?;
    for record in &records {
        planned
            .apply(record)
            .map_err(|error| Refusal::new(ErrorCode::UnknownServerError, error.to_string()))?;
    }
    Ok(TopicPlan { topic, records })
}

/// Checks Kafka's limit for the partitions of one request. The topic that exceeds it is refused.
fn check_total(partitions: usize) -> Result<(), Refusal> {
    if partitions <= PARTITIONS_MAX as usize {
        return Ok(());
    }
    let message = format!(
        "the topics of this request have more than {PARTITIONS_MAX} partitions together: send several requests"
    );
    Err(Refusal::new(ErrorCode::PolicyViolation, message))
}

/// Creates the planned topics: the files of each topic first, then one metadata change for all. Each topic gets its own
/// result.
fn make<E: Env>(
    changes: &mut Changes<'_, E>,
    planned: &Image,
    results: &mut [Result<TopicPlan, Refusal>],
) -> Proposal {
    let mut new = Vec::new();
    let mut records = Vec::new();
    for result in &mut *results {
        let Ok(plan) = result else { continue };
        match changes.prepare(planned, &plan.topic) {
            Ok(partitions) => {
                new.push(partitions);
                records.extend(plan.records.iter().cloned());
            }
            Err(refusal) => *result = Err(refusal),
        }
    }
    changes.propose_partitions(records, new)
}

fn repeated(topics: &[CreatableTopic]) -> HashSet<&str> {
    let mut seen = HashSet::new();
    topics
        .iter()
        .map(|topic| &*topic.name)
        .filter(|name| !seen.insert(*name))
        .collect()
}

fn created<E: Env>(
    controller: &Controller<E>,
    image: &Image,
    plan: &TopicPlan,
) -> CreatableTopicResult {
    CreatableTopicResult {
        name: (&*plan.topic.name).into(),
        topic_id: plan.topic.id,
        error_code: ErrorCode::None.code(),
        num_partitions: plan.topic.partitions.len() as i32,
        replication_factor: 1,
        configs: Some(describe_configs::creatable_configs(
            controller,
            image,
            &plan.topic.name,
        )),
        ..CreatableTopicResult::default()
    }
}

fn refused(wanted: &CreatableTopic, refusal: Refusal) -> CreatableTopicResult {
    CreatableTopicResult {
        name: wanted.name.clone(),
        error_code: refusal.code.code(),
        error_message: Some(refusal.message.into()),
        num_partitions: -1,
        replication_factor: -1,
        configs: Some(Vec::new()),
        ..CreatableTopicResult::default()
    }
}
