//! A client's end of a connection.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf, split};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::*;

/// Long, in time that moves when everybody waits.
const LONG: Duration = Duration::from_hours(1);
/// How long the client waits for what comes of what it sent.
const SHORT: Duration = Duration::from_millis(1);

/// A client that reads all it gets while it writes, or nothing at all.
pub(super) struct Line {
    writer: WriteHalf<DuplexStream>,
    /// What a deaf client does not read.
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

    /// Sends as much as the server takes, and waits for what comes of it.
    pub(super) async fn send(&mut self, bytes: &[u8]) {
        // The server may end the connection before it has taken all.
        let _ = timeout(SHORT, self.writer.write_all(bytes)).await;
        settle().await;
    }

    /// Whether the server has ended it.
    pub(super) fn is_over(&self) -> bool {
        self.serving.is_finished()
    }

    /// The answers that have come and were not taken.
    pub(super) fn answers(&mut self) -> Vec<Bytes> {
        let mut answers = Vec::new();
        while let Ok(answer) = self.answers.try_recv() {
            answers.push(answer);
        }
        self.answered += answers.len();
        answers
    }

    /// Leaves; the connection ends. How many answers came.
    pub(super) async fn leave(mut self) -> usize {
        self.answers();
        if let Some(reading) = self.reading.take() {
            reading.abort();
            // It was asked to stop.
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
            // Nobody takes it when the client has left.
            let _ = answers.send(frame);
        }
    }
}
