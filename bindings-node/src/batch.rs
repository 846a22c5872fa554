//! A table of records.

use std::sync::Arc;

use arrow_ipc::writer::StreamWriter;
use arrow_schema::ArrowError;
use headwater::columnar::to_classic;
use headwater::{Error, ErrorKind};
use napi::Env;
use napi::bindgen_prelude::{Buffer, ObjectFinalize};
use napi_derive::napi;

use crate::convert::format::{self, DecodeArguments};
use crate::convert::partitions::{self, TopicPartitionOffset};
use crate::errors;
use crate::external_memory::{ExternalMemory, batch_bytes};
use crate::flat;
use crate::runtime::{Answer, blocking};
use crate::schema::{self, TableColumn};

/// Records as a table.
#[napi(custom_finalize)]
#[derive(Debug)]
pub struct Batch {
    inner: headwater::Batch,
    topic: Option<Arc<str>>,
    memory: ExternalMemory,
}

impl Batch {
    /// A batch of the core; `topic` names the topic where the table has no column of topics.
    pub(crate) fn new(
        env: &Env,
        batch: headwater::Batch,
        topic: Option<Arc<str>>,
    ) -> napi::Result<Self> {
        let memory = ExternalMemory::default();
        memory.add(env, batch_bytes(&batch))?;
        Ok(Self {
            inner: batch,
            topic,
            memory,
        })
    }
}

impl ObjectFinalize for Batch {
    fn finalize(self, env: Env) -> napi::Result<()> {
        self.memory.release(&env)
    }
}

#[napi]
impl Batch {
    /// The number of records.
    #[napi(getter, catch_unwind)]
    pub fn length(&self) -> u32 {
        self.inner.len() as u32
    }

    /// The number of records that were skipped since the previous batch.
    #[napi(getter, catch_unwind)]
    pub fn skipped(&self) -> f64 {
        self.inner.skipped as f64
    }

    /// The next offset of each partition in it.
    #[napi(catch_unwind)]
    pub fn next_offsets(&self) -> Vec<TopicPartitionOffset> {
        partitions::with_offsets(self.inner.next_offsets.clone())
    }

    /// The names and types of its columns.
    #[napi(catch_unwind)]
    pub fn columns(&self) -> Vec<TableColumn> {
        schema::columns(&self.inner.schema())
    }

    /// The records from row `start` up to row `end`, exclusive, without a copy.
    #[napi(catch_unwind)]
    pub fn slice(&self, env: Env, start: u32, end: u32) -> napi::Result<Self> {
        let rows = start as usize..end as usize;
        Self::new(&env, self.inner.rows(rows), self.topic.clone())
    }

    /// The same records with keys and values decoded. They must be bytes.
    #[napi(catch_unwind, ts_return_type = "Promise<Batch>")]
    pub fn decode(&self, env: Env, decode: DecodeArguments) -> napi::Result<Answer> {
        let options = format::options(&env, &decode)?;
        let (batch, topic) = (self.inner.clone(), self.topic.clone());
        let name = topic.clone().unwrap_or_else(|| "".into());
        let decode = move || batch.decode(&name, options);
        blocking(&env, decode, |env, decoded| Self::new(env, decoded, topic))
    }

    /// The records in the layout that messages read.
    #[napi(catch_unwind)]
    pub fn to_flat(&self, env: Env) -> napi::Result<Buffer> {
        let rows = 0..self.inner.len();
        let flat = flat::write(&self.inner, rows, self.topic.as_ref());
        flat.map(Buffer::from)
            .map_err(|error| errors::raise(&env, &error))
    }

    /// The records in the stream format of Arrow IPC.
    #[napi(js_name = "toArrowIPC", catch_unwind)]
    pub fn to_arrow_ipc(&self, env: Env) -> napi::Result<Buffer> {
        let stream = write_stream(&self.inner).map_err(|error| {
            let message = format!("The batch cannot be written as Arrow IPC: {error}.");
            Error::new(ErrorKind::InvalidArgument, message)
        });
        stream
            .map(Buffer::from)
            .map_err(|error| errors::raise(&env, &error))
    }
}

fn write_stream(batch: &headwater::Batch) -> Result<Vec<u8>, ArrowError> {
    let table = to_classic(&batch.records)?;
    let size = table.get_array_memory_size() + 4_096;
    let mut writer = StreamWriter::try_new(Vec::with_capacity(size), &table.schema())?;
    writer.write(&table)?;
    writer.into_inner()
}
