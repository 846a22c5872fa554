//! The client side of a connection.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf, split};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::*;

/// A long time on a clock that advances when all tasks wait.
const LONG: Duration = Duration::from_hours(1);
/// How long the client waits for responses.
const SHORT: Duration = Duration::from_millis(1);

/// A client that reads everything while it writes, or nothing at all.
pub(super) struct Line {
    writer: WriteHalf<DuplexStream>,
    /// The unread half of a deaf client's stream.
    unread: Option<ReadHalf<DuplexStream>>,
    answers: UnboundedReceiver<Bytes>,
    reading: Option<JoinHandle<()>>,
    serving: JoinHandle<End>,
    answered: usize,
}

impl Line {
    pub(super) fn new(stream: DuplexStream, is_deaf: bool, serving: JoinHandle<End>) -> Self {
        let (reader, writer) = split(stream);
        let (sender, answers) = unbounded_channel();
        let (unread, reading) = if is_deaf {
            (Some(reader), None)
        } else {
            (None, Some(tokio::spawn(read(reader, sender))))
        };
        Self {
            writer,
            unread,
            answers,
            reading,
            serving,
            answered: 0,
        }
    }

    /// Sends as much as the server accepts, and waits for the responses.
    pub(super) async fn send(&mut self, bytes: &[u8]) {
        // The server may end the connection before it has read everything.
        let _ = timeout(SHORT, self.writer.write_all(bytes)).await;
        settle().await;
    }

    /// Whether the server has ended the connection.
    pub(super) fn is_over(&self) -> bool {
        self.serving.is_finished()
    }

    /// The responses received since the last call.
    pub(super) fn answers(&mut self) -> Vec<Bytes> {
        let mut answers = Vec::new();
        while let Ok(answer) = self.answers.try_recv() {
            answers.push(answer);
        }
        self.answered += answers.len();
        answers
    }

    /// Closes the connection. Returns the number of responses.
    pub(super) async fn leave(mut self) -> usize {
        self.answers();
        if let Some(reading) = self.reading.take() {
            reading.abort();
            // The task was aborted.
            let _ = reading.await;
        }
        drop((self.writer, self.unread));
        let end = timeout(LONG, self.serving).await;
        end.expect("a connection ends when its client has left")
            .expect("a connection does not panic");
        self.answered
    }
}

async fn read(mut stream: ReadHalf<DuplexStream>, answers: UnboundedSender<Bytes>) {
    let mut received = BytesMut::new();
    while let Ok(1..) = stream.read_buf(&mut received).await {
        while let Some(frame) = take_frame(&mut received, u32::MAX).unwrap() {
            // The receiver is gone after the client has left.
            let _ = answers.send(frame);
        }
    }
}
