//! Session ids and session epochs.

/// A session id, larger than 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SessionId(i32);

impl SessionId {
    /// The number for no session.
    pub(crate) const NONE: i32 = 0;

    /// The id in a request; `None` for 0.
    pub(crate) const fn named(raw: i32) -> Option<Self> {
        if raw == Self::NONE {
            None
        } else {
            Some(Self(raw))
        }
    }

    /// An id from random bits: never 0, never negative.
    pub(crate) fn from_random(bits: u32) -> Self {
        Self(((bits >> 1) as i32).max(1))
    }

    /// The id as a number.
    pub(crate) const fn get(self) -> i32 {
        self.0
    }
}

/// The sequence number of a fetch in its session. 1 follows the full fetch (0), and also [`i32::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SessionEpoch(i32);

impl SessionEpoch {
    /// The epoch of the first incremental fetch.
    pub(crate) const FIRST: Self = Self(1);

    /// The epoch of the next fetch.
    pub(crate) const fn next(self) -> Self {
        if self.0 == i32::MAX {
            Self::FIRST
        } else {
            Self(self.0 + 1)
        }
    }
}

/// The session fields of a fetch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionRequest {
    /// A fetch without a session; it may close one.
    Sessionless { closes: Option<SessionId> },
    /// A full fetch that creates a session; it may close one.
    New { closes: Option<SessionId> },
    /// An incremental fetch. An invalid id or epoch counts as not found.
    Next { id: SessionId, epoch: SessionEpoch },
}

impl SessionRequest {
    /// Interprets the session fields of a request.
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
    fn epochs_wrap_past_the_special_values() {
        assert_eq!(SessionEpoch::FIRST.next(), SessionEpoch(2));
        assert_eq!(SessionEpoch(i32::MAX).next(), SessionEpoch::FIRST);
    }

    #[test]
    fn random_bits_never_give_the_id_for_no_session() {
        assert_eq!(SessionId::from_random(0).get(), 1);
        assert_eq!(SessionId::from_random(1).get(), 1);
        assert_eq!(SessionId::from_random(u32::MAX).get(), i32::MAX);
    }

    #[test]
    fn the_epoch_determines_the_kind_of_fetch() {
        let id = SessionId(7);
        assert_eq!(
            SessionRequest::of(0, -1),
            SessionRequest::Sessionless { closes: None }
        );
        assert_eq!(
            SessionRequest::of(7, -1),
            SessionRequest::Sessionless { closes: Some(id) }
        );
        assert_eq!(
            SessionRequest::of(7, 0),
            SessionRequest::New { closes: Some(id) }
        );
        let epoch = SessionEpoch(3);
        assert_eq!(SessionRequest::of(7, 3), SessionRequest::Next { id, epoch });
    }
}
