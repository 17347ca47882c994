package crashpoint

// Name is a point, and what has just happened there.
type Name struct{ Name, What string }

// All are the points, in the order of the path that they lie on.
var All = []Name{
	{"session/fence-answered", "the broker has given a producer its epoch: older ones of its id are fenced"},
	{"session/join-answered", "the broker has answered a request to join the group"},
	{"loop/polled", "a poll has ended, nothing has been done with what it brought"},
	{"loop/applied", "what it brought has gone through its tasks, in memory"},
	{"commit/produced", "outputs and journal entries are with the client"},
	{"commit/produce-sent", "a produce request is written to the broker"},
	{"commit/flushed", "the broker has acknowledged all outputs, in an open transaction"},
	{"commit/offsets", "the offsets are about to join the transaction"},
	{"commit/offsets-sent", "TxnOffsetCommit is written to the broker"},
	{"commit/offsets-answered", "its answer is read from the broker"},
	{"commit/end-sent", "EndTxn is written to the broker"},
	{"commit/end-answered", "its answer is read from the broker, and not looked at"},
	{"commit/confirmed", "the commit is confirmed, the next transaction has begun, no state is applied"},
	{"commit/state-applied", "one task has applied its state and its cut"},
	{"commit/done", "all tasks have"},
	{"replay/lake-entry", "one entry of the lake's log has gone through a task that replays what Kafka has lost"},
	{"replay/switched", "a replay has come to the offset at which Kafka goes on"},
}
