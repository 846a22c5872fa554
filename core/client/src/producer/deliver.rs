//! Delivers one batch: stamps, sends, retries and splits it, and completes its records.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use headwater_protocol::ErrorCode;
use headwater_record::ProducerState;

use super::completion::{BatchOutcome, ProduceResult};
use super::identity::{Identity, identity};
use super::produce::{ProduceFailure, produce};
use super::queue::{PartitionQueue, Payload, ReadyBatch};
use super::split::split;
use super::stamp::stamp;
use crate::error::{Error, ErrorKind, Result};
use crate::error_codes::{self, Remedy};

/// Sends `batch` and completes it in any case. The caller must hold the claim of the queue.
pub(crate) async fn deliver(queue: Arc<PartitionQueue>, mut batch: ReadyBatch) {
    let mut delivery = Delivery {
        queue: &queue,
        deadline: batch.opened + queue.context.config.delivery_timeout,
        attempt: 0,
    };
    let payload = std::mem::replace(&mut batch.payload, Payload::Encoded(Bytes::new()));
    let outcome = match delivery.encode(payload, batch.records).await {
        Ok(encoded) => delivery.send_whole_or_split(encoded).await,
        Err(error) => BatchOutcome::Failed(
            error
                .in_topic(Arc::clone(&queue.topic))
                .in_partition(queue.partition),
        ),
    };
    batch.complete(outcome);
}

/// A batch ready to be sent.
pub(crate) struct EncodedBatch {
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
    /// Encodes and stamps a batch.
    async fn encode(&mut self, payload: Payload, records: u32) -> Result<EncodedBatch> {
        let stamped = self.next_stamp().await?;
        let producer = stamped.map(|(_, producer)| producer);
        let bytes = match payload {
            Payload::Building(mut builder) => {
                builder.set_producer(producer);
                let bytes = builder.finish().unwrap_or_default();
                self.queue.recycle(builder);
                bytes
            }
            Payload::Encoded(bytes) => restamp(bytes, producer)?,
        };
        Ok(EncodedBatch {
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
                Err(error) if error.is_retriable() && self.may_retry() => self.back_off().await,
                Err(error) => return Err(error),
            }
        }
    }

    async fn send_whole_or_split(&mut self, encoded: EncodedBatch) -> BatchOutcome {
        let records = encoded.records;
        let bytes = encoded.bytes.clone();
        match self.send(encoded).await {
            Ok(written) => BatchOutcome::Written(written),
            Err(DeliveryFailure::TooLarge(_)) if records > 1 => self.send_parts(&bytes).await,
            Err(DeliveryFailure::TooLarge(error) | DeliveryFailure::Refused(error)) => {
                BatchOutcome::Failed(self.at_partition(error))
            }
            Err(DeliveryFailure::Records(parts)) => BatchOutcome::Parts(
                parts
                    .into_iter()
                    .map(|(first, error)| (first, Err(self.at_partition(error))))
                    .collect(),
            ),
        }
    }

    /// Splits a batch that the broker rejected as too large, repeatedly if necessary, and sends the parts in order.
    async fn send_parts(&mut self, bytes: &Bytes) -> BatchOutcome {
        let mut pending = match split(bytes) {
            Ok((first, second)) => vec![(second.0, second.1, first.1), (first.0, first.1, 0)],
            Err(error) => return BatchOutcome::Failed(self.at_partition(error)),
        };
        let mut parts = Vec::new();
        while let Some((bytes, records, first)) = pending.pop() {
            let sent = match self.encode(Payload::Encoded(bytes.clone()), records).await {
                Ok(encoded) => self.send(encoded).await,
                Err(error) => Err(DeliveryFailure::Refused(error)),
            };
            match sent {
                Ok(written) => parts.push((first, Ok(written))),
                Err(DeliveryFailure::TooLarge(_)) if records > 1 => match split(&bytes) {
                    Ok((one, two)) => {
                        pending.push((two.0, two.1, first + one.1));
                        pending.push((one.0, one.1, first));
                    }
                    Err(error) => parts.push((first, Err(self.at_partition(error)))),
                },
                Err(DeliveryFailure::TooLarge(error) | DeliveryFailure::Refused(error)) => {
                    parts.push((first, Err(self.at_partition(error))));
                }
                Err(DeliveryFailure::Records(inner)) => {
                    parts.extend(
                        inner
                            .into_iter()
                            .map(|(at, error)| (first + at, Err(self.at_partition(error)))),
                    );
                }
            }
        }
        BatchOutcome::Parts(parts)
    }

    /// Sends a batch, with retries.
    async fn send(&mut self, mut encoded: EncodedBatch) -> Result<ProduceResult, DeliveryFailure> {
        let mut maybe_written = false;
        loop {
            let answer = produce(self.queue, encoded.bytes.clone(), self.deadline).await;
            let ProduceFailure {
                error,
                code,
                maybe_written: attempt_maybe_written,
                records,
            } = match answer {
                Ok(written) => {
                    self.queue.sequence.lock().advance(encoded.records);
                    return Ok(written);
                }
                Err(answer) => answer,
            };
            maybe_written |= attempt_maybe_written;
            if !self.may_retry() {
                return Err(self.failure(&encoded, maybe_written, code, error, records));
            }
            if error_codes::remedy(code) == Remedy::RenewProducer {
                self.renew_identity(&encoded);
                self.attempt += 1;
                encoded = self
                    .encode(Payload::Encoded(encoded.bytes), encoded.records)
                    .await
                    .map_err(DeliveryFailure::Refused)?;
                continue;
            }
            let cluster = &self.queue.context.cluster;
            let error = error.in_partition(self.queue.partition);
            match cluster.prepare_retry(&error, Some(&self.queue.topic)).await {
                Ok(()) => self.back_off().await,
                Err(error) => {
                    return Err(self.failure(&encoded, maybe_written, code, error, records));
                }
            }
        }
    }

    /// The failure of a batch that is not retried. Renews the identity if the batch may have been written.
    fn failure(
        &self,
        encoded: &EncodedBatch,
        maybe_written: bool,
        code: ErrorCode,
        error: Error,
        records: Vec<(u32, Error)>,
    ) -> DeliveryFailure {
        if maybe_written || code == ErrorCode::OutOfOrderSequenceNumber {
            self.renew_identity(encoded);
        }
        DeliveryFailure::of(code, error, records)
    }

    fn renew_identity(&self, encoded: &EncodedBatch) {
        if let Some((identity, _)) = encoded.stamp {
            self.queue.context.identity.renew(identity);
        }
    }

    fn may_retry(&self) -> bool {
        let context = &self.queue.context;
        let pause = context.cluster.config().retry.pause(self.attempt + 1);
        self.attempt < context.config.retries && Instant::now() + pause < self.deadline
    }

    async fn back_off(&mut self) {
        self.attempt += 1;
        let retry = self.queue.context.cluster.config().retry;
        tokio::time::sleep(retry.jittered_pause(self.attempt)).await;
    }

    fn at_partition(&self, error: Error) -> Error {
        error
            .in_topic(Arc::clone(&self.queue.topic))
            .in_partition(self.queue.partition)
    }
}

enum DeliveryFailure {
    /// The broker rejected the batch as too large.
    TooLarge(Error),
    /// None of it was written.
    Refused(Error),
    /// None of it was written; each record has its own error.
    Records(Vec<(u32, Error)>),
}

impl DeliveryFailure {
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
            format!("An encoded batch cannot be parsed: {error}. Please report this."),
        )
        .caused_by(error)
    })
}
