//! The bytes of a file in memory, designed for a log: appended at the end, read in ranges.
//!
//! ```text
//! sealed chunks (shared with readers, never changed)   tail (grows)   zeros that were never written
//! |---------------------|---------------------|--------|--------------|. . . . . . . . . .|
//! 0                                                tail_start     written_end            len
//! ```
//!
//! A read inside one sealed chunk is a slice of it, without a copy. A read in the tail or across chunks is copied. A
//! write is never split between two chunks, so a batch that was written at once is read as one slice.

use std::io::{self, IoSlice};

use bytes::Bytes;

use super::tail::Tail;

/// The size at which a chunk is sealed. Large compared with a fetch, so that few reads cross chunks.
const CHUNK_BYTES: usize = 4 << 20;

#[derive(Debug, Default)]
pub(super) struct Contents {
    sealed: Vec<SealedChunk>,
    tail_start: u64,
    tail: Tail,
    len: u64,
}

#[derive(Debug)]
struct SealedChunk {
    start: u64,
    bytes: Bytes,
}

impl SealedChunk {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

impl Contents {
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Up to `len` bytes from `position`, fewer at the end.
    pub(super) fn slice(&self, position: u64, len: usize) -> Bytes {
        let len = self.available(position, len);
        if let Some(chunk) = self.sealed.get(self.chunk_at(position)) {
            let from = (position - chunk.start) as usize;
            if len <= chunk.bytes.len() - from {
                return chunk.bytes.slice(from..from + len);
            }
        }
        let mut out = Vec::with_capacity(len);
        self.visit(position, len, |run| out.extend_from_slice(run));
        out.resize(len, 0);
        Bytes::from(out)
    }

    pub(super) fn copy_to(&self, out: &mut [u8], position: u64) -> usize {
        let len = self.available(position, out.len());
        let mut copied = 0;
        self.visit(position, len, |run| {
            out[copied..copied + run.len()].copy_from_slice(run);
            copied += run.len();
        });
        out[copied..len].fill(0);
        len
    }

    pub(super) fn write(&mut self, parts: &[IoSlice<'_>], position: u64) -> io::Result<()> {
        let total: usize = parts.iter().map(|part| part.len()).sum();
        if total == 0 {
            return Ok(());
        }
        let end = position
            .checked_add(total as u64)
            .ok_or(io::ErrorKind::FileTooLarge)?;
        if position >= self.written_end() {
            self.fill_gap(position)?;
            self.make_room(total)?;
            for part in parts {
                self.tail.push(part);
            }
        } else {
            let mut position = position;
            for part in parts {
                self.overwrite(part, position)?;
                position += part.len() as u64;
            }
        }
        self.len = self.len.max(end);
        Ok(())
    }

    pub(super) fn set_len(&mut self, len: u64) {
        self.len = len;
        if len < self.tail_start {
            self.sealed
                .truncate(self.sealed.partition_point(|chunk| chunk.start < len));
            if let Some(last) = self.sealed.last_mut() {
                last.bytes.truncate((len - last.start) as usize);
            }
            self.tail_start = len;
            self.tail = Tail::default();
        } else {
            self.tail
                .truncate(usize::try_from(len - self.tail_start).unwrap_or(usize::MAX));
        }
    }

    fn written_end(&self) -> u64 {
        self.tail_start + self.tail.len() as u64
    }

    fn available(&self, position: u64, len: usize) -> usize {
        usize::try_from(self.len.saturating_sub(position))
            .unwrap_or(usize::MAX)
            .min(len)
    }

    /// The index of the sealed chunk with `position`; the number of chunks if it is behind them.
    fn chunk_at(&self, position: u64) -> usize {
        self.sealed.partition_point(|chunk| chunk.end() <= position)
    }

    /// Passes the written bytes of a range to `show`, piece by piece. The range must end before `len`.
    fn visit(&self, mut position: u64, mut len: usize, mut show: impl FnMut(&[u8])) {
        let chunks = self.sealed[self.chunk_at(position)..]
            .iter()
            .map(|chunk| (chunk.start, &chunk.bytes[..]));
        for (start, bytes) in chunks.chain([(self.tail_start, self.tail.bytes())]) {
            let from = usize::try_from(position - start)
                .unwrap_or(usize::MAX)
                .min(bytes.len());
            let run = &bytes[from..];
            let run = &run[..run.len().min(len)];
            show(run);
            position += run.len() as u64;
            len -= run.len();
            if len == 0 {
                return;
            }
        }
    }

    /// Fills the gap before a write at `position` with zeros.
    fn fill_gap(&mut self, position: u64) -> io::Result<()> {
        let gap = usize::try_from(position - self.written_end())
            .map_err(|_| io::ErrorKind::FileTooLarge)?;
        self.tail.reserve(gap)?;
        self.tail.push_zeros(gap);
        Ok(())
    }

    /// Reserves room for a write of `len` bytes at the end; seals the tail and starts a new one if needed.
    fn make_room(&mut self, len: usize) -> io::Result<()> {
        if self.tail.len() >= CHUNK_BYTES / 2 && self.tail.len() + len > CHUNK_BYTES {
            let next = Tail::chunk(len.max(CHUNK_BYTES))?;
            let bytes = std::mem::replace(&mut self.tail, next).seal();
            let start = self.tail_start;
            self.tail_start += bytes.len() as u64;
            self.sealed.push(SealedChunk { start, bytes });
        }
        self.tail.reserve(len)
    }

    /// Writes before the end. Rare: an affected chunk is copied, because readers may hold it.
    fn overwrite(&mut self, mut bytes: &[u8], mut position: u64) -> io::Result<()> {
        while !bytes.is_empty() && position < self.tail_start {
            let index = self.chunk_at(position);
            let chunk = &mut self.sealed[index];
            let from = (position - chunk.start) as usize;
            let (now, later) = bytes.split_at(bytes.len().min(chunk.bytes.len() - from));
            let mut copy = chunk.bytes.to_vec();
            copy[from..from + now.len()].copy_from_slice(now);
            chunk.bytes = Bytes::from(copy);
            position += now.len() as u64;
            bytes = later;
        }
        if bytes.is_empty() {
            return Ok(());
        }
        let from = (position - self.tail_start) as usize;
        let (now, later) = bytes.split_at(bytes.len().min(self.tail.len() - from));
        self.tail.bytes_mut()[from..from + now.len()].copy_from_slice(now);
        self.make_room(later.len())?;
        self.tail.push(later);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(contents: &mut Contents, bytes: &[u8], position: u64) {
        contents.write(&[IoSlice::new(bytes)], position).unwrap();
    }

    fn append(contents: &mut Contents, bytes: &[u8]) {
        write(contents, bytes, contents.len());
    }

    #[test]
    fn a_read_inside_a_sealed_chunk_is_not_a_copy() {
        let mut contents = Contents::default();
        let half = vec![7; CHUNK_BYTES / 2 + 1];
        for _ in 0..3 {
            append(&mut contents, &half);
        }
        assert_eq!(contents.sealed.len(), 2);
        let (first, again) = (contents.slice(10, 1000), contents.slice(10, 1000));
        assert_eq!(first.as_ptr(), again.as_ptr());
    }

    #[test]
    fn a_reader_keeps_its_bytes_when_they_are_overwritten_or_truncated() {
        let mut contents = Contents::default();
        for _ in 0..3 {
            append(&mut contents, &vec![1; CHUNK_BYTES]);
        }
        let held = contents.slice(0, 8);
        write(&mut contents, &[2; 8], 0);
        contents.set_len(4);
        assert_eq!(held, [1; 8][..]);
        assert_eq!(contents.slice(0, 8), [2; 4][..]);
    }

    #[test]
    fn a_cut_part_reads_as_zeros_when_the_file_grows_again() {
        let mut contents = Contents::default();
        write(&mut contents, &vec![1; CHUNK_BYTES], 0);
        write(&mut contents, &vec![1; CHUNK_BYTES], CHUNK_BYTES as u64);
        contents.set_len(3);
        contents.set_len(6);
        assert_eq!(contents.slice(0, 100), [1, 1, 1, 0, 0, 0][..]);
        write(&mut contents, &[9], 5);
        assert_eq!(contents.slice(0, 100), [1, 1, 1, 0, 0, 9][..]);
    }
}
