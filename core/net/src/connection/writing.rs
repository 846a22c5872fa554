//! Writes a connection's requests: in the caller's thread as far as the socket accepts them, the rest in a task.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt as _, WriteHalf};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::Notify;
use tokio_rustls::client::TlsStream;

use super::Connection;
use crate::error::ConnectionError;
use crate::tls;

/// The time limit for the orderly end of a TLS connection.
const SHUTDOWN_MAX: Duration = Duration::from_secs(1);

/// Writes the requests of a connection.
pub(super) struct Writer {
    /// The socket of a connection without TLS.
    plain: Option<OwnedWriteHalf>,
    /// Wakes the writing task.
    wake: Notify,
    /// Ends the writing task while it writes.
    closed: Notify,
}

impl Writer {
    pub(super) fn plain(socket: OwnedWriteHalf) -> Self {
        Self {
            plain: Some(socket),
            wake: Notify::new(),
            closed: Notify::new(),
        }
    }

    /// A writer for TLS, where the task writes everything: a TLS stream cannot be shared.
    pub(super) fn tls() -> Self {
        Self {
            plain: None,
            wake: Notify::new(),
            closed: Notify::new(),
        }
    }

    /// Writes as much as the socket accepts. The writing task writes the rest.
    pub(super) fn write_now(&self, connection: &Connection) {
        let is_done = match &self.plain {
            Some(socket) => write_available(connection, socket),
            None => false,
        };
        if !is_done {
            self.wake.notify_one();
        }
    }

    /// Closes both directions of the socket and ends the writing task.
    pub(super) fn shut_down(&self) {
        if let Some(socket) = &self.plain {
            let stream: &TcpStream = socket.as_ref();
            // It may be closed already.
            let _ = rustix::net::shutdown(stream, rustix::net::Shutdown::Both);
        }
        self.wake.notify_one();
        self.closed.notify_one();
    }
}

/// Writes as much as the socket accepts. Returns whether everything was written.
fn write_available(connection: &Connection, socket: &OwnedWriteHalf) -> bool {
    let written = connection
        .pipeline
        .write(|slices| match socket.try_write_vectored(slices) {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            written => written,
        });
    match written {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => false,
        Err(error) => {
            connection.lose(&write_failure(&error));
            true
        }
    }
}

/// Writes the requests that the socket did not accept at once.
pub(super) async fn run_plain(connection: Arc<Connection>) {
    let Some(socket) = &connection.writer.plain else {
        return;
    };
    while connection.is_open() {
        connection.writer.wake.notified().await;
        while connection.is_open() && !write_available(&connection, socket) {
            if let Err(error) = socket.writable().await {
                connection.lose(&write_failure(&error));
            }
        }
    }
}

/// Writes all requests.
pub(super) async fn run_tls(
    connection: Arc<Connection>,
    mut stream: WriteHalf<TlsStream<TcpStream>>,
) {
    while connection.is_open() {
        tokio::select! {
            written = write_outbox(&connection, &mut stream) => {
                if let Err(error) = written {
                    connection.lose(&write_failure(&error));
                }
            }
            // A peer that reads nothing would block the write for ever.
            () = connection.writer.closed.notified() => break,
        }
        connection.writer.wake.notified().await;
    }
    let _ = tokio::time::timeout(SHUTDOWN_MAX, stream.shutdown()).await;
}

async fn write_outbox(
    connection: &Connection,
    stream: &mut (impl AsyncWrite + Unpin),
) -> io::Result<()> {
    let mut is_flushed = true;
    loop {
        let pieces = connection.pipeline.take_outbox();
        if pieces.is_empty() {
            if !is_flushed {
                stream.flush().await?;
                is_flushed = true;
                continue;
            }
            return Ok(());
        }
        for piece in pieces {
            // Even after an error, some of the bytes may reach the broker.
            connection.pipeline.written(piece.len());
            stream.write_all(&piece).await?;
        }
        is_flushed = false;
    }
}

fn write_failure(error: &io::Error) -> ConnectionError {
    if tls::is_alert(error) {
        return tls::refused_by_alert(error);
    }
    ConnectionError::unreachable(format!("The connection to the broker was lost ({error})"))
}
