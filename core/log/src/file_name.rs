//! The names of the files in a partition's directory, the same as Kafka's.

use headwater_record::Offset;

/// `leader-epoch-checkpoint`
pub(crate) const LEADER_EPOCH_CHECKPOINT: &str = "leader-epoch-checkpoint";
/// The suffix of a file that will replace another when it is complete.
pub(crate) const TEMPORARY_SUFFIX: &str = ".tmp";
/// The suffix of a log file that recovery took out of the log. Such a file is never read or removed.
pub(crate) const STRAY_SUFFIX: &str = ".stray";

/// The suffixes of a segment's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Suffix {
    /// No suffix: the segment is a part of the log.
    None,
    /// The segment was deleted; its files wait for their removal.
    Deleted,
    /// A cleaning is writing the segment.
    Cleaned,
    /// The segment is complete, on disk, and about to replace other segments.
    Swap,
}

impl Suffix {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Deleted => ".deleted",
            Self::Cleaned => ".cleaned",
            Self::Swap => ".swap",
        }
    }
}

/// The kinds of files of a segment, by extension.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum FileKind {
    /// Batches.
    Log,
    /// Offset to position.
    OffsetIndex,
    /// Timestamp to offset.
    TimeIndex,
    /// Aborted transactions.
    TransactionIndex,
    /// The state of the producers at the offset of the name.
    ProducerSnapshot,
}

impl FileKind {
    /// Every kind; the log first, because its removal ends the segment.
    pub(crate) const ALL: [Self; 5] = [
        Self::Log,
        Self::OffsetIndex,
        Self::TimeIndex,
        Self::TransactionIndex,
        Self::ProducerSnapshot,
    ];

    const fn ending(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::OffsetIndex => "index",
            Self::TimeIndex => "timeindex",
            Self::TransactionIndex => "txnindex",
            Self::ProducerSnapshot => "snapshot",
        }
    }
}

/// The meaning of a file name in a partition's directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileName {
    /// A file of the segment with this base offset; for a snapshot, the end of the log.
    Segment(Offset, FileKind),
    /// A file of a segment that replaces others from this offset on.
    Swap(Offset, FileKind),
    /// A file of an unfinished cleaning, which can be removed.
    Cleaned(Offset),
    /// Another file that can be removed: of a deleted segment or an unfinished replacement.
    LeftOver,
    /// Anything else.
    Other,
}

/// The name of a segment's file: its base offset in twenty digits, and the extension of the kind.
pub(crate) fn segment_file(base_offset: Offset, kind: FileKind) -> String {
    format!("{:020}.{}", base_offset.get(), kind.ending())
}

/// Parses a name.
pub(crate) fn parse(name: &str) -> FileName {
    if let Some(name) = name.strip_suffix(Suffix::Swap.text()) {
        return match parse_segment(name) {
            FileName::Segment(offset, kind) => FileName::Swap(offset, kind),
            _ => FileName::Other,
        };
    }
    if let Some(name) = name.strip_suffix(Suffix::Cleaned.text()) {
        return match parse_segment(name) {
            FileName::Segment(offset, _) => FileName::Cleaned(offset),
            _ => FileName::LeftOver,
        };
    }
    if [Suffix::Deleted.text(), TEMPORARY_SUFFIX]
        .iter()
        .any(|suffix| name.ends_with(suffix))
    {
        return FileName::LeftOver;
    }
    parse_segment(name)
}

fn parse_segment(name: &str) -> FileName {
    let Some((digits, ending)) = name.split_once('.') else {
        return FileName::Other;
    };
    let kind = FileKind::ALL
        .into_iter()
        .find(|kind| kind.ending() == ending);
    let is_number = digits.len() == 20 && digits.bytes().all(|digit| digit.is_ascii_digit());
    match (kind, digits.parse::<i64>()) {
        (Some(kind), Ok(base_offset)) if is_number => {
            FileName::Segment(Offset::new(base_offset), kind)
        }
        _ => FileName::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_twenty_digits_and_are_read_back() {
        let name = segment_file(Offset::new(1234), FileKind::TimeIndex);
        assert_eq!(name, "00000000000000001234.timeindex");
        for kind in FileKind::ALL {
            let name = segment_file(Offset::MAX, kind);
            assert_eq!(parse(&name), FileName::Segment(Offset::MAX, kind));
        }
    }

    #[test]
    fn other_names_are_left_alone() {
        for name in [
            "leader-epoch-checkpoint",
            "partition.metadata",
            "1.log",
            "00000000000000000000.txt",
            "-0000000000000000001.log",
            "99999999999999999999.log",
            "+0000000000000000001.log",
            "00000000000000000000.log.stray",
        ] {
            assert_eq!(parse(name), FileName::Other, "{name}");
        }
        assert_eq!(
            parse("00000000000000000000.log.deleted"),
            FileName::LeftOver
        );
        assert_eq!(parse("leader-epoch-checkpoint.tmp"), FileName::LeftOver);
        let seven = Offset::new(7);
        assert_eq!(
            parse("00000000000000000007.timeindex.swap"),
            FileName::Swap(seven, FileKind::TimeIndex)
        );
        assert_eq!(
            parse("00000000000000000007.log.cleaned"),
            FileName::Cleaned(seven)
        );
        assert_eq!(parse("some.cleaned"), FileName::LeftOver);
        assert_eq!(parse("some.swap"), FileName::Other);
    }
}
