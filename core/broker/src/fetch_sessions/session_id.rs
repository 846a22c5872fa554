//! The numbers by which a client and a broker know that they speak of the same session.

/// The number of a session, larger than 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SessionId(i32);

impl SessionId {
    /// What stands for no session.
    pub(crate) const NONE: i32 = 0;

    /// The id that a request names; `None` for 0.
    pub(crate) const fn named(raw: i32) -> Option<Self> {
        if raw == Self::NONE {
            None
        } else {
            Some(Self(raw))
        }
    }

    /// An id out of chance: never 0, never negative.
    pub(crate) fn from_random(bits: u32) -> Self {
        Self(((bits >> 1) as i32).max(1))
    }

    /// Its number.
    pub(crate) const fn get(self) -> i32 {
        self.0
    }
}

/// The place of a fetch in its session: 1 follows 0, the one that made it, and also [`i32::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionEpoch(i32);

impl SessionEpoch {
    /// Of the first fetch after the one that made the session.
    pub(crate) const FIRST: Self = Self(1);

    /// Of the fetch after this one.
    pub(crate) const fn next(self) -> Self {
        if self.0 == i32::MAX {
            Self::FIRST
        } else {
            Self(self.0 + 1)
        }
    }
}

/// What a fetch wants with sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// To have none (any more).
    Sessionless { closes: Option<SessionId> },
    /// To have a new one.
    New { closes: Option<SessionId> },
    /// To go on with one. An id or epoch that cannot be is one that is not found.
    Next { id: SessionId, epoch: SessionEpoch },
}

impl Ask {
    /// What these fields of a request mean.
    pub(crate) const fn of(session_id: i32, session_epoch: i32) -> Self {
        let named = SessionId::named(session_id);
        match session_epoch {
            -1 => Self::Sessionless { closes: named },
            0 => Self::New { closes: named },
            epoch => Self::Next {
                id: SessionId(session_id),
                epoch: SessionEpoch(epoch),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn epochs_wrap_past_the_ones_with_a_meaning() {
        assert_eq!(SessionEpoch::FIRST.next(), SessionEpoch(2));
        assert_eq!(SessionEpoch(i32::MAX).next(), SessionEpoch::FIRST);
    }

    #[test]
    fn chance_never_gives_the_id_that_means_none() {
        assert_eq!(SessionId::from_random(0).get(), 1);
        assert_eq!(SessionId::from_random(1).get(), 1);
        assert_eq!(SessionId::from_random(u32::MAX).get(), i32::MAX);
    }

    #[test]
    fn the_epoch_says_what_is_wanted() {
        let id = SessionId(7);
        assert_eq!(Ask::of(0, -1), Ask::Sessionless { closes: None });
        assert_eq!(Ask::of(7, -1), Ask::Sessionless { closes: Some(id) });
        assert_eq!(Ask::of(7, 0), Ask::New { closes: Some(id) });
        let epoch = SessionEpoch(3);
        assert_eq!(Ask::of(7, 3), Ask::Next { id, epoch });
    }
}
