package streamtest_test

import (
	"testing"

	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// Every shape of a pipeline, over a broker: stream + corrections = batch truth, the lake has every record, the state is
// sound, a second reconcile publishes nothing and an audit agrees. Two processes share the tasks; half of the input comes
// after they have ended once, and a disk is lost meanwhile.
func TestShapes(t *testing.T) {
	for _, name := range trial.Shapes() {
		t.Run(name, func(t *testing.T) {
			s := newShape(t, fakeBroker(t), name)
			s.Generate(11, 900)
			s.Produce(0, len(s.Sent)/2)
			s.RunBoth()
			s.LoseDisk("a")
			s.Produce(len(s.Sent)/2, len(s.Sent))
			sum := s.RunBoth()
			if !sum.Balanced() || sum.Counters.Consumed != int64(len(s.Sent)) {
				t.Errorf("%d records: %+v", len(s.Sent), sum.Counters)
			}
			t.Logf("%+v", sum.Counters)
			s.Judge(len(s.Sent))
			s.CheckState()
		})
	}
}
