package pipeline

const repartitionSuffix = "-repartition"

// RepartitionTopic is the name of the topic through which a rekeyed pipeline's events reach the task of their group.
func (p *Pipeline) RepartitionTopic() string { return p.Name + repartitionSuffix }
