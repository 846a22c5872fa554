//! `DescribeUserScramCredentials` (key 50), version 0.
//!
//! Behaviour: the SCRAM mechanisms and iterations of all users (null or an empty list) or of the given users. Salts and
//! keys are never returned.
//!
//! Notes: none.

use std::collections::BTreeMap;

use headwater_env::Env;
use headwater_metadata::{Image, ScramMechanism};
use headwater_protocol::describe_user_scram_credentials_response::{
    CredentialInfo, DescribeUserScramCredentialsResult,
};
use headwater_protocol::{
    DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse, ErrorCode, Str,
};

use crate::RequestContext;
use crate::controller::Controller;

/// Handles the request.
pub(super) fn handle<E: Env>(
    controller: &Controller<E>,
    _context: &RequestContext,
    request: DescribeUserScramCredentialsRequest,
) -> DescribeUserScramCredentialsResponse {
    let image = controller.image();
    let wanted: Vec<Str> = request
        .users
        .unwrap_or_default()
        .into_iter()
        .map(|user| user.name)
        .collect();
    let results = if wanted.is_empty() {
        image
            .scram_users()
            .map(|(user, _)| described(&image, (&**user).into()))
            .collect()
    } else {
        named(&image, &wanted)
    };
    DescribeUserScramCredentialsResponse {
        error_code: ErrorCode::None.code(),
        error_message: None,
        results,
        ..DescribeUserScramCredentialsResponse::default()
    }
}

fn named(image: &Image, wanted: &[Str]) -> Vec<DescribeUserScramCredentialsResult> {
    let mut times: BTreeMap<&Str, usize> = BTreeMap::new();
    for user in wanted {
        *times.entry(user).or_default() += 1;
    }
    let answer = |(user, times): (&Str, usize)| {
        if times > 1 {
            let message = format!("the user \"{user}\" appears {times} times: send each user once");
            return failed(user.clone(), ErrorCode::DuplicateResource, message);
        }
        described(image, user.clone())
    };
    times.into_iter().map(answer).collect()
}

fn described(image: &Image, user: Str) -> DescribeUserScramCredentialsResult {
    let infos: Vec<_> = ScramMechanism::ALL
        .into_iter()
        .filter_map(|mechanism| {
            let credential = image.scram_credential(&user, mechanism)?;
            Some(CredentialInfo {
                mechanism: mechanism.code(),
                iterations: i32::try_from(credential.iterations).unwrap_or(i32::MAX),
                ..CredentialInfo::default()
            })
        })
        .collect();
    if infos.is_empty() {
        let message = format!("the user \"{user}\" has no SCRAM credential");
        return failed(user, ErrorCode::ResourceNotFound, message);
    }
    DescribeUserScramCredentialsResult {
        user,
        error_code: ErrorCode::None.code(),
        error_message: None,
        credential_infos: infos,
        ..DescribeUserScramCredentialsResult::default()
    }
}

fn failed(user: Str, code: ErrorCode, message: String) -> DescribeUserScramCredentialsResult {
    DescribeUserScramCredentialsResult {
        user,
        error_code: code.code(),
        error_message: Some(message.into()),
        ..DescribeUserScramCredentialsResult::default()
    }
}
