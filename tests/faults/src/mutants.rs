//! Deliberate faults of the checker, to prove that its tests fail with them: each leaves one rule out.

use crate::checker::Violation;

headwater_env::mutants! {
    /// [`Violation::Lost`](crate::checker::Violation::Lost) is not reported.
    Lost = "forgive-lost",
    /// [`Violation::Misplaced`](crate::checker::Violation::Misplaced) is not reported.
    Misplaced = "forgive-misplaced",
    /// [`Violation::Doubled`](crate::checker::Violation::Doubled) is not reported.
    Doubled = "forgive-doubled",
    /// [`Violation::OutOfOrder`](crate::checker::Violation::OutOfOrder) is not reported.
    OutOfOrder = "forgive-out-of-order",
    /// [`Violation::NeverSent`](crate::checker::Violation::NeverSent) is not reported.
    NeverSent = "forgive-never-sent",
    /// [`Violation::ReadersDiffer`](crate::checker::Violation::ReadersDiffer) is not reported.
    ReadersDiffer = "forgive-readers-differ",
    /// [`Violation::NotOwned`](crate::checker::Violation::NotOwned) is not reported.
    NotOwned = "forgive-not-owned",
    /// [`Violation::OtherRecord`](crate::checker::Violation::OtherRecord) is not reported.
    OtherRecord = "forgive-other-record",
    /// [`Violation::WentBack`](crate::checker::Violation::WentBack) is not reported.
    WentBack = "forgive-went-back",
    /// [`Violation::Skipped`](crate::checker::Violation::Skipped) is not reported.
    Skipped = "forgive-skipped",
    /// [`Violation::WrongStart`](crate::checker::Violation::WrongStart) is not reported.
    WrongStart = "forgive-wrong-start",
    /// [`Violation::NotDelivered`](crate::checker::Violation::NotDelivered) is not reported.
    NotDelivered = "forgive-not-delivered",
    /// [`Violation::TwoOwners`](crate::checker::Violation::TwoOwners) is not reported.
    TwoOwners = "forgive-two-owners",
    /// [`Violation::CommitWentBack`](crate::checker::Violation::CommitWentBack) is not reported.
    CommitWentBack = "forgive-commit-went-back",
    /// [`Violation::NeverCommitted`](crate::checker::Violation::NeverCommitted) is not reported.
    NeverCommitted = "forgive-never-committed",
}

/// Whether the rule of this violation is left out.
pub(crate) fn is_forgiven(violation: &Violation) -> bool {
    is_active(match violation {
        Violation::Lost { .. } => Mutant::Lost,
        Violation::Misplaced { .. } => Mutant::Misplaced,
        Violation::Doubled { .. } => Mutant::Doubled,
        Violation::OutOfOrder { .. } => Mutant::OutOfOrder,
        Violation::NeverSent { .. } => Mutant::NeverSent,
        Violation::ReadersDiffer { .. } => Mutant::ReadersDiffer,
        Violation::NotOwned { .. } => Mutant::NotOwned,
        Violation::OtherRecord { .. } => Mutant::OtherRecord,
        Violation::WentBack { .. } => Mutant::WentBack,
        Violation::Skipped { .. } => Mutant::Skipped,
        Violation::WrongStart { .. } => Mutant::WrongStart,
        Violation::NotDelivered { .. } => Mutant::NotDelivered,
        Violation::TwoOwners { .. } => Mutant::TwoOwners,
        Violation::CommitWentBack { .. } => Mutant::CommitWentBack,
        Violation::NeverCommitted { .. } => Mutant::NeverCommitted,
    })
}
