//! Creates, lists and deletes users with passwords.

use bytes::Bytes;
use headwater_metadata::{SCRAM_ITERATIONS_MIN, ScramMechanism};
use headwater_protocol::alter_user_scram_credentials_request::{
    ScramCredentialDeletion, ScramCredentialUpsertion,
};
use headwater_protocol::{
    AlterUserScramCredentialsRequest, DescribeUserScramCredentialsRequest, ErrorCode, Str,
};
use uuid::Uuid;

use super::{Admin, check};
use crate::error::{Error, ErrorKind, Result};

/// A user with a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserInfo {
    /// The name.
    pub name: String,
    /// The mechanisms that it has a password for. `PLAIN` accepts any of them.
    pub mechanisms: Vec<ScramMechanism>,
}

impl Admin {
    /// All users, sorted by name.
    pub async fn users(&self) -> Result<Vec<UserInfo>> {
        let request = DescribeUserScramCredentialsRequest::default();
        let response = self
            .at_controller(request, |response| {
                let reason = response.error_message.as_deref();
                check(response.error_code, reason, "list users")?;
                Ok(response)
            })
            .await?;
        let mut users: Vec<_> = response
            .results
            .into_iter()
            .map(|user| UserInfo {
                name: user.user.to_string(),
                mechanisms: user
                    .credential_infos
                    .iter()
                    .filter_map(|info| ScramMechanism::from_code(info.mechanism))
                    .collect(),
            })
            .collect();
        users.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(users)
    }

    /// Creates a user, or sets its password, for these mechanisms. The password is salted and hashed here and never
    /// sent.
    pub async fn set_password(
        &self,
        user: &str,
        password: &[u8],
        mechanisms: &[ScramMechanism],
    ) -> Result<()> {
        let upsertion = |mechanism: &ScramMechanism| {
            let salt = Bytes::copy_from_slice(Uuid::new_v4().as_bytes());
            ScramCredentialUpsertion {
                name: Str::from(user),
                mechanism: mechanism.code(),
                iterations: SCRAM_ITERATIONS_MIN as i32,
                salted_password: mechanism.salted_password(password, &salt, SCRAM_ITERATIONS_MIN),
                salt,
                ..Default::default()
            }
        };
        let request = AlterUserScramCredentialsRequest {
            upsertions: mechanisms.iter().map(upsertion).collect(),
            ..Default::default()
        };
        let operation = format!("give user \"{user}\" a password");
        self.alter_users(request, &operation).await
    }

    /// Deletes a user.
    pub async fn delete_user(&self, user: &str) -> Result<()> {
        let existing = self
            .users()
            .await?
            .into_iter()
            .find(|info| info.name == user);
        let Some(info) = existing else {
            return Err(Error::with_code(
                ErrorKind::Broker,
                ErrorCode::ResourceNotFound,
                format!("There is no user \"{user}\": list the users to see their names."),
            ));
        };
        let deletion = |mechanism: &ScramMechanism| ScramCredentialDeletion {
            name: Str::from(user),
            mechanism: mechanism.code(),
            ..Default::default()
        };
        let request = AlterUserScramCredentialsRequest {
            deletions: info.mechanisms.iter().map(deletion).collect(),
            ..Default::default()
        };
        self.alter_users(request, &format!("delete user \"{user}\""))
            .await
    }

    async fn alter_users(
        &self,
        request: AlterUserScramCredentialsRequest,
        operation: &str,
    ) -> Result<()> {
        self.at_controller(request, |response| {
            let mut results = response.results.iter();
            results.try_for_each(|result| {
                check(
                    result.error_code,
                    result.error_message.as_deref(),
                    operation,
                )
            })
        })
        .await
    }
}
