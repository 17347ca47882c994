package streamtest_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/reconcile"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/stream"
	"github.com/tidemark-io/tidemark/stream/streamtest/trial"
)

// flipped alters a byte of the files of each task's checkpoints, of the newest or of all of them, whose names begin as given.
func flipped(t *testing.T, s *shape, part string, all bool) {
	t.Helper()
	done := map[string]bool{}
	for id := range trial.ShapeWidth {
		prefix := fmt.Sprintf("checkpoints/%s/%d", s.Plan.Pipeline.Name, id)
		names, err := state.Manifests(t.Context(), s.Bucket, prefix)
		if err != nil || len(names) == 0 {
			t.Fatalf("%d checkpoints, %v", len(names), err)
		}
		if !all {
			names = names[:1]
		}
		for _, n := range names {
			m, err := state.LoadManifest(t.Context(), s.Bucket, n.Key)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range m.Files {
				key := prefix + "/files/" + f.Object()
				if !strings.HasPrefix(f.Name, part) || done[key] {
					continue
				}
				data, err := s.Bucket.Get(t.Context(), key)
				if err != nil {
					t.Fatal(err)
				}
				data = slices.Clone(data)
				data[len(data)/2] ^= 1
				if err := s.Bucket.Put(t.Context(), key, data); err != nil {
					t.Fatal(err)
				}
				done[key] = true
			}
		}
	}
	if len(done) < trial.ShapeWidth {
		t.Fatalf("only %d files were altered", len(done))
	}
}

// producedTo adds what a part of the input is, and runs to its end.
func producedTo(t *testing.T, s *shape, from, to int) {
	t.Helper()
	s.Produce(from, to)
	if _, err := s.Run("a"); err != nil {
		t.Fatal(err)
	}
}

// One file of each task's newest checkpoint is damaged in the bucket and the disk is lost, of a pipeline that can't replay from
// the beginning: its repartition topic is purged behind checkpoints. The tasks go on from older ones, and the checkpoints
// that they make then are whole.
func TestDamagedNewestCheckpoint(t *testing.T) {
	for _, part := range []string{"OPTIONS", "MANIFEST"} {
		t.Run(part, func(t *testing.T) {
			s := newShape(t, fakeBroker(t), "rekeyed")
			s.Plan.Pipeline.State.Keep = 2
			s.Generate(17, 600)
			for i := range 4 {
				producedTo(t, s, i*100, i*100+100)
			}
			for i := range 2 {
				flipped(t, s, part, false)
				s.LoseDisk()
				producedTo(t, s, 400+i*50, 450+i*50)
			}
			s.LoseDisk()
			producedTo(t, s, 500, len(s.Sent))
			s.Judge(len(s.Sent))
			s.CheckState()
		})
	}
}

// All checkpoints are damaged and the disk is lost: the tasks stop and say which, and what can be done. A change decision begins
// them anew, and nothing is wrong or lost in the end.
func TestNoCheckpointIsWhole(t *testing.T) {
	s := newShape(t, fakeBroker(t), "rekeyed")
	s.Plan.Pipeline.State.Keep = 1
	s.Generate(19, 600)
	for i := range 4 {
		producedTo(t, s, i*100, i*100+100)
	}
	flipped(t, s, "OPTIONS", true)
	s.LoseDisk()
	s.Produce(400, 450)
	_, err := s.Run("a")
	var stopped *stream.StoppedError
	if !errors.As(err, &stopped) || !strings.Contains(err.Error(), "damaged checkpoints of the task: 1, none is whole: checkpoints/") ||
		!strings.Contains(err.Error(), "/files/") || !strings.Contains(err.Error(), "--restart") {
		t.Fatal(err)
	}
	o := stream.ChangeOptions{Options: stream.Options{Plan: s.Plan, Kafka: s.Kafka, Bucket: s.Bucket, ID: "a", Now: time.Now}, Reason: "lost"}
	if report, err := stream.Change(t.Context(), o); err != nil || report.Changed {
		t.Fatalf("%+v, %v", report, err)
	}
	o.Restart = true
	if report, err := stream.Change(t.Context(), o); err != nil || !report.Changed || len(report.Tasks) != trial.ShapeWidth {
		t.Fatalf("%+v, %v", report, err)
	}
	producedTo(t, s, 450, len(s.Sent))
	for range 2 {
		_, err := s.Reconciler().Apply(t.Context(), reconcile.ApplyOptions{})
		must(t, err)
	}
	for i, want := range s.Truth(len(s.Sent)) {
		got, _ := s.Folded(i)
		s.Equal(s.Plan.Outputs[i].Name, want, got)
	}
	s.CheckState()
}
