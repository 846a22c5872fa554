//! Transactions, which are not served yet. Which code stops which client is in docs/decisions/refusing-transactions.md.

use headwater_protocol::ErrorCode;

use super::errors::Refusal;

/// After this code librdkafka and aiokafka stop at once; others keep their producer waiting.
pub(super) const STOPS_PRODUCERS: ErrorCode = ErrorCode::TransactionalIdAuthorizationFailed;

/// The refusal of a transactional producer, with that code.
pub(super) fn refused(code: ErrorCode) -> Refusal {
    Refusal::new(
        code,
        "transactions are not supported yet: produce without transactional.id",
    )
}
