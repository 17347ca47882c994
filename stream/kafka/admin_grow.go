package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
)

// GrowTopic gives a topic partitions up to the number given, and waits until all of them have leaders. One that has as many or
// more is left alone.
func (a *Admin) GrowTopic(ctx context.Context, topic string, partitions int32) error {
	info, err := a.Topic(ctx, topic)
	if err != nil {
		return fmt.Errorf("topic %s: %w", topic, err)
	}
	if info.Partitions >= partitions {
		return nil
	}
	grown, err := ask(ctx, func() (kadm.CreatePartitionsResponses, error) {
		return a.adm.UpdatePartitions(ctx, int(partitions), topic)
	})
	if err == nil {
		err = grown.Error()
	}
	if err != nil {
		return fmt.Errorf("give topic %s %d partitions: %w", topic, partitions, err)
	}
	for range settleTries {
		info, err = a.Topic(ctx, topic)
		if err == nil && info.Partitions == partitions && info.led() {
			return nil
		}
		if err != nil && !retriable(err) && !errors.Is(err, ErrNoTopic) {
			return fmt.Errorf("topic %s: %w", topic, err)
		}
		if err := pause(ctx, settlePause); err != nil {
			return err
		}
	}
	return fmt.Errorf("topic %s was given %d partitions, and they have no leaders yet: try again", topic, partitions)
}
