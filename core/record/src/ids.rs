//! Newtypes for numbers that must not be confused. Each is ordered and copied, and prints as its number.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name($inner);

        impl $name {
            /// Wraps the number.
            #[inline]
            pub const fn new(value: $inner) -> Self {
                Self(value)
            }

            /// The number.
            #[inline]
            pub const fn get(self) -> $inner {
                self.0
            }
        }

        impl From<$inner> for $name {
            #[inline]
            fn from(value: $inner) -> Self {
                Self(value)
            }
        }

        impl From<$name> for $inner {
            #[inline]
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

id! {
    /// The number of a record in its partition. Grows by one per record and is never reused.
    Offset(i64)
}
id! {
    /// The generation of a partition's leadership.
    LeaderEpoch(i32)
}
id! {
    /// The identity of an idempotent or transactional producer.
    ProducerId(i64)
}
id! {
    /// The generation of a producer id; an older generation is fenced.
    ProducerEpoch(i16)
}
id! {
    /// The number of a partition of its topic, from 0.
    PartitionId(i32)
}

impl Offset {
    /// The first offset of every partition.
    pub const ZERO: Self = Self(0);
    /// Greater than every offset of a record.
    pub const MAX: Self = Self(i64::MAX);

    /// The offset `records` later; `None` on overflow.
    #[inline]
    pub const fn checked_add(self, records: i64) -> Option<Self> {
        match self.0.checked_add(records) {
            Some(offset) => Some(Self(offset)),
            None => None,
        }
    }
}

impl LeaderEpoch {
    /// The wire value for an unknown epoch, as in batches of a producer.
    pub const UNKNOWN: Self = Self(-1);
}

impl ProducerEpoch {
    /// The wire value for a batch without producer state.
    pub const NONE: Self = Self(-1);
}

impl Add<i64> for Offset {
    type Output = Self;

    #[inline]
    fn add(self, records: i64) -> Self {
        Self(self.0 + records)
    }
}

impl AddAssign<i64> for Offset {
    #[inline]
    fn add_assign(&mut self, records: i64) {
        self.0 += records;
    }
}

impl Sub<i64> for Offset {
    type Output = Self;

    #[inline]
    fn sub(self, records: i64) -> Self {
        Self(self.0 - records)
    }
}

impl Sub for Offset {
    type Output = i64;

    #[inline]
    fn sub(self, other: Self) -> i64 {
        self.0 - other.0
    }
}
