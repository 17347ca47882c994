package pipeline

// Suffixes of the pipeline's own topics.
const (
	journalSuffix     = "-journal"
	repartitionSuffix = "-repartition"
)

// JournalTopic is the name of the pipeline's journal.
func (p *Pipeline) JournalTopic() string { return p.Name + journalSuffix }

// RepartitionTopic is the name of the topic through which a rekeyed pipeline's events reach the task of their group.
func (p *Pipeline) RepartitionTopic() string { return p.Name + repartitionSuffix }

// Group is the pipeline's consumer group.
func (p *Pipeline) Group() string { return p.Name }

// TransactionalID is that of the process with the given instance id.
func (p *Pipeline) TransactionalID(id string) string { return p.Name + "-" + id }
