//! The input of `headwater produce`: lines, read in a thread of their own, so that a signal ends the command while it
//! waits for input.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Read};
use std::path::Path;
use std::thread;

use tokio::sync::mpsc::{Receiver, channel};

use crate::cli::exit::Failure;

/// The size at which a chunk is handed over, and of the buffer for reading.
const CHUNK_BYTES: usize = 1 << 18;
/// The maximum number of chunks that wait.
const CHUNKS_MAX: usize = 4;

/// Whole lines, as many as could be read without waiting.
#[derive(Debug, Default)]
pub(super) struct LineChunk {
    bytes: Vec<u8>,
    /// The end of each line (exclusive), after its line feed.
    ends: Vec<usize>,
}

impl LineChunk {
    /// The lines without their line feeds.
    pub(super) fn lines(&self) -> impl Iterator<Item = &[u8]> {
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(move |(start, end)| {
            let line = &self.bytes[start..*end];
            line.strip_suffix(b"\n").unwrap_or(line)
        })
    }
}

/// The source of lines.
pub(super) struct Input {
    reader: Box<dyn Read + Send>,
    /// The size in bytes, if known.
    pub(super) bytes: Option<u64>,
    /// Whether a person types the lines.
    pub(super) is_typed: bool,
}

impl Input {
    /// Opens the file, or standard input.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let Some(path) = path else {
            return Ok(Self {
                reader: Box::new(io::stdin()),
                bytes: None,
                is_typed: io::stdin().is_terminal(),
            });
        };
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (bytes, file) = opened.map_err(|error| {
            Failure::Failed(format!(
                "Cannot read {} ({error}): use a file that this user may read.",
                path.display()
            ))
        })?;
        Ok(Self {
            reader: Box::new(file),
            bytes: Some(bytes),
            is_typed: false,
        })
    }

    /// Starts to read in a thread, which ends when the receiver is dropped.
    pub(super) fn read(self) -> Receiver<io::Result<LineChunk>> {
        let (sender, receiver) = channel(CHUNKS_MAX);
        let mut reader = BufReader::with_capacity(CHUNK_BYTES, self.reader);
        thread::spawn(move || {
            while let Some(chunk) = read_chunk(&mut reader).transpose() {
                let is_last = chunk.is_err();
                if sender.blocking_send(chunk).is_err() || is_last {
                    return;
                }
            }
        });
        receiver
    }
}

/// Reads at least one line, and more as long as that does not wait. `None` at the end.
fn read_chunk<R: Read>(reader: &mut BufReader<R>) -> io::Result<Option<LineChunk>> {
    let mut chunk = LineChunk::default();
    loop {
        if reader.read_until(b'\n', &mut chunk.bytes)? == 0 {
            break;
        }
        chunk.ends.push(chunk.bytes.len());
        if chunk.bytes.len() >= CHUNK_BYTES || !reader.buffer().contains(&b'\n') {
            break;
        }
    }
    Ok((!chunk.ends.is_empty()).then_some(chunk))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8], capacity: usize) -> Vec<Vec<u8>> {
        let mut reader = BufReader::with_capacity(capacity, input);
        let mut lines = Vec::new();
        while let Some(chunk) = read_chunk(&mut reader).unwrap() {
            lines.extend(chunk.lines().map(<[u8]>::to_vec));
        }
        lines
    }

    #[test]
    fn a_last_line_without_newline_counts() {
        for capacity in [1, 3, 1024] {
            assert_eq!(lines(b"a\n\nb", capacity), [&b"a"[..], b"", b"b"]);
            assert_eq!(lines(b"a\n\n", capacity), [&b"a"[..], b""]);
        }
        assert!(lines(b"", 16).is_empty());
    }

    #[test]
    fn a_chunk_has_the_lines_that_need_no_waiting() {
        let mut reader = BufReader::with_capacity(5, &b"a\nb\ncd\n"[..]);
        let chunk = read_chunk(&mut reader).unwrap().unwrap();
        assert_eq!(chunk.lines().collect::<Vec<_>>(), [b"a", b"b"]);
    }
}
