//! The task that reads the responses of a connection and closes it when it is idle.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::AsyncRead;
use tokio::time::Instant;

use super::{Connection, silent};
use crate::error::ConnectionError;
use crate::frame_reader::{FrameLimit, FrameReader};

/// The minimum interval between two checks for idleness. The maximum follows.
const WATCH_INTERVAL_MIN: Duration = Duration::from_millis(10);
const WATCH_INTERVAL_MAX: Duration = Duration::from_secs(5);

/// Reads until the connection is lost or idle.
pub(super) async fn run(
    connection: Arc<Connection>,
    stream: impl AsyncRead + Unpin,
    limit: FrameLimit,
) {
    let mut reader = FrameReader::new(stream, limit);
    // This also runs when the runtime of this task is shut down.
    let _lose = LoseOnDrop(&connection);
    while let Some(frame) = next_frame(&connection, &mut reader).await {
        if let Err(error) = frame.and_then(|frame| connection.pipeline.answer(frame)) {
            connection.lose(&error);
        }
    }
}

/// The next response; `None` when the connection is closed.
async fn next_frame(
    connection: &Connection,
    reader: &mut FrameReader<impl AsyncRead + Unpin>,
) -> Option<Result<Bytes, ConnectionError>> {
    let mut frame = pin!(reader.next());
    loop {
        if !connection.is_open() {
            return None;
        }
        tokio::select! {
            frame = &mut frame => return Some(frame.and_then(|frame| frame.ok_or_else(|| closed_by_broker(connection)))),
            () = connection.lost.notified() => return None,
            () = watch(connection) => {}
        }
    }
}

/// Waits for an interval, then closes the connection if it is idle or stalled.
async fn watch(connection: &Connection) {
    let options = &connection.options;
    let limit = options.request_timeout;
    let interval = options.max_idle.map_or(limit, |idle| idle.min(limit)) / 4;
    tokio::time::sleep(interval.clamp(WATCH_INTERVAL_MIN, WATCH_INTERVAL_MAX)).await;
    let now = Instant::now();
    if let Some(before) = now.checked_sub(limit)
        && connection.pipeline.is_stalled_since(before)
    {
        connection.lose(&silent(limit));
    }
    if let Some(before) = options.max_idle.and_then(|idle| now.checked_sub(idle))
        && connection.pipeline.close_if_idle_since(before)
    {
        connection.writer.shut_down();
    }
}

/// Fails the calls of a connection when its reading task ends.
struct LoseOnDrop<'a>(&'a Connection);

impl Drop for LoseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.lose(&ConnectionError::unreachable(
            "The connection was closed: try again",
        ));
    }
}

fn closed_by_broker(connection: &Connection) -> ConnectionError {
    if connection.options.is_authenticated || connection.pipeline.has_answered() {
        return ConnectionError::unreachable("The broker closed the connection");
    }
    ConnectionError::unreachable(
        "The broker closed the connection at the first request: if its listener requires a password, set security.protocol to SASL_SSL or SASL_PLAINTEXT, and sasl.mechanism, sasl.username and sasl.password",
    )
}
