package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"
)

// names of labels, in the order in which values are given.
var (
	byTask      = []string{"task"}
	byPartition = []string{"topic", "partition"}
	byOutput    = []string{"output"}
)

// family is one metric: every one carries the pipeline as its first label.
func family(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("tidemark_"+name, help, append([]string{"pipeline"}, labels...), nil)
}

// The families, named by one rule: base units, one family per question.
var (
	pipelineInfo = family("pipeline_info", "Which definition of results runs; always 1.", "fingerprint")
	taskState    = family("task_state", "1 for the state that the task is in, 0 for the others.", "task", "state")

	consumed  = family("events_consumed_total", "Records consumed.", byPartition...)
	events    = family("events_total", "Records by what became of them; their sum is what was consumed and received.", "outcome")
	received  = family("events_received_total", "Events received from the repartition topic.")
	pairs     = family("events_joined_total", "Pairs, or enriched events, that a join has made.")
	rules     = family("events_rule_total", "How often a rule fired.", "rule")
	imbalance = family("accounting_imbalance", "Consumed records without exactly one fate. Must be 0.")
	missed    = family("late_window_updates_total", "Windows that an event missed while another window still took it.", byOutput...)
	lateness  = family("event_lateness_seconds", "How far events were behind the newest event time of their partition. Of several topics it is one, named by all of them. No sum is kept: _sum is always 0.", "topic")

	lag       = family("consumer_lag_records", "Offsets between what is committed and the bound: last stable offset or high watermark.", "topic", "partition", "bound")
	watermark = family("watermark_timestamp_seconds", "The partition's watermark, in event time; of the repartition topic, the lowest that it has brought.", "task", "topic", "partition")
	idle      = family("partition_idle", "1 while there is nothing to read.", byPartition...)
	pending   = family("far_future_events", "Events far ahead of their partition that wait to be confirmed.", byPartition...)

	windowsOpen   = family("windows_open", "Windows that may still grow.", byOutput...)
	windowsClosed = family("windows_closed_total", "Windows closed and published.", byOutput...)

	commitTook = family("commit_duration_seconds", "How long transactions took, from flush to the broker's confirmation.")
	commits    = family("commits_total", "Transactions by result.", "result")
	lastCommit = family("last_commit_timestamp_seconds", "When the last transaction was confirmed.")
	fenced     = family("fenced_total", "Transactions refused because another process owns the partitions now.")
	rebuilds   = family("session_rebuilds_total", "Sessions that ended in an error and were rebuilt from the committed offsets.")

	checkpointAt    = family("last_checkpoint_timestamp_seconds", "When the task's last checkpoint was complete.", byTask...)
	checkpointTook  = family("last_checkpoint_duration_seconds", "How long the task's last checkpoint took.", byTask...)
	checkpointBytes = family("checkpoint_bytes_uploaded_total", "Bytes of state uploaded by checkpoints.", byTask...)
	replayGap       = family("replay_gap_records", "Offsets that a crash now would replay; of a task that is restored, those that it has still to replay. Absent before the first checkpoint.", byTask...)
	restoreTook     = family("restore_duration_seconds", "How long tasks took to come to their committed cut, by where their state came from; topic is none at all, and lake that Kafka no longer had every record.", "source")
	restoreProgress = family("restore_progress_ratio", "How far a task that is restored has come: with the bytes of its state, then with the replay. Absent from others.", byTask...)
	stateBytes      = family("state_bytes", "State on disk.", byTask...)
	stateMemory     = family("state_memory_bytes", "State in memory.", byTask...)
	joinBuffered    = family("join_buffered_events", "Events that a join keeps for partners that may still come.", byTask...)

	landedLag = family("lake_landed_offset_lag_records", "Offsets committed and not in the lake yet.", byPartition...)
	headroom  = family("lake_retention_headroom_seconds", "How long the oldest record that isn't in the lake is still kept by its topic, by retention.ms. Absent if that is without limit.", byPartition...)
	buffered  = family("lake_buffered_bytes", "Records in memory that wait to be landed.")

	bucketFailing = family("bucket_failing", "1 while the bucket does not do what it is asked; landing and checkpoints are tried again.")
	memory        = family("memory_bytes", "What a part of state.memory_max holds now.", "part")
	memoryLimit   = family("memory_limit_bytes", "What a part of state.memory_max may hold.", "part")
)

var families = []*prometheus.Desc{
	pipelineInfo, taskState, consumed, events, received, pairs, rules, imbalance, missed, lateness, lag, watermark, idle, pending, windowsOpen, windowsClosed,
	commitTook, commits, lastCommit, fenced, rebuilds, checkpointAt, checkpointTook, checkpointBytes, replayGap, restoreTook, restoreProgress, stateBytes, stateMemory, joinBuffered,
	landedLag, headroom, buffered, bucketFailing, memory, memoryLimit,
}
