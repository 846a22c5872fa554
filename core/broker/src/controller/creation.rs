//! Creates topics and partitions in three steps: makes their files, proposes the metadata records, and puts them into
//! service when these are durable.

use std::sync::Arc;

use headwater_env::Env;
use headwater_metadata::{Image, MetadataRecord, TopicImage};

use super::{Changes, Proposal};
use crate::partitions::NewPartitions;
use crate::refusal::Refusal;

impl<E: Env> Changes<'_, E> {
    /// Creates the files of the partitions of `topic` that are in `image` (the image after the change) but not in
    /// service yet. After an error the files are deleted.
    pub(crate) fn prepare(
        &self,
        image: &Image,
        topic: &TopicImage,
    ) -> Result<NewPartitions<E>, Refusal> {
        let controller = self.controller;
        let config = controller.topic_config(image, &topic.name);
        controller
            .partitions
            .prepare(topic, config, &controller.config())
    }

    /// Proposes `records` as one change that puts the new partitions into service. If it is not made, their files are
    /// deleted.
    pub(crate) fn propose_partitions(
        &mut self,
        records: Vec<MetadataRecord>,
        new: Vec<NewPartitions<E>>,
    ) -> Proposal {
        let partitions = Arc::clone(&self.controller.partitions);
        self.propose(records, move |made| {
            for new in new {
                if made.is_ok() {
                    partitions.serve(new);
                } else {
                    partitions.discard(new);
                }
            }
        })
    }
}
