//! Where reading can continue after damage.

use bytes::{Bytes, BytesMut};
use headwater_columnar::{DecodeErrorKind, DecodeOptions};
use headwater_record::{Compression, HEADER_LEN, Offset};
use rstest::rstest;

use crate::support::{Row, batch_at, failure, log};

/// The positions of fields in the header of a batch.
const BASE_OFFSET: usize = 7;
const LENGTH: usize = 11;
const LAST_OFFSET_DELTA: usize = 26;

fn rows(count: usize) -> Vec<Row> {
    (0..count)
        .map(|number| Row::of_value(format!("value {number}")))
        .collect()
}

/// Three batches with offsets 0 to 3, 4 to 7 and 8 to 11, and the position of the second one.
fn three() -> (BytesMut, usize) {
    let rows = rows(4);
    let bytes = log(&[(Compression::None, &rows[..]); 3]);
    let second = batch_at(0, Compression::None, &rows).len();
    (BytesMut::from(bytes.as_ref()), second)
}

fn next_offset(bytes: Bytes) -> Option<i64> {
    let (_, error) = failure(DecodeOptions::default(), bytes);
    match error.kind {
        DecodeErrorKind::Damaged { next_offset, .. } => {
            let says = error.to_string().contains("by starting at offset");
            assert_eq!(says, next_offset.is_some(), "{error}");
            next_offset.map(Offset::get)
        }
        _ => panic!("{error}"),
    }
}

#[rstest]
#[case::a_value(HEADER_LEN + 8)]
#[case::the_number_of_offsets(LAST_OFFSET_DELTA)]
#[case::the_length(LENGTH)]
fn reading_continues_at_the_next_intact_batch(#[case] damaged: usize) {
    let (mut bytes, second) = three();
    bytes[second + damaged] ^= 3;
    assert_eq!(next_offset(bytes.freeze()), Some(8));
}

#[test]
fn damaged_batches_in_a_row_are_passed_together() {
    let (mut bytes, second) = three();
    bytes[HEADER_LEN + 8] ^= 1;
    bytes[second + LAST_OFFSET_DELTA] ^= 1;
    assert_eq!(next_offset(bytes.freeze()), Some(8));
}

#[test]
fn an_offset_that_goes_back_is_not_used() {
    let (mut bytes, second) = three();
    bytes[second + HEADER_LEN + 8] ^= 1;
    bytes[2 * second + BASE_OFFSET] = 1;
    assert_eq!(next_offset(bytes.freeze()), None);
}

#[test]
fn nothing_is_known_behind_the_last_batch() {
    let (mut bytes, second) = three();
    bytes[2 * second + LAST_OFFSET_DELTA] ^= 1;
    assert_eq!(next_offset(bytes.freeze()), None);
}
