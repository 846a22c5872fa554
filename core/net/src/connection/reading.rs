//! The task that reads a connection's responses, and closes it when it is idle.

use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::AsyncRead;
use tokio::time::Instant;

use super::Connection;
use crate::error::ConnectionError;
use crate::frame_reader::{FrameLimit, FrameReader};

/// Reads until the connection is lost or idle.
pub(super) async fn run(
    connection: Arc<Connection>,
    stream: impl AsyncRead + Unpin,
    limit: FrameLimit,
) {
    let mut reader = FrameReader::new(stream, limit);
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
            () = idle(connection) => {}
        }
    }
}

/// Waits until the connection may be idle, and closes it if it is.
async fn idle(connection: &Connection) {
    let Some(max_idle) = connection.options.max_idle else {
        return std::future::pending().await;
    };
    tokio::time::sleep_until(connection.pipeline.last_used() + max_idle).await;
    if let Some(before) = Instant::now().checked_sub(max_idle)
        && connection.pipeline.close_if_idle_since(before)
    {
        connection.writer.shut_down();
    } else if connection.pipeline.in_flight() > 0 {
        // A request has been waiting for as long: its caller decides when to give up.
        tokio::time::sleep(max_idle).await;
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
