//! One batch to the broker: stamped, sent, sent again where that can help, and answered.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use headwater_protocol::ErrorCode;
use headwater_record::ProducerState;

use super::completion::{Outcome, Written};
use super::identity::{Identity, identity};
use super::produce::{Answer, produce};
use super::queue::{PartitionQueue, Payload, ReadyBatch};
use super::split::split;
use super::stamp::stamp;
use crate::error::{Error, ErrorKind, Result};
use crate::error_codes::{self, Remedy};

/// Sends `batch` and completes it, whatever happens. The caller holds the queue's claim.
pub(crate) async fn deliver(queue: Arc<PartitionQueue>, mut batch: ReadyBatch) {
    let mut delivery = Delivery {
        queue: &queue,
        deadline: batch.opened + queue.context.config.delivery_timeout,
        attempt: 0,
    };
    let payload = std::mem::replace(&mut batch.payload, Payload::Encoded(Bytes::new()));
    let outcome = match delivery.encode(payload, batch.records).await {
        Ok(encoded) => delivery.send_whole_or_split(encoded).await,
        Err(error) => Outcome::Failed(
            error
                .in_topic(Arc::clone(&queue.topic))
                .in_partition(queue.partition),
        ),
    };
    batch.complete(outcome);
}

/// A batch as it goes over the seam.
pub(crate) struct Encoded {
    pub(crate) bytes: Bytes,
    pub(crate) records: u32,
    stamp: Option<(Identity, ProducerState)>,
}

struct Delivery<'a> {
    queue: &'a Arc<PartitionQueue>,
    deadline: Instant,
    attempt: u32,
}

impl Delivery<'_> {
    /// Finishes the batch under the producer's identity.
    async fn encode(&mut self, payload: Payload, records: u32) -> Result<Encoded> {
        let stamped = self.next_stamp().await?;
        let producer = stamped.map(|(_, producer)| producer);
        let bytes = match payload {
            Payload::Building(mut builder) => {
                builder.set_producer(producer);
                let bytes = builder.finish().unwrap_or_default();
                self.queue.keep(builder);
                bytes
            }
            Payload::Encoded(bytes) => restamp(bytes, producer)?,
        };
        Ok(Encoded {
            bytes,
            records,
            stamp: stamped,
        })
    }

    /// The identity and sequence of the next batch; `None` without idempotence.
    async fn next_stamp(&mut self) -> Result<Option<(Identity, ProducerState)>> {
        if !self.queue.context.config.idempotent {
            return Ok(None);
        }
        loop {
            match identity(&self.queue.context).await {
                Ok(identity) => {
                    return Ok(Some((identity, self.queue.sequence.lock().next(identity))));
                }
                Err(error) if error.is_retriable() && self.may_retry() => self.pause().await,
                Err(error) => return Err(error),
            }
        }
    }

    async fn send_whole_or_split(&mut self, encoded: Encoded) -> Outcome {
        let records = encoded.records;
        let bytes = encoded.bytes.clone();
        match self.send(encoded).await {
            Ok(written) => Outcome::Written(written),
            Err(Failure::TooLarge(_)) if records > 1 => self.send_parts(&bytes).await,
            Err(Failure::TooLarge(error) | Failure::Refused(error)) => {
                Outcome::Failed(self.located(error))
            }
            Err(Failure::Records(parts)) => Outcome::Parts(
                parts
                    .into_iter()
                    .map(|(first, error)| (first, Err(self.located(error))))
                    .collect(),
            ),
        }
    }

    /// The broker found the batch too large: its halves, its quarters, and so on, in order.
    async fn send_parts(&mut self, bytes: &Bytes) -> Outcome {
        let mut todo = match split(bytes) {
            Ok((first, second)) => vec![(second.0, second.1, first.1), (first.0, first.1, 0)],
            Err(error) => return Outcome::Failed(self.located(error)),
        };
        let mut parts = Vec::new();
        while let Some((bytes, records, first)) = todo.pop() {
            let sent = match self.encode(Payload::Encoded(bytes.clone()), records).await {
                Ok(encoded) => self.send(encoded).await,
                Err(error) => Err(Failure::Refused(error)),
            };
            match sent {
                Ok(written) => parts.push((first, Ok(written))),
                Err(Failure::TooLarge(_)) if records > 1 => match split(&bytes) {
                    Ok((one, two)) => {
                        todo.push((two.0, two.1, first + one.1));
                        todo.push((one.0, one.1, first));
                    }
                    Err(error) => parts.push((first, Err(self.located(error)))),
                },
                Err(Failure::TooLarge(error) | Failure::Refused(error)) => {
                    parts.push((first, Err(self.located(error))));
                }
                Err(Failure::Records(inner)) => {
                    parts.extend(
                        inner
                            .into_iter()
                            .map(|(at, error)| (first + at, Err(self.located(error)))),
                    );
                }
            }
        }
        Outcome::Parts(parts)
    }

    /// Sends until there is an answer that counts.
    async fn send(&mut self, mut encoded: Encoded) -> Result<Written, Failure> {
        let mut maybe_written = false;
        loop {
            let answer = produce(self.queue, encoded.bytes.clone(), self.deadline).await;
            let Answer {
                error,
                code,
                maybe_written: this_time,
                records,
            } = match answer {
                Ok(written) => {
                    self.queue.sequence.lock().written(encoded.records);
                    return Ok(written);
                }
                Err(answer) => answer,
            };
            maybe_written |= this_time;
            if !self.may_retry() {
                return Err(self.give_up(&encoded, maybe_written, code, error, records));
            }
            if error_codes::remedy(code) == Remedy::RenewProducer {
                self.lost_count(&encoded);
                self.attempt += 1;
                encoded = self
                    .encode(Payload::Encoded(encoded.bytes), encoded.records)
                    .await
                    .map_err(Failure::Refused)?;
                continue;
            }
            let cluster = &self.queue.context.cluster;
            let error = error.in_partition(self.queue.partition);
            match cluster.prepare_retry(&error, Some(&self.queue.topic)).await {
                Ok(()) => self.pause().await,
                Err(error) => {
                    return Err(self.give_up(&encoded, maybe_written, code, error, records));
                }
            }
        }
    }

    /// The failure of a batch that is not sent again.
    fn give_up(
        &self,
        encoded: &Encoded,
        maybe_written: bool,
        code: ErrorCode,
        error: Error,
        records: Vec<(u32, Error)>,
    ) -> Failure {
        if maybe_written || code == ErrorCode::OutOfOrderSequenceNumber {
            self.lost_count(encoded);
        }
        Failure::of(code, error, records)
    }

    fn lost_count(&self, encoded: &Encoded) {
        if let Some((identity, _)) = encoded.stamp {
            self.queue.context.identity.renew(identity);
        }
    }

    fn may_retry(&self) -> bool {
        let context = &self.queue.context;
        let pause = context.cluster.config().retry.pause(self.attempt + 1);
        self.attempt < context.config.retries && Instant::now() + pause < self.deadline
    }

    async fn pause(&mut self) {
        self.attempt += 1;
        let retry = self.queue.context.cluster.config().retry;
        tokio::time::sleep(retry.jittered_pause(self.attempt)).await;
    }

    fn located(&self, error: Error) -> Error {
        error
            .in_topic(Arc::clone(&self.queue.topic))
            .in_partition(self.queue.partition)
    }
}

enum Failure {
    /// The batch is larger than the broker takes.
    TooLarge(Error),
    /// None of it was written.
    Refused(Error),
    /// None of it was written, each record with its own reason.
    Records(Vec<(u32, Error)>),
}

impl Failure {
    fn of(code: ErrorCode, error: Error, records: Vec<(u32, Error)>) -> Self {
        match code {
            ErrorCode::MessageTooLarge | ErrorCode::RecordListTooLarge => Self::TooLarge(error),
            _ if records.is_empty() => Self::Refused(error),
            _ => Self::Records(records),
        }
    }
}

fn restamp(bytes: Bytes, producer: Option<ProducerState>) -> Result<Bytes> {
    let Some(producer) = producer else {
        return Ok(bytes);
    };
    stamp(bytes, producer).map_err(|error| {
        Error::new(
            ErrorKind::Broker,
            format!("An encoded batch cannot be read back: {error}. Please report this."),
        )
        .caused_by(error)
    })
}
