package kafka

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
)

// Retention is how long the broker keeps the topic's records at least, by retention.ms; 0 if their age deletes none of them.
func (a *Admin) Retention(ctx context.Context, topic string) (time.Duration, error) {
	var settings kadm.ResourceConfigs
	err := persist(ctx, func() (err error) {
		settings, err = ask(ctx, func() (kadm.ResourceConfigs, error) { return a.adm.DescribeTopicConfigs(ctx, topic) })
		if err == nil && len(settings) == 1 {
			err = settings[0].Err
		}
		return classify(err)
	})
	if err != nil {
		return 0, fmt.Errorf("settings of topic %s: %w", topic, err)
	}
	policy, ms := "delete", int64(-1)
	for _, s := range settings {
		for _, c := range s.Configs {
			switch {
			case c.Key == "cleanup.policy" && c.Value != nil:
				policy = *c.Value
			case c.Key == "retention.ms" && c.Value != nil:
				if ms, err = strconv.ParseInt(*c.Value, 10, 64); err != nil {
					return 0, fmt.Errorf("settings of topic %s: retention.ms: %w", topic, err)
				}
			}
		}
	}
	if !strings.Contains(policy, "delete") || ms < 0 || ms > int64(1<<62/time.Millisecond) {
		return 0, nil
	}
	return time.Duration(max(ms, 1)) * time.Millisecond, nil
}
