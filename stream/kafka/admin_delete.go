package kafka

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
)

// DeleteRecords deletes a partition's records below the offset. Offsets below its beginning delete nothing.
func (a *Admin) DeleteRecords(ctx context.Context, topic string, partition int32, below int64) error {
	var offsets kadm.Offsets
	offsets.Add(kadm.Offset{Topic: topic, Partition: partition, At: below})
	err := persist(ctx, func() error {
		done, err := ask(ctx, func() (kadm.DeleteRecordsResponses, error) { return a.adm.DeleteRecords(ctx, offsets) })
		if err == nil {
			err = done.Error()
		}
		return classify(err)
	})
	if err != nil {
		return fmt.Errorf("delete records of %s/%d below %d: %w", topic, partition, below, err)
	}
	return nil
}
