//! Refusal of transactions, which are not supported yet; docs/decisions/refusing-transactions.md lists the effects of
//! each code.

use headwater_protocol::ErrorCode;

use super::errors::Refusal;

/// The code that makes librdkafka and aiokafka give up at once; with other codes their producers wait.
pub(in crate::api) const FATAL_FOR_PRODUCERS: ErrorCode =
    ErrorCode::TransactionalIdAuthorizationFailed;

/// Refuses a transactional producer with this code.
pub(in crate::api) fn refused(code: ErrorCode) -> Refusal {
    Refusal::new(
        code,
        "transactions are not supported yet: produce without transactional.id",
    )
}
