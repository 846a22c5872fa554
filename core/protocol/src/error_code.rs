//! Kafka's error codes.

use std::fmt;

/// Defines the codes from one table: number, name, whether a retry may help, and the message.
macro_rules! error_codes {
    (@retriable retriable) => { true };
    (@retriable final) => { false };
    ($($name:ident = $code:literal $kafka:literal $retriable:tt $message:literal;)*) => {
        /// An error code of Kafka's protocol.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(i16)]
        pub enum ErrorCode {
            $(#[doc = $message] $name = $code,)*
        }

        impl ErrorCode {
            /// Every code, in the order of Kafka's list.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code with this number; `UnknownServerError` if Kafka 4.3 does not have it.
            pub const fn from_code(code: i16) -> Self {
                match code {
                    $($code => Self::$name,)*
                    _ => Self::UnknownServerError,
                }
            }

            /// Kafka's name, such as `OFFSET_OUT_OF_RANGE`.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $kafka,)* }
            }

            /// Whether a retry of the same request may succeed, according to Kafka's clients.
            pub const fn is_retriable(self) -> bool {
                match self { $(Self::$name => error_codes!(@retriable $retriable),)* }
            }

            /// The message, a sentence.
            pub const fn message(self) -> &'static str {
                match self { $(Self::$name => $message,)* }
            }
        }
    };
}

impl ErrorCode {
    /// The number in the protocol.
    pub const fn code(self) -> i16 {
        self as i16
    }

    /// Whether the code means success.
    pub const fn is_ok(self) -> bool {
        matches!(self, Self::None)
    }
}

impl From<ErrorCode> for i16 {
    fn from(code: ErrorCode) -> Self {
        code.code()
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

error_codes! {
    UnknownServerError = -1 "UNKNOWN_SERVER_ERROR" final "The broker failed unexpectedly; its log has the details.";
    None = 0 "NONE" final "No error.";
    OffsetOutOfRange = 1 "OFFSET_OUT_OF_RANGE" final "The partition does not hold that offset, or not any more.";
    CorruptMessage = 2 "CORRUPT_MESSAGE" retriable "A record batch is damaged: its checksum, size or a key that must be there is wrong.";
    UnknownTopicOrPartition = 3 "UNKNOWN_TOPIC_OR_PARTITION" retriable "This broker does not have that topic or partition.";
    InvalidFetchSize = 4 "INVALID_FETCH_SIZE" final "The requested number of bytes is not valid.";
    LeaderNotAvailable = 5 "LEADER_NOT_AVAILABLE" retriable "The partition has no leader yet; one is being elected.";
    NotLeaderOrFollower = 6 "NOT_LEADER_OR_FOLLOWER" retriable "This broker does not lead the partition, or has no replica of it.";
    RequestTimedOut = 7 "REQUEST_TIMED_OUT" retriable "The request was not done in the time that it allowed.";
    BrokerNotAvailable = 8 "BROKER_NOT_AVAILABLE" final "The broker cannot be reached.";
    ReplicaNotAvailable = 9 "REPLICA_NOT_AVAILABLE" retriable "The replica of the partition is not there yet.";
    MessageTooLarge = 10 "MESSAGE_TOO_LARGE" final "A record batch is larger than max.message.bytes allows.";
    StaleControllerEpoch = 11 "STALE_CONTROLLER_EPOCH" final "Another controller has taken over.";
    OffsetMetadataTooLarge = 12 "OFFSET_METADATA_TOO_LARGE" final "The text beside the committed offset is longer than offset.metadata.max.bytes.";
    NetworkException = 13 "NETWORK_EXCEPTION" retriable "The connection ended before the response came.";
    CoordinatorLoadInProgress = 14 "COORDINATOR_LOAD_IN_PROGRESS" retriable "The coordinator is still reading its state.";
    CoordinatorNotAvailable = 15 "COORDINATOR_NOT_AVAILABLE" retriable "There is no coordinator at the moment.";
    NotCoordinator = 16 "NOT_COORDINATOR" retriable "Another broker coordinates this group or transactional id.";
    InvalidTopicException = 17 "INVALID_TOPIC_EXCEPTION" final "The topic name is not valid, or the request is not allowed for the topic.";
    RecordListTooLarge = 18 "RECORD_LIST_TOO_LARGE" final "The record batches are larger than a segment may be.";
    NotEnoughReplicas = 19 "NOT_ENOUGH_REPLICAS" retriable "Fewer replicas are in sync than min.insync.replicas requires; nothing was written.";
    NotEnoughReplicasAfterAppend = 20 "NOT_ENOUGH_REPLICAS_AFTER_APPEND" retriable "The records were written, but to fewer replicas than min.insync.replicas requires.";
    InvalidRequiredAcks = 21 "INVALID_REQUIRED_ACKS" final "acks must be 0, 1 or -1 (all).";
    IllegalGeneration = 22 "ILLEGAL_GENERATION" final "The group has moved on to another generation.";
    InconsistentGroupProtocol = 23 "INCONSISTENT_GROUP_PROTOCOL" final "The member has no assignment protocol in common with the group, or offers none.";
    InvalidGroupId = 24 "INVALID_GROUP_ID" final "The group id is not valid.";
    UnknownMemberId = 25 "UNKNOWN_MEMBER_ID" final "The group has no member with this id.";
    InvalidSessionTimeout = 26 "INVALID_SESSION_TIMEOUT" final "The session time-out is not between group.min.session.timeout.ms and group.max.session.timeout.ms.";
    RebalanceInProgress = 27 "REBALANCE_IN_PROGRESS" final "The group is rebalancing; join again.";
    InvalidCommitOffsetSize = 28 "INVALID_COMMIT_OFFSET_SIZE" final "The committed offsets take more room than a record may.";
    TopicAuthorizationFailed = 29 "TOPIC_AUTHORIZATION_FAILED" final "This principal may not do that with the topic.";
    GroupAuthorizationFailed = 30 "GROUP_AUTHORIZATION_FAILED" final "This principal may not do that with the group.";
    ClusterAuthorizationFailed = 31 "CLUSTER_AUTHORIZATION_FAILED" final "This principal may not do that with the cluster.";
    InvalidTimestamp = 32 "INVALID_TIMESTAMP" final "The timestamp of a record is further from the broker's clock than the topic allows.";
    UnsupportedSaslMechanism = 33 "UNSUPPORTED_SASL_MECHANISM" final "The broker does not offer that SASL mechanism.";
    IllegalSaslState = 34 "ILLEGAL_SASL_STATE" final "The request does not fit the state of the authentication.";
    UnsupportedVersion = 35 "UNSUPPORTED_VERSION" final "The broker does not serve that version of the request.";
    TopicAlreadyExists = 36 "TOPIC_ALREADY_EXISTS" final "There is a topic with that name.";
    InvalidPartitions = 37 "INVALID_PARTITIONS" final "The number of partitions is not valid.";
    InvalidReplicationFactor = 38 "INVALID_REPLICATION_FACTOR" final "The replication factor must be at least 1 and at most the number of brokers.";
    InvalidReplicaAssignment = 39 "INVALID_REPLICA_ASSIGNMENT" final "The replicas cannot be assigned like that.";
    InvalidConfig = 40 "INVALID_CONFIG" final "A configuration key or its value is not valid.";
    NotController = 41 "NOT_CONTROLLER" retriable "Another broker is the controller.";
    InvalidRequest = 42 "INVALID_REQUEST" final "The request makes no sense as it stands.";
    UnsupportedForMessageFormat = 43 "UNSUPPORTED_FOR_MESSAGE_FORMAT" final "The format of the stored records does not allow that.";
    PolicyViolation = 44 "POLICY_VIOLATION" final "A policy of the broker does not allow that.";
    OutOfOrderSequenceNumber = 45 "OUT_OF_ORDER_SEQUENCE_NUMBER" final "A batch of the idempotent producer is missing before this one.";
    DuplicateSequenceNumber = 46 "DUPLICATE_SEQUENCE_NUMBER" final "This batch of the idempotent producer was written before.";
    InvalidProducerEpoch = 47 "INVALID_PRODUCER_EPOCH" final "The producer's epoch is an old one.";
    InvalidTxnState = 48 "INVALID_TXN_STATE" final "The state of the transaction does not allow that.";
    InvalidProducerIdMapping = 49 "INVALID_PRODUCER_ID_MAPPING" final "The transactional id belongs to another producer id.";
    InvalidTransactionTimeout = 50 "INVALID_TRANSACTION_TIMEOUT" final "The transaction time-out is longer than transaction.max.timeout.ms.";
    ConcurrentTransactions = 51 "CONCURRENT_TRANSACTIONS" retriable "The producer's previous transaction is still being completed.";
    TransactionCoordinatorFenced = 52 "TRANSACTION_COORDINATOR_FENCED" final "Another coordinator has taken over the transaction.";
    TransactionalIdAuthorizationFailed = 53 "TRANSACTIONAL_ID_AUTHORIZATION_FAILED" final "This principal may not use the transactional id.";
    SecurityDisabled = 54 "SECURITY_DISABLED" final "The broker has no security features switched on.";
    OperationNotAttempted = 55 "OPERATION_NOT_ATTEMPTED" final "The broker left this part of the request undone because another part failed.";
    KafkaStorageError = 56 "KAFKA_STORAGE_ERROR" retriable "The broker cannot read or write the files of the partition.";
    LogDirNotFound = 57 "LOG_DIR_NOT_FOUND" final "The broker has no such log directory.";
    SaslAuthenticationFailed = 58 "SASL_AUTHENTICATION_FAILED" final "Authentication failed.";
    UnknownProducerId = 59 "UNKNOWN_PRODUCER_ID" final "The broker remembers nothing of this producer id; its records may have been deleted.";
    ReassignmentInProgress = 60 "REASSIGNMENT_IN_PROGRESS" final "The partition is being moved to other replicas.";
    DelegationTokenAuthDisabled = 61 "DELEGATION_TOKEN_AUTH_DISABLED" final "Delegation tokens are not switched on.";
    DelegationTokenNotFound = 62 "DELEGATION_TOKEN_NOT_FOUND" final "There is no such delegation token.";
    DelegationTokenOwnerMismatch = 63 "DELEGATION_TOKEN_OWNER_MISMATCH" final "This principal is neither owner nor renewer of the delegation token.";
    DelegationTokenRequestNotAllowed = 64 "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED" final "Delegation tokens need a connection that is authenticated in another way.";
    DelegationTokenAuthorizationFailed = 65 "DELEGATION_TOKEN_AUTHORIZATION_FAILED" final "This principal may not use delegation tokens.";
    DelegationTokenExpired = 66 "DELEGATION_TOKEN_EXPIRED" final "The delegation token is too old.";
    InvalidPrincipalType = 67 "INVALID_PRINCIPAL_TYPE" final "The type of the principal is not supported.";
    NonEmptyGroup = 68 "NON_EMPTY_GROUP" final "The group still has members.";
    GroupIdNotFound = 69 "GROUP_ID_NOT_FOUND" final "There is no group with this id.";
    FetchSessionIdNotFound = 70 "FETCH_SESSION_ID_NOT_FOUND" retriable "The broker has no such fetch session, or not any more.";
    InvalidFetchSessionEpoch = 71 "INVALID_FETCH_SESSION_EPOCH" retriable "The fetch session is at another epoch.";
    ListenerNotFound = 72 "LISTENER_NOT_FOUND" retriable "The leader has no listener of the kind that the request came through.";
    TopicDeletionDisabled = 73 "TOPIC_DELETION_DISABLED" final "delete.topic.enable is off.";
    FencedLeaderEpoch = 74 "FENCED_LEADER_EPOCH" retriable "The leader epoch of the request is older than the broker's.";
    UnknownLeaderEpoch = 75 "UNKNOWN_LEADER_EPOCH" retriable "The leader epoch of the request is newer than the broker's.";
    UnsupportedCompressionType = 76 "UNSUPPORTED_COMPRESSION_TYPE" final "This version of the request does not allow the compression of the records.";
    StaleBrokerEpoch = 77 "STALE_BROKER_EPOCH" final "The broker has registered again since.";
    OffsetNotAvailable = 78 "OFFSET_NOT_AVAILABLE" retriable "The new leader has not determined the high watermark yet.";
    MemberIdRequired = 79 "MEMBER_ID_REQUIRED" final "Join again with the member id of this response.";
    PreferredLeaderNotAvailable = 80 "PREFERRED_LEADER_NOT_AVAILABLE" retriable "The preferred leader is not there.";
    GroupMaxSizeReached = 81 "GROUP_MAX_SIZE_REACHED" final "The group has as many members as group.max.size allows.";
    FencedInstanceId = 82 "FENCED_INSTANCE_ID" final "Another member has joined with the same group.instance.id.";
    EligibleLeadersNotAvailable = 83 "ELIGIBLE_LEADERS_NOT_AVAILABLE" retriable "No replica that may lead the partition is there.";
    ElectionNotNeeded = 84 "ELECTION_NOT_NEEDED" retriable "The partition has the leader that an election would choose.";
    NoReassignmentInProgress = 85 "NO_REASSIGNMENT_IN_PROGRESS" final "The partition is not being moved.";
    GroupSubscribedToTopic = 86 "GROUP_SUBSCRIBED_TO_TOPIC" final "The group reads that topic, so its offsets cannot be deleted.";
    InvalidRecord = 87 "INVALID_RECORD" final "The broker refuses a record of the batch.";
    UnstableOffsetCommit = 88 "UNSTABLE_OFFSET_COMMIT" retriable "An offset is committed by a transaction that is still open.";
    ThrottlingQuotaExceeded = 89 "THROTTLING_QUOTA_EXCEEDED" retriable "The quota is used up for now.";
    ProducerFenced = 90 "PRODUCER_FENCED" final "A newer producer with the same transactional id has taken over.";
    ResourceNotFound = 91 "RESOURCE_NOT_FOUND" final "The request names something that does not exist.";
    DuplicateResource = 92 "DUPLICATE_RESOURCE" final "The request names the same thing twice.";
    UnacceptableCredential = 93 "UNACCEPTABLE_CREDENTIAL" final "The credential does not meet the broker's rules.";
    InconsistentVoterSet = 94 "INCONSISTENT_VOTER_SET" final "Sender or receiver is not one of the voters.";
    InvalidUpdateVersion = 95 "INVALID_UPDATE_VERSION" final "The version of the update is not valid.";
    FeatureUpdateFailed = 96 "FEATURE_UPDATE_FAILED" final "The features could not be updated.";
    PrincipalDeserializationFailure = 97 "PRINCIPAL_DESERIALIZATION_FAILURE" final "The principal of a forwarded request cannot be read.";
    SnapshotNotFound = 98 "SNAPSHOT_NOT_FOUND" final "There is no such snapshot.";
    PositionOutOfRange = 99 "POSITION_OUT_OF_RANGE" final "The position lies outside the snapshot.";
    UnknownTopicId = 100 "UNKNOWN_TOPIC_ID" retriable "This broker has no topic with that id.";
    DuplicateBrokerRegistration = 101 "DUPLICATE_BROKER_REGISTRATION" final "Another broker has that id.";
    BrokerIdNotRegistered = 102 "BROKER_ID_NOT_REGISTERED" final "No broker has registered with that id.";
    InconsistentTopicId = 103 "INCONSISTENT_TOPIC_ID" retriable "The topic on disk has another id than the request.";
    InconsistentClusterId = 104 "INCONSISTENT_CLUSTER_ID" final "The request is meant for another cluster.";
    TransactionalIdNotFound = 105 "TRANSACTIONAL_ID_NOT_FOUND" final "There is no such transactional id.";
    FetchSessionTopicIdError = 106 "FETCH_SESSION_TOPIC_ID_ERROR" retriable "The fetch session mixes topics with and without ids.";
    IneligibleReplica = 107 "INELIGIBLE_REPLICA" final "The new set of in-sync replicas has a replica that may not be in it.";
    NewLeaderElected = 108 "NEW_LEADER_ELECTED" final "The partition was altered, and has another leader now.";
    OffsetMovedToTieredStorage = 109 "OFFSET_MOVED_TO_TIERED_STORAGE" final "The offset has been moved to tiered storage.";
    FencedMemberEpoch = 110 "FENCED_MEMBER_EPOCH" final "The coordinator has given the member up; drop all partitions and join again.";
    UnreleasedInstanceId = 111 "UNRELEASED_INSTANCE_ID" final "Another member still uses the instance id and must leave first.";
    UnsupportedAssignor = 112 "UNSUPPORTED_ASSIGNOR" final "The group does not support the assignor or its version.";
    StaleMemberEpoch = 113 "STALE_MEMBER_EPOCH" final "The member's epoch is an old one; take the new one from the next heartbeat.";
    MismatchedEndpointType = 114 "MISMATCHED_ENDPOINT_TYPE" final "The request went to a broker instead of a controller, or the other way round.";
    UnsupportedEndpointType = 115 "UNSUPPORTED_ENDPOINT_TYPE" final "That type of endpoint is not supported.";
    UnknownControllerId = 116 "UNKNOWN_CONTROLLER_ID" final "There is no controller with that id.";
    UnknownSubscriptionId = 117 "UNKNOWN_SUBSCRIPTION_ID" final "The telemetry subscription is unknown or out of date.";
    TelemetryTooLarge = 118 "TELEMETRY_TOO_LARGE" final "The telemetry is larger than the broker takes.";
    InvalidRegistration = 119 "INVALID_REGISTRATION" final "The controller refuses the broker's registration.";
    TransactionAbortable = 120 "TRANSACTION_ABORTABLE" final "The transaction failed; abort it, then go on.";
    InvalidRecordState = 121 "INVALID_RECORD_STATE" final "The record is not in a state in which its delivery can be acknowledged.";
    ShareSessionNotFound = 122 "SHARE_SESSION_NOT_FOUND" retriable "The broker has no such share session.";
    InvalidShareSessionEpoch = 123 "INVALID_SHARE_SESSION_EPOCH" retriable "The share session is at another epoch.";
    FencedStateEpoch = 124 "FENCED_STATE_EPOCH" final "The state of the share group is at another epoch.";
    InvalidVoterKey = 125 "INVALID_VOTER_KEY" final "The voter key is not that of the replica.";
    DuplicateVoter = 126 "DUPLICATE_VOTER" final "The voter is one already.";
    VoterNotFound = 127 "VOTER_NOT_FOUND" final "There is no such voter.";
    InvalidRegularExpression = 128 "INVALID_REGULAR_EXPRESSION" final "The regular expression cannot be read.";
    RebootstrapRequired = 129 "REBOOTSTRAP_REQUIRED" final "The client's metadata is out of date; it must start from its bootstrap servers.";
    StreamsInvalidTopology = 130 "STREAMS_INVALID_TOPOLOGY" final "The topology is not valid.";
    StreamsInvalidTopologyEpoch = 131 "STREAMS_INVALID_TOPOLOGY_EPOCH" final "The topology epoch is not valid.";
    StreamsTopologyFenced = 132 "STREAMS_TOPOLOGY_FENCED" final "The topology epoch is an old one.";
    ShareSessionLimitReached = 133 "SHARE_SESSION_LIMIT_REACHED" retriable "The broker has as many share sessions as it allows.";
}
