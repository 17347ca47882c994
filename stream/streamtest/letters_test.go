package streamtest_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

// What someone else writes to a repartition topic stops the task that reads it, with the place, and no other: whether it
// is seen to be none of ours when it is read, or when it is counted (law L3).
func TestForeignLettersStopTheirTask(t *testing.T) {
	event := []byte(`{"id":"x","user":"u","page":null,"at":1362880000000,"ms":1}`)
	late := binary.AppendVarint([]byte{1, 0, 0}, 4_000_000_000_000) // partition 0, a watermark beyond the event's windows
	for name, value := range map[string][]byte{
		"no letter": []byte("hello"), "from nowhere": {1, 1, 99, 2}, "of another half": append(append(late, 0, 0, 1), event...),
	} {
		t.Run(name, func(t *testing.T) {
			s := newShape(t, fakeBroker(t), "rekeyed")
			s.Generate(5, 200)
			s.Produce(0, len(s.Sent)/2)
			_, err := s.Run("a")
			must(t, err)
			topic := s.Plan.Pipeline.RepartitionTopic()
			p, err := kafka.NewProducer(s.Kafka)
			must(t, err)
			defer p.Close()
			must(t, p.Produce(t.Context(), &kafka.Record{Topic: topic, Partition: 1, Value: value}))
			must(t, p.Flush(t.Context()))
			s.Produce(len(s.Sent)/2, len(s.Sent))
			_, err = s.Run("a")
			var stopped *stream.StoppedError
			if !errors.As(err, &stopped) || len(stopped.Tasks) != 1 {
				t.Fatalf("run: %v; want one stopped task", err)
			}
			if text := err.Error(); !strings.Contains(text, fmt.Sprintf("%s/1@", topic)) || !strings.Contains(text, "own topic") {
				t.Errorf("%s: it doesn't say where and what to do", text)
			}
		})
	}
}
