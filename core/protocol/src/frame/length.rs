//! The length before every frame.

use bytes::{Buf, Bytes, BytesMut};

use crate::codec::EncodeError;

/// The size of the length.
pub const LENGTH_BYTES: usize = 4;

/// Why a connection cannot continue: the start of the next frame is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A length below zero.
    #[error("the peer announces a frame of {length} bytes: it does not speak Kafka's protocol")]
    Negative {
        /// The length.
        length: i32,
    },
    /// A length above the limit; nothing was allocated.
    #[error(
        "the peer announces a frame of {length} bytes, more than the {limit} allowed; raise the limit or send less at a time"
    )]
    TooLarge {
        /// The length.
        length: u32,
        /// The limit.
        limit: u32,
    },
}

/// Removes the next frame from `received`, without its length; `None` if more bytes must arrive first.
///
/// The frame shares the memory of `received`. No memory is reserved for an incomplete frame, so a peer cannot cause
/// more use than it sends.
pub fn take_frame(received: &mut BytesMut, limit: u32) -> Result<Option<Bytes>, FrameError> {
    let Some(prefix) = received.first_chunk::<LENGTH_BYTES>() else {
        return Ok(None);
    };
    let length = i32::from_be_bytes(*prefix);
    let length = u32::try_from(length).map_err(|_| FrameError::Negative { length })?;
    if length > limit {
        return Err(FrameError::TooLarge { length, limit });
    }
    if received.len() - LENGTH_BYTES < length as usize {
        return Ok(None);
    }
    received.advance(LENGTH_BYTES);
    Ok(Some(received.split_to(length as usize).freeze()))
}

/// Appends the output of `write` to `out`, with its length before it. After an error `out` is unchanged.
pub(super) fn with_length(
    out: &mut BytesMut,
    write: impl FnOnce(&mut BytesMut) -> Result<(), EncodeError>,
) -> Result<(), EncodeError> {
    let start = out.len();
    out.extend_from_slice(&[0; LENGTH_BYTES]);
    let written = write(out).and_then(|()| {
        let length = out.len() - start - LENGTH_BYTES;
        i32::try_from(length).map_err(|_| EncodeError::TooLong {
            length,
            limit: i32::MAX as usize,
        })
    });
    match written {
        Ok(length) => out[start..start + LENGTH_BYTES].copy_from_slice(&length.to_be_bytes()),
        Err(_) => out.truncate(start),
    }
    written.map(drop)
}
