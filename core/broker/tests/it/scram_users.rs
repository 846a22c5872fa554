//! SCRAM users: created, described, deleted, and loaded after a restart.

use crate::support::{ask, code, in_memory, open};
use bytes::Bytes;
use headwater_env::MemoryEnv;
use headwater_metadata::{ScramCredential, ScramMechanism};
use headwater_protocol::alter_user_scram_credentials_request::{
    ScramCredentialDeletion, ScramCredentialUpsertion,
};
use headwater_protocol::describe_user_scram_credentials_request::UserName;
use headwater_protocol::{
    AlterUserScramCredentialsRequest, DescribeUserScramCredentialsRequest, ErrorCode,
};
use rstest::rstest;

const SALT: &[u8] = b"salt";

fn upsertion(user: &str, mechanism: i8, iterations: i32) -> ScramCredentialUpsertion {
    let hash_len = if mechanism == 2 { 64 } else { 32 };
    ScramCredentialUpsertion {
        name: user.into(),
        mechanism,
        iterations,
        salt: SALT.into(),
        salted_password: Bytes::from(vec![7; hash_len]),
        ..Default::default()
    }
}

fn set(upsertions: Vec<ScramCredentialUpsertion>) -> AlterUserScramCredentialsRequest {
    AlterUserScramCredentialsRequest {
        upsertions,
        ..Default::default()
    }
}

fn remove(user: &str, mechanism: i8) -> AlterUserScramCredentialsRequest {
    let deletion = ScramCredentialDeletion {
        name: user.into(),
        mechanism,
        ..Default::default()
    };
    AlterUserScramCredentialsRequest {
        deletions: vec![deletion],
        ..Default::default()
    }
}

#[test]
fn a_password_survives_a_restart_and_its_salted_form_is_not_stored() {
    let env = MemoryEnv::new();
    let broker = open(&env, &[]);
    let answer = ask(&broker, set(vec![upsertion("alice", 1, 4096)]));
    assert_eq!(code(answer.results[0].error_code), ErrorCode::None);
    broker.close().unwrap();
    drop(broker);
    let broker = open(&env, &[]);
    let sha_256 = ScramMechanism::Sha256;
    let expected = ScramCredential::from_salted_password(sha_256, &[7; 32], SALT.into(), 4096);
    assert_eq!(broker.scram_credential("alice", sha_256), Some(expected));
    assert_eq!(
        broker.scram_credential("alice", ScramMechanism::Sha512),
        None
    );
}

#[test]
fn users_are_described_without_their_secrets() {
    let broker = in_memory();
    let changes = vec![
        upsertion("alice", 1, 4096),
        upsertion("alice", 2, 8192),
        upsertion("bob", 2, 4096),
    ];
    ask(&broker, set(changes));
    let all = ask(&broker, DescribeUserScramCredentialsRequest::default());
    let actual: Vec<_> = all
        .results
        .iter()
        .flat_map(|user| {
            user.credential_infos
                .iter()
                .map(|info| (&*user.user, info.mechanism, info.iterations))
        })
        .collect();
    assert_eq!(
        actual,
        [("alice", 1, 4096), ("alice", 2, 8192), ("bob", 2, 4096)]
    );
    let names = ["bob", "nobody", "alice", "alice"].map(|name| UserName {
        name: name.into(),
        ..Default::default()
    });
    let request = DescribeUserScramCredentialsRequest {
        users: Some(names.to_vec()),
        ..Default::default()
    };
    let actual: Vec<_> = ask(&broker, request)
        .results
        .iter()
        .map(|user| (user.user.to_string(), code(user.error_code)))
        .collect();
    let expected = [
        ("alice", ErrorCode::DuplicateResource),
        ("bob", ErrorCode::None),
        ("nobody", ErrorCode::ResourceNotFound),
    ];
    assert_eq!(actual, expected.map(|(user, code)| (user.to_owned(), code)));
}

#[rstest]
#[case::few_iterations(upsertion("alice", 1, 4095), ErrorCode::UnacceptableCredential)]
#[case::many_iterations(upsertion("alice", 1, 16_385), ErrorCode::UnacceptableCredential)]
#[case::negative_iterations(upsertion("alice", 1, -1), ErrorCode::UnacceptableCredential)]
#[case::no_name(upsertion("", 1, 4096), ErrorCode::UnacceptableCredential)]
#[case::unknown_mechanism(upsertion("alice", 3, 4096), ErrorCode::UnsupportedSaslMechanism)]
#[case::short_password(
    ScramCredentialUpsertion { salted_password: Bytes::from_static(b"short"), ..upsertion("alice", 1, 4096) },
    ErrorCode::UnacceptableCredential
)]
#[case::no_salt(
    ScramCredentialUpsertion { salt: Bytes::new(), ..upsertion("alice", 1, 4096) },
    ErrorCode::UnacceptableCredential
)]
fn one_invalid_change_of_a_user_refuses_all_of_them(
    #[case] wrong: ScramCredentialUpsertion,
    #[case] expected: ErrorCode,
) {
    let broker = in_memory();
    let right = ScramCredentialUpsertion {
        name: wrong.name.clone(),
        ..upsertion("", 2, 4096)
    };
    let changes = vec![right, wrong, upsertion("bob", 1, 4096)];
    let answer = ask(&broker, set(changes));
    let codes: Vec<_> = answer
        .results
        .iter()
        .map(|user| code(user.error_code))
        .collect();
    assert_eq!(codes, [expected, ErrorCode::None]);
    let users = ask(&broker, DescribeUserScramCredentialsRequest::default());
    assert_eq!(users.results.len(), 1);
}

#[test]
fn a_password_is_changed_once_in_a_request_and_removed_once() {
    let broker = in_memory();
    let twice = set(vec![
        upsertion("alice", 1, 4096),
        upsertion("alice", 1, 8192),
    ]);
    let answer = ask(&broker, twice);
    assert_eq!(
        code(answer.results[0].error_code),
        ErrorCode::DuplicateResource
    );
    ask(&broker, set(vec![upsertion("alice", 1, 4096)]));
    let removed = |request: AlterUserScramCredentialsRequest| {
        code(ask(&broker, request).results[0].error_code)
    };
    assert_eq!(removed(remove("alice", 1)), ErrorCode::None);
    assert_eq!(removed(remove("alice", 1)), ErrorCode::ResourceNotFound);
}
