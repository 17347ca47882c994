package sim

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// row is what can become of one type of request.
type row struct {
	key kmsg.Key
	// env is where the program sends it.
	env environment
	// answers are errors that the broker gives instead of doing it. Of parts they concern one partition; of done, it has done it.
	answers, parts, top, done []*kerr.Error
	// denied is what a missing permission answers: it lasts.
	denied []*kerr.Error
}

// environment is a broker and a pipeline.
type environment uint8

const (
	today   environment = iota // Kafka as kfake knows it best
	before4                    // Kafka 3.9: partitions and offsets are added to a transaction by requests of their own
	rekeyed                    // a pipeline with a repartition topic, whose records are deleted
	environments
)

var (
	moved  = []*kerr.Error{kerr.NotCoordinator, kerr.CoordinatorLoadInProgress, kerr.CoordinatorNotAvailable}
	fenced = []*kerr.Error{kerr.InvalidProducerEpoch, kerr.ProducerFenced, kerr.InvalidProducerIDMapping, kerr.InvalidTxnState}
	member = []*kerr.Error{kerr.IllegalGeneration, kerr.UnknownMemberID, kerr.RebalanceInProgress, kerr.FencedInstanceID}
	leader = []*kerr.Error{kerr.NotLeaderForPartition, kerr.LeaderNotAvailable, kerr.KafkaStorageError, kerr.UnknownTopicOrPartition, kerr.UnknownServerError}
	of     = func(all ...[]*kerr.Error) []*kerr.Error { return slices.Concat(all...) }
)

// table is every request that the program sends, with all that it must bear. Whoever makes it send another adds a row.
var table = []row{
	{key: kmsg.Produce, answers: of(leader, fenced, []*kerr.Error{
		kerr.NotEnoughReplicas, kerr.NotEnoughReplicasAfterAppend, kerr.RequestTimedOut, kerr.OutOfOrderSequenceNumber, kerr.UnknownProducerID,
		kerr.CorruptMessage, kerr.MessageTooLarge, kerr.ConcurrentTransactions,
	}), parts: []*kerr.Error{kerr.NotLeaderForPartition, kerr.MessageTooLarge, kerr.InvalidProducerEpoch, kerr.RequestTimedOut},
		done: []*kerr.Error{kerr.NotLeaderForPartition, kerr.KafkaStorageError, kerr.UnknownServerError}, denied: []*kerr.Error{kerr.TopicAuthorizationFailed, kerr.TransactionalIDAuthorizationFailed}},
	{key: kmsg.Fetch, answers: of(leader, []*kerr.Error{
		kerr.FencedLeaderEpoch, kerr.UnknownLeaderEpoch, kerr.OffsetNotAvailable, kerr.ReplicaNotAvailable, kerr.OffsetOutOfRange, kerr.UnknownTopicID,
		kerr.InconsistentTopicID, kerr.CorruptMessage,
	}), top: []*kerr.Error{kerr.FetchSessionIDNotFound, kerr.InvalidFetchSessionEpoch, kerr.FetchSessionTopicIDError, kerr.UnknownServerError},
		denied: []*kerr.Error{kerr.TopicAuthorizationFailed}},
	{key: kmsg.ListOffsets, answers: of(leader, []*kerr.Error{kerr.FencedLeaderEpoch, kerr.UnknownLeaderEpoch, kerr.OffsetNotAvailable, kerr.RequestTimedOut}),
		denied: []*kerr.Error{kerr.TopicAuthorizationFailed}},
	{key: kmsg.Metadata, answers: []*kerr.Error{kerr.LeaderNotAvailable, kerr.UnknownTopicOrPartition, kerr.UnknownServerError}, parts: []*kerr.Error{kerr.LeaderNotAvailable, kerr.ReplicaNotAvailable},
		denied: []*kerr.Error{kerr.TopicAuthorizationFailed}},
	{key: kmsg.FindCoordinator, answers: of(moved, []*kerr.Error{kerr.UnknownServerError}), denied: []*kerr.Error{kerr.GroupAuthorizationFailed, kerr.TransactionalIDAuthorizationFailed}},
	{key: kmsg.JoinGroup, answers: of(moved, member, []*kerr.Error{kerr.MemberIDRequired, kerr.UnknownServerError}), done: of(moved, []*kerr.Error{kerr.RebalanceInProgress}),
		denied: []*kerr.Error{kerr.GroupAuthorizationFailed}},
	{key: kmsg.SyncGroup, answers: of(moved, member, []*kerr.Error{kerr.UnknownServerError}), done: of(moved, []*kerr.Error{kerr.RebalanceInProgress}),
		denied: []*kerr.Error{kerr.GroupAuthorizationFailed}},
	{key: kmsg.Heartbeat, answers: of(moved, member, []*kerr.Error{kerr.UnknownServerError}), denied: []*kerr.Error{kerr.GroupAuthorizationFailed}},
	{key: kmsg.LeaveGroup, answers: of(moved, []*kerr.Error{kerr.UnknownMemberID, kerr.FencedInstanceID, kerr.UnknownServerError}), done: moved},
	{key: kmsg.OffsetFetch, answers: of(moved, []*kerr.Error{kerr.UnstableOffsetCommit, kerr.UnknownServerError}), denied: []*kerr.Error{kerr.GroupAuthorizationFailed}},
	{key: kmsg.InitProducerID, answers: of(moved, []*kerr.Error{kerr.ConcurrentTransactions, kerr.InvalidProducerEpoch, kerr.ProducerFenced, kerr.RequestTimedOut, kerr.UnknownServerError}),
		done: of(moved, []*kerr.Error{kerr.ConcurrentTransactions, kerr.UnknownServerError}), denied: []*kerr.Error{kerr.TransactionalIDAuthorizationFailed}},
	{key: kmsg.AddPartitionsToTxn, env: before4, answers: of(moved, fenced, []*kerr.Error{kerr.ConcurrentTransactions, kerr.UnknownTopicOrPartition, kerr.OperationNotAttempted, kerr.UnknownServerError}),
		done: moved, denied: []*kerr.Error{kerr.TransactionalIDAuthorizationFailed, kerr.TopicAuthorizationFailed}},
	{key: kmsg.AddOffsetsToTxn, env: before4, answers: of(moved, fenced, []*kerr.Error{kerr.ConcurrentTransactions, kerr.UnknownServerError}),
		done: moved, denied: []*kerr.Error{kerr.TransactionalIDAuthorizationFailed, kerr.GroupAuthorizationFailed}},
	{key: kmsg.TxnOffsetCommit, answers: of(moved, member, fenced, []*kerr.Error{
		kerr.RequestTimedOut, kerr.UnknownTopicOrPartition, kerr.OffsetMetadataTooLarge, kerr.ConcurrentTransactions, kerr.UnstableOffsetCommit, kerr.UnknownServerError,
	}), parts: []*kerr.Error{kerr.UnknownTopicOrPartition, kerr.CoordinatorLoadInProgress, kerr.OffsetMetadataTooLarge}, done: of(moved, []*kerr.Error{kerr.IllegalGeneration, kerr.UnknownServerError}),
		denied: []*kerr.Error{kerr.GroupAuthorizationFailed, kerr.TransactionalIDAuthorizationFailed}},
	{key: kmsg.EndTxn, answers: of(moved, fenced, []*kerr.Error{kerr.ConcurrentTransactions, kerr.RequestTimedOut, kerr.UnknownServerError}),
		done: of(moved, fenced, []*kerr.Error{kerr.ConcurrentTransactions, kerr.RequestTimedOut, kerr.UnknownServerError}), denied: []*kerr.Error{kerr.TransactionalIDAuthorizationFailed}},
	{key: kmsg.DescribeTransactions, answers: of(moved, []*kerr.Error{kerr.TransactionalIDNotFound, kerr.UnknownServerError, kerr.TransactionalIDAuthorizationFailed})},
	{key: kmsg.CreateTopics, answers: []*kerr.Error{kerr.RequestTimedOut, kerr.NotController, kerr.ThrottlingQuotaExceeded, kerr.UnknownServerError},
		done: []*kerr.Error{kerr.TopicAlreadyExists, kerr.NotController}, denied: []*kerr.Error{kerr.ClusterAuthorizationFailed}},
	{key: kmsg.DescribeConfigs, answers: []*kerr.Error{kerr.UnknownTopicOrPartition, kerr.RequestTimedOut, kerr.UnknownServerError}},
	{key: kmsg.DescribeGroups, answers: of(moved, []*kerr.Error{kerr.UnknownServerError, kerr.GroupAuthorizationFailed})},
	{key: kmsg.DeleteRecords, env: rekeyed, answers: of(leader, []*kerr.Error{kerr.RequestTimedOut, kerr.PolicyViolation, kerr.OffsetOutOfRange})},
	{key: kmsg.ApiVersions, answers: []*kerr.Error{kerr.UnsupportedVersion, kerr.UnknownServerError}},
}

// rights are the requests that one permission is needed for.
var rights = map[*kerr.Error][]kmsg.Key{
	kerr.TopicAuthorizationFailed: {kmsg.Produce, kmsg.Fetch, kmsg.ListOffsets, kmsg.Metadata, kmsg.AddPartitionsToTxn},
	kerr.GroupAuthorizationFailed: {
		kmsg.FindCoordinator, kmsg.JoinGroup, kmsg.SyncGroup, kmsg.Heartbeat, kmsg.LeaveGroup, kmsg.OffsetFetch, kmsg.AddOffsetsToTxn, kmsg.TxnOffsetCommit, kmsg.DescribeGroups,
	},
	kerr.TransactionalIDAuthorizationFailed: {
		kmsg.FindCoordinator, kmsg.InitProducerID, kmsg.Produce, kmsg.AddPartitionsToTxn, kmsg.AddOffsetsToTxn, kmsg.TxnOffsetCommit, kmsg.EndTxn,
	},
	kerr.ClusterAuthorizationFailed: {kmsg.CreateTopics},
}
