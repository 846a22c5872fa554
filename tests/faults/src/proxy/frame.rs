//! Frames with a length prefix. No message is decoded.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// No frame of a test is longer. A greater length means that the bytes are not Kafka's protocol.
const FRAME_BYTES_MAX: u32 = 256 << 20;

/// A whole frame including its length.
#[derive(Debug)]
pub(super) struct Frame(pub(super) Vec<u8>);

impl Frame {
    /// Reads the next frame; an error at the end of the connection.
    pub(super) async fn read(reader: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        let length = reader.read_u32().await?;
        if length > FRAME_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut bytes = vec![0; 4 + length as usize];
        bytes[..4].copy_from_slice(&length.to_be_bytes());
        reader.read_exact(&mut bytes[4..]).await?;
        Ok(Self(bytes))
    }

    /// The API key and the correlation id of a request.
    pub(super) fn of_request(&self) -> Option<(i16, i32)> {
        Some((self.i16_at(4)?, self.i32_at(8)?))
    }

    /// The correlation id of a response.
    pub(super) fn of_response(&self) -> Option<i32> {
        self.i32_at(4)
    }

    /// The two halves of the frame.
    pub(super) fn halves(&self) -> (&[u8], &[u8]) {
        self.0.split_at(self.0.len() / 2)
    }

    fn i16_at(&self, at: usize) -> Option<i16> {
        let bytes = self.0.get(at..)?.first_chunk()?;
        Some(i16::from_be_bytes(*bytes))
    }

    fn i32_at(&self, at: usize) -> Option<i32> {
        let bytes = self.0.get(at..)?.first_chunk()?;
        Some(i32::from_be_bytes(*bytes))
    }
}
