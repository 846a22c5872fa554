//! `AlterUserScramCredentials` (key 51), version 0.
//!
//! Behaviour: sets or deletes users' passwords for SCRAM mechanisms. The client salts the password; the broker stores
//! the salted credential. Each user gets one result, and either all of a user's changes are made or none.
//!
//! Notes: Kafka's bounds: 4,096 to 16,384 iterations.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use headwater_env::Env;
use headwater_metadata::{
    Image, MetadataRecord, SCRAM_ITERATIONS_MIN, ScramCredential, ScramMechanism,
};
use headwater_protocol::alter_user_scram_credentials_request::{
    ScramCredentialDeletion, ScramCredentialUpsertion,
};
use headwater_protocol::alter_user_scram_credentials_response::AlterUserScramCredentialsResult;
use headwater_protocol::{
    AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse, ErrorCode,
    RemoveUserScramCredentialRecord, Str,
};

use super::support::errors::Refusal;
use crate::RequestContext;
use crate::controller::{Controller, Proposal};

const ITERATIONS_MAX: u32 = 16_384;

/// The changes of one user.
#[derive(Default)]
struct UserChanges {
    deletions: Vec<ScramCredentialDeletion>,
    upsertions: Vec<ScramCredentialUpsertion>,
}

/// Handles the request.
pub(super) async fn handle<E: Env>(
    controller: &Arc<Controller<E>>,
    _context: &RequestContext,
    request: AlterUserScramCredentialsRequest,
) -> AlterUserScramCredentialsResponse {
    let mut users: BTreeMap<Str, UserChanges> = BTreeMap::new();
    for deletion in request.deletions {
        let changes = users.entry(deletion.name.clone()).or_default();
        changes.deletions.push(deletion);
    }
    for upsertion in request.upsertions {
        let changes = users.entry(upsertion.name.clone()).or_default();
        changes.upsertions.push(upsertion);
    }
    let mut results = Vec::with_capacity(users.len());
    for (user, changes) in users {
        let (code, message) = match change(controller, &changes).await {
            Ok(()) => (ErrorCode::None, None),
            Err(refusal) => (refusal.code, Some(refusal.message.into())),
        };
        results.push(AlterUserScramCredentialsResult {
            user,
            error_code: code.code(),
            error_message: message,
            ..AlterUserScramCredentialsResult::default()
        });
    }
    AlterUserScramCredentialsResponse {
        results,
        ..AlterUserScramCredentialsResponse::default()
    }
}

async fn change<E: Env>(
    controller: &Arc<Controller<E>>,
    changes: &UserChanges,
) -> Result<(), Refusal> {
    let proposal = propose(controller, changes)?;
    Ok(proposal.decided().await?)
}

fn propose<E: Env>(
    controller: &Arc<Controller<E>>,
    changes: &UserChanges,
) -> Result<Proposal, Refusal> {
    let mut turn = controller.changes();
    let records = records(&turn.image(), changes)?;
    Ok(turn.propose(records, |_| {}))
}

fn records(image: &Image, changes: &UserChanges) -> Result<Vec<MetadataRecord>, Refusal> {
    let mut seen = HashSet::new();
    let mut records = Vec::new();
    for deletion in &changes.deletions {
        let mechanism = once(deletion.mechanism, &mut seen)?;
        records.push(removal(image, &deletion.name, mechanism)?);
    }
    for upsertion in &changes.upsertions {
        let mechanism = once(upsertion.mechanism, &mut seen)?;
        records.push(credential(upsertion, mechanism)?.record(&upsertion.name, mechanism));
    }
    Ok(records)
}

fn once(code: i8, seen: &mut HashSet<ScramMechanism>) -> Result<ScramMechanism, Refusal> {
    let mechanism = ScramMechanism::from_code(code).ok_or_else(|| {
        Refusal::new(
            ErrorCode::UnsupportedSaslMechanism,
            format!("{code} is not a SCRAM mechanism: use 1 (SCRAM-SHA-256) or 2 (SCRAM-SHA-512)"),
        )
    })?;
    if !seen.insert(mechanism) {
        let message = "a user's credential cannot be changed twice in one request";
        return Err(Refusal::new(ErrorCode::DuplicateResource, message));
    }
    Ok(mechanism)
}

fn removal(
    image: &Image,
    user: &Str,
    mechanism: ScramMechanism,
) -> Result<MetadataRecord, Refusal> {
    if image.scram_credential(user, mechanism).is_none() {
        let message = format!(
            "the user \"{user}\" has no password for {}: there is nothing to delete",
            mechanism.name()
        );
        return Err(Refusal::new(ErrorCode::ResourceNotFound, message));
    }
    let record = RemoveUserScramCredentialRecord {
        name: user.clone(),
        mechanism: mechanism.code(),
        ..RemoveUserScramCredentialRecord::default()
    };
    Ok(MetadataRecord::RemoveUserScramCredential(record))
}

fn credential(
    upsertion: &ScramCredentialUpsertion,
    mechanism: ScramMechanism,
) -> Result<ScramCredential, Refusal> {
    let unacceptable =
        |message: String| Err(Refusal::new(ErrorCode::UnacceptableCredential, message));
    if upsertion.name.is_empty() {
        return unacceptable("the user name must not be empty".to_owned());
    }
    if upsertion.salt.is_empty() || upsertion.salted_password.len() != mechanism.hash_len() {
        return unacceptable(format!(
            "a credential needs a salt, and a salted password of {} bytes: salt the password with {}",
            mechanism.hash_len(),
            mechanism.name()
        ));
    }
    match u32::try_from(upsertion.iterations) {
        Ok(iterations @ SCRAM_ITERATIONS_MIN..=ITERATIONS_MAX) => {
            Ok(ScramCredential::from_salted_password(
                mechanism,
                &upsertion.salted_password,
                copy(&upsertion.salt),
                iterations,
            ))
        }
        _ => unacceptable(format!(
            "{} iterations are not allowed: use {SCRAM_ITERATIONS_MIN} to {ITERATIONS_MAX}",
            upsertion.iterations
        )),
    }
}

/// A copy, because a slice would keep the request with the salted password in memory.
fn copy(salt: &bytes::Bytes) -> bytes::Bytes {
    bytes::Bytes::copy_from_slice(salt)
}
