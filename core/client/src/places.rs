//! The partition and the offset of each row of a table.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{DictionaryArray, Int32Array, Int64Array, StringArray};
use headwater_columnar::Column;
use headwater_record::Offset;

use crate::batch::{Batch, TopicPartition};

/// The columns of a table with the position of each record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places<'a> {
    topics: Topics<'a>,
    partitions: &'a Int32Array,
    offsets: &'a Int64Array,
}

#[derive(Debug, Clone, Copy)]
enum Topics<'a> {
    One(&'a Arc<str>),
    Column(&'a DictionaryArray<Int32Type>, &'a StringArray),
}

impl Batch {
    /// The positions of its rows, if the columns `partition` and `offset` were read.
    pub(crate) fn places(&self) -> Option<Places<'_>> {
        let column = |column: Column| self.records.column_by_name(column.name());
        let topics = match column(Column::Topic) {
            Some(topics) => {
                let topics = topics.as_dictionary_opt::<Int32Type>()?;
                Topics::Column(topics, topics.values().as_string_opt::<i32>()?)
            }
            None => Topics::One(&self.next_offsets.keys().next()?.topic),
        };
        Some(Places {
            topics,
            partitions: column(Column::Partition)?.as_primitive_opt::<Int32Type>()?,
            offsets: column(Column::Offset)?.as_primitive_opt::<Int64Type>()?,
        })
    }
}

impl Places<'_> {
    /// The partition and the offset of a row.
    pub(crate) fn place(&self, row: usize) -> (TopicPartition, Offset) {
        let topic = match self.topics {
            Topics::One(topic) => Arc::clone(topic),
            Topics::Column(topics, names) => {
                let name = usize::try_from(topics.keys().value(row)).unwrap_or(0);
                Arc::from(names.value(name))
            }
        };
        let partition = TopicPartition::new(topic, self.partitions.value(row));
        (partition, Offset::new(self.offsets.value(row)))
    }

    /// The next offset of each partition after these rows, which are sorted by partition and offset.
    pub(crate) fn next_offsets(&self, rows: Range<usize>) -> BTreeMap<TopicPartition, Offset> {
        let mut next_offsets = BTreeMap::new();
        let mut row_after = None;
        for row in rows.rev() {
            if row_after.is_none_or(|after| !self.is_same_partition(row, after)) {
                let (partition, offset) = self.place(row);
                next_offsets.insert(partition, offset + 1);
            }
            row_after = Some(row);
        }
        next_offsets
    }

    fn is_same_partition(&self, one: usize, other: usize) -> bool {
        let is_same_topic = match self.topics {
            Topics::One(_) => true,
            Topics::Column(topics, _) => topics.keys().value(one) == topics.keys().value(other),
        };
        is_same_topic && self.partitions.value(one) == self.partitions.value(other)
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::RecordBatch;

    use super::*;

    fn batch(topics: Option<&[&str]>, partitions: &[i32], offsets: &[i64]) -> Batch {
        let mut columns: Vec<(&str, Arc<dyn arrow_array::Array>)> = vec![
            ("partition", Arc::new(Int32Array::from(partitions.to_vec()))),
            ("offset", Arc::new(Int64Array::from(offsets.to_vec()))),
        ];
        if let Some(topics) = topics {
            let topics: DictionaryArray<Int32Type> = topics.iter().copied().collect();
            columns.push(("topic", Arc::new(topics)));
        }
        Batch {
            records: RecordBatch::try_from_iter(columns).unwrap(),
            next_offsets: BTreeMap::from([(TopicPartition::new("a", 0), Offset::new(9))]),
            json: None,
            skipped: 0,
            new_fields: Vec::new(),
        }
    }

    fn at(topic: &str, partition: i32, offset: i64) -> (TopicPartition, Offset) {
        (TopicPartition::new(topic, partition), Offset::new(offset))
    }

    #[test]
    fn the_last_row_of_each_partition_counts() {
        let batch = batch(None, &[0, 0, 1, 1], &[4, 7, 2, 3]);
        let places = batch.places().unwrap();
        assert_eq!(places.next_offsets(0..1), BTreeMap::from([at("a", 0, 5)]));
        let all = BTreeMap::from([at("a", 0, 8), at("a", 1, 4)]);
        assert_eq!(places.next_offsets(0..4), all);
        assert_eq!(places.next_offsets(2..2), BTreeMap::new());
    }

    #[test]
    fn partitions_of_several_topics_are_distinguished() {
        let batch = batch(Some(&["a", "b"]), &[0, 0], &[4, 7]);
        let both = BTreeMap::from([at("a", 0, 5), at("b", 0, 8)]);
        assert_eq!(batch.places().unwrap().next_offsets(0..2), both);
    }
}
