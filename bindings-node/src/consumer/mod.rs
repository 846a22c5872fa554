//! The consumer: reads partitions in offset order.

mod group;
mod partitions;
mod state;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use headwater::{BatchOptions, BatchStream, Event, Rebalance};
use napi::Env;
use napi::bindgen_prelude::{Buffer, ToNapiValue};
use napi_derive::napi;

use crate::abort::Abort;
use crate::batch::Batch;
use crate::convert::partitions::{self as convert, TopicPartition};
use crate::errors;
use crate::flat;
use crate::runtime::{Answer, EngineHandle, promise};
use state::State;

/// Reads partitions.
#[napi]
#[derive(Debug)]
pub struct Consumer {
    embedded: Arc<EngineHandle>,
    state: Arc<State>,
}

/// An operation that waits for records. Pass the same one again after a rebalance was reported.
#[napi]
#[derive(Debug)]
pub struct Operation {
    operation: headwater::Operation,
}

/// The result of an operation.
#[napi(object, object_from_js = false)]
pub struct ConsumerEvent {
    /// "batch", "messages", "end", "left", "assign", "revoke" or "lost".
    pub kind: String,
    /// The partitions of a rebalance: report them, then call again.
    pub partitions: Option<Vec<TopicPartition>>,
    /// The records.
    pub batch: Option<Batch>,
    /// The next messages, in the layout that messages read. They count as handed out when `took` is called.
    pub messages: Option<Buffer>,
}

#[napi]
impl Operation {
    /// Waits for records, at most for this many milliseconds.
    #[napi(factory, catch_unwind)]
    pub fn poll(timeout_ms: f64, max_records: Option<f64>) -> Self {
        let timeout = Duration::try_from_secs_f64(timeout_ms.max(0.0) / 1e3);
        let timeout = timeout.unwrap_or(Duration::MAX);
        let max_records = max_records.map(|records| records as usize);
        Self {
            operation: headwater::Operation::poll(timeout, max_records),
        }
    }

    /// Waits for the batches of a stream.
    #[napi(factory, catch_unwind)]
    pub fn batches(
        env: Env,
        max_records: f64,
        max_bytes: f64,
        max_wait_ms: f64,
        until: String,
    ) -> napi::Result<Self> {
        let raise = |error| errors::raise(&env, &error);
        let stream = BatchStream::new(BatchOptions {
            max_records: max_records as usize,
            max_bytes: max_bytes as usize,
            max_wait: Duration::try_from_secs_f64(max_wait_ms / 1e3).unwrap_or(Duration::MAX),
            until: until.parse().map_err(raise)?,
        });
        Ok(Self {
            operation: headwater::Operation::NextBatch(stream.map_err(raise)?),
        })
    }

    /// Waits for messages.
    #[napi(factory, catch_unwind)]
    pub fn messages() -> Self {
        Self {
            operation: headwater::Operation::NextMessage,
        }
    }

    /// Releases the partitions.
    #[napi(factory, catch_unwind)]
    pub fn unsubscribe() -> Self {
        Self {
            operation: headwater::Operation::Unsubscribe,
        }
    }
}

/// The result of waiting in the core, with the parts that take long to create.
enum WaitResult {
    Event(Event),
    Messages(Vec<u8>),
}

impl Consumer {
    pub(crate) fn new(embedded: Arc<EngineHandle>, consumer: headwater::Consumer) -> Self {
        Self {
            embedded,
            state: Arc::new(State::new(consumer)),
        }
    }

    /// The state, if the client is open.
    fn state(&self, env: &Env) -> napi::Result<Arc<State>> {
        self.embedded.client(env)?;
        Ok(Arc::clone(&self.state))
    }

    /// A call of the core's consumer, when the calls before it have ended. The promise has its result.
    fn call<T: Send + 'static, R: ToNapiValue>(
        &self,
        env: &Env,
        abort: Option<&Abort>,
        call: impl for<'a> FnOnce(&'a mut headwater::Consumer) -> Call<'a, T> + Send + 'static,
        convert: impl FnOnce(&Env, T) -> napi::Result<R> + Send + 'static,
    ) -> napi::Result<Answer> {
        let consumer = self.state(env)?.take();
        let work = async move { call(&mut *consumer.await).await };
        promise(env, self.embedded.runtime(), abort, work, convert)
    }

    /// [`Consumer::call`] that first waits for the assignment.
    fn call_assigned<T: Send + 'static, R: ToNapiValue>(
        &self,
        env: &Env,
        abort: Option<&Abort>,
        call: impl for<'a> FnOnce(&'a mut headwater::Consumer) -> Call<'a, T> + Send + 'static,
        convert: impl FnOnce(&Env, T) -> napi::Result<R> + Send + 'static,
    ) -> napi::Result<Answer> {
        self.call(
            env,
            abort,
            |consumer| {
                async move {
                    consumer.ready().await?;
                    call(consumer).await
                }
                .boxed()
            },
            convert,
        )
    }
}

/// The future of a call of the core's consumer.
type Call<'a, T> = BoxFuture<'a, headwater::Result<T>>;

/// The result of a call that has none.
#[expect(
    clippy::unnecessary_wraps,
    reason = "one of the conversions of results, which may fail"
)]
fn done(_: &Env, (): ()) -> napi::Result<()> {
    Ok(())
}

#[napi]
impl Consumer {
    /// Runs an operation until it is complete or a rebalance must be reported.
    #[napi(catch_unwind, ts_return_type = "Promise<ConsumerEvent>")]
    pub fn next(
        &self,
        env: Env,
        operation: &Operation,
        abort: Option<&Abort>,
    ) -> napi::Result<Answer> {
        let operation = operation.operation.clone();
        self.call(
            &env,
            abort,
            |consumer| {
                async move {
                    match consumer.next_event(&operation).await? {
                        Event::Message => messages(consumer).map(WaitResult::Messages),
                        event => Ok(WaitResult::Event(event)),
                    }
                }
                .boxed()
            },
            event,
        )
    }

    /// Records that the caller has got this many more messages. They count from the next call on.
    #[napi(catch_unwind)]
    pub fn took(&self, messages: u32) {
        self.state.took(messages as usize);
    }

    /// Serves a group that polls, before the next message. Returns whether `next` must be called before it.
    #[napi(catch_unwind, ts_return_type = "Promise<boolean>")]
    pub fn serve_group(&self, env: Env) -> napi::Result<Answer> {
        let state = self.state(&env)?;
        let due = state.take_due();
        let serve = async move { Ok(due.await) };
        promise(&env, self.embedded.runtime(), None, serve, |_, is_due| {
            Ok(is_due)
        })
    }

    /// The number of records that were skipped so far.
    #[napi(getter, catch_unwind)]
    pub fn skipped(&self) -> f64 {
        self.state.skipped.get() as f64
    }

    /// Fails the waiting call, or else the next one that may wait.
    #[napi(catch_unwind)]
    pub fn wakeup(&self) {
        self.state.wakeup.wakeup();
    }

    /// Ends a waiting call, commits finished records and leaves the group. After a reported rebalance, call it again.
    #[napi(catch_unwind, ts_return_type = "Promise<ConsumerEvent>")]
    pub fn close(&self, env: Env) -> napi::Result<Answer> {
        let is_closed = self.embedded.engine().is_closed();
        let state = Arc::clone(&self.state);
        let close = async move {
            if is_closed {
                return Ok(WaitResult::Event(Event::Left));
            }
            let mut consumer = state.take_to_close().await;
            let event = consumer.next_event(&headwater::Operation::Close).await?;
            Ok(WaitResult::Event(event))
        };
        promise(&env, self.embedded.runtime(), None, close, event)
    }
}

/// The next messages, as bytes.
fn messages(consumer: &mut headwater::Consumer) -> headwater::Result<Vec<u8>> {
    let Some((batch, rows)) = consumer.decoded_messages() else {
        return Ok(Vec::new());
    };
    flat::write(&batch, rows, topic_of(&batch).as_ref())
}

/// The topic of a batch of one topic.
fn topic_of(batch: &headwater::Batch) -> Option<Arc<str>> {
    let partition = batch.next_offsets.keys().next()?;
    Some(Arc::clone(&partition.topic))
}

fn event(env: &Env, waited: WaitResult) -> napi::Result<ConsumerEvent> {
    let of_kind = |kind: &str| ConsumerEvent {
        kind: kind.to_owned(),
        partitions: None,
        batch: None,
        messages: None,
    };
    let of_rebalance = |kind: &str, partitions: &[headwater::TopicPartition]| ConsumerEvent {
        partitions: Some(convert::list(partitions)),
        ..of_kind(kind)
    };
    Ok(match waited {
        WaitResult::Messages(bytes) => ConsumerEvent {
            messages: Some(bytes.into()),
            ..of_kind("messages")
        },
        WaitResult::Event(Event::Batch(batch)) => {
            let topic = topic_of(&batch);
            ConsumerEvent {
                batch: Some(Batch::new(env, batch, topic)?),
                ..of_kind("batch")
            }
        }
        WaitResult::Event(Event::Rebalance(rebalance)) => match rebalance {
            Rebalance::Assigned(partitions) => of_rebalance("assign", &partitions),
            Rebalance::Revoked(partitions) => of_rebalance("revoke", &partitions),
            Rebalance::Lost(partitions) => of_rebalance("lost", &partitions),
        },
        WaitResult::Event(Event::End) => of_kind("end"),
        WaitResult::Event(Event::Left | Event::Message) => of_kind("left"),
    })
}
