//! Makes mutated requests plausible, so that they pass the first checks and reach the deeper ones.

use headwater_protocol::{ProduceRequest, Request};

use super::schema::Random;
use super::vocabulary::damaged_inside;

/// The types of resources with a configuration.
const KINDS: [i8; 2] = [2, 4];

/// The first version of Fetch with sessions.
const SESSIONS_SINCE: i16 = 7;

/// Replaces numbers that select something by values that are valid in the version; changes nothing else.
pub(crate) fn make_plausible(request: &mut Request, version: i16, random: &mut Random) {
    if let Request::Produce(request) = request {
        return make_produce_plausible(request, random);
    }
    let mut partition = || random.below(3) as i32;
    match request {
        Request::Fetch(request) => {
            if version >= SESSIONS_SINCE {
                (request.session_id, request.session_epoch) = (0, partition() - 1);
            }
            request.max_bytes = i32::MAX;
            let topics = request.topics.iter_mut();
            for wanted in topics.flat_map(|topic| &mut topic.partitions) {
                (wanted.partition, wanted.current_leader_epoch) = (partition(), -1);
                wanted.fetch_offset = i64::from(partition());
            }
        }
        Request::ListOffsets(request) => {
            let topics = request.topics.iter_mut();
            for wanted in topics.flat_map(|topic| &mut topic.partitions) {
                (wanted.partition_index, wanted.current_leader_epoch) = (partition(), -1);
                wanted.timestamp = i64::from(partition() - 2 * partition());
            }
        }
        Request::OffsetForLeaderEpoch(request) => {
            let topics = request.topics.iter_mut();
            for wanted in topics.flat_map(|topic| &mut topic.partitions) {
                (wanted.partition, wanted.current_leader_epoch) = (partition(), -1);
            }
        }
        Request::DeleteRecords(request) => {
            let topics = request.topics.iter_mut();
            for wanted in topics.flat_map(|topic| &mut topic.partitions) {
                wanted.partition_index = partition();
                wanted.offset = i64::from(partition() - 1);
            }
        }
        Request::CreatePartitions(request) => {
            for topic in &mut request.topics {
                (topic.count, topic.assignments) = (3 + partition(), None);
            }
        }
        Request::CreateTopics(request) => {
            for topic in &mut request.topics {
                (topic.num_partitions, topic.replication_factor) = (partition(), 1);
                topic.assignments.clear();
                topic.configs.truncate(1);
            }
        }
        Request::DescribeProducers(request) => {
            for topic in &mut request.topics {
                topic.partition_indexes = vec![partition(), partition()];
            }
        }
        other => make_configuration_plausible(other, random),
    }
}

/// Uses an existing partition, and damages the inside of every other batch.
fn make_produce_plausible(request: &mut ProduceRequest, random: &mut Random) {
    request.transactional_id = None;
    request.acks = random.below(3) as i16 - 1;
    let topics = request.topic_data.iter_mut();
    for data in topics.flat_map(|topic| &mut topic.partition_data) {
        data.index = random.below(3) as i32;
        if let Some(records) = &mut data.records
            && random.chance(2)
        {
            *records = damaged_inside(records, random).into();
        }
    }
}

fn make_configuration_plausible(request: &mut Request, random: &mut Random) {
    let mut kind = || KINDS[random.below(2)];
    match request {
        Request::DescribeConfigs(request) => {
            for resource in &mut request.resources {
                resource.resource_type = kind();
            }
        }
        Request::AlterConfigs(request) => {
            for resource in &mut request.resources {
                resource.resource_type = kind();
            }
        }
        Request::IncrementalAlterConfigs(request) => {
            for resource in &mut request.resources {
                resource.resource_type = kind();
                for config in &mut resource.configs {
                    config.config_operation &= 3;
                }
            }
        }
        Request::DescribeCluster(request) => request.endpoint_type = 1,
        Request::DescribeTopicPartitions(request) => request.cursor = None,
        Request::InitProducerId(request) => request.transactional_id = None,
        _ => {}
    }
}
