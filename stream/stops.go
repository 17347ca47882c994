package stream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// Stop is what a stopped task leaves in the bucket, status/<pipeline>/<task>.json, for whoever looks from outside. It
// is true while the committed offsets are the ones that it names; a task that runs again takes it away.
type Stop struct {
	Version  int         `json:"version"`
	Pipeline string      `json:"pipeline"`
	Task     int32       `json:"task"`
	Process  string      `json:"process"`
	At       time.Time   `json:"at"`
	Error    string      `json:"error"` // what, where, and what to do
	Inputs   []StopInput `json:"inputs"`
}

// StopInput is where a stopped task stands in one topic.
type StopInput struct {
	Topic     string `json:"topic"`
	TopicID   string `json:"topic_id"`
	Committed int64  `json:"committed"` // next offset; -1: none
	Decision  int64  `json:"decision"`  // number of the last one in the committed cut
	First     int64  `json:"first"`     // offset at which the topic begins
}

const stopVersion = 1

// stopBytesMax bounds what is believed to be a stop or an order.
const stopBytesMax = 1 << 20

func stopKey(pipeline string, task int32) string {
	return fmt.Sprintf("status/%s/%d.json", blob.EncodeName(pipeline), task)
}

// ReadStop returns what a task has left in the bucket when it stopped; nil if there is nothing.
func ReadStop(ctx context.Context, b blob.Bucket, pipeline string, task int32) (*Stop, error) {
	key := stopKey(pipeline, task)
	data, err := b.Get(ctx, key)
	if errors.Is(err, blob.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	s := &Stop{}
	if err := decodeStrictly(data, s); err != nil {
		return nil, fmt.Errorf("read %s: %w", key, err)
	}
	if s.Version != stopVersion {
		return nil, fmt.Errorf("read %s: version %d, this program knows %d: use a newer tidemark", key, s.Version, stopVersion)
	}
	return s, nil
}

func decodeStrictly(data []byte, into any) error {
	if len(data) > stopBytesMax {
		return fmt.Errorf("%d bytes, at most %d are expected", len(data), stopBytesMax)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// Holds says whether the task still stands where it stopped: next is the committed offset of each input, -1 where there is none.
func (s *Stop) Holds(next []int64) bool {
	if len(next) != len(s.Inputs) {
		return false
	}
	for i, in := range s.Inputs {
		if in.Committed != next[i] {
			return false
		}
	}
	return true
}

// tellStops leaves a Stop for each task that has stopped since it was last called.
func (r *runner) tellStops(ctx context.Context) error {
	r.mu.Lock()
	untold := map[int32]string{}
	for id, why := range r.stopped {
		if r.told[id] != why.Error() {
			untold[id] = why.Error()
		}
	}
	r.mu.Unlock()
	if len(untold) == 0 {
		return nil
	}
	found, err := r.found(ctx)
	if err != nil {
		return err
	}
	for id, why := range untold {
		if err := r.tellStop(ctx, id, why, standing(r.sources, found, id)); err != nil {
			return err
		}
		r.mu.Lock()
		r.told[id] = why
		r.mu.Unlock()
	}
	return nil
}

func (r *runner) tellStop(ctx context.Context, id int32, why string, at []StopInput) error {
	s := Stop{Version: stopVersion, Pipeline: r.o.Plan.Pipeline.Name, Task: id, Process: r.o.ID, At: r.o.Now().UTC(), Error: why, Inputs: at}
	text, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("task %d: encode its stop: %w", id, err)
	}
	if err := r.o.Bucket.Put(ctx, stopKey(s.Pipeline, id), text); err != nil {
		return fmt.Errorf("task %d: tell its stop: %w", id, err)
	}
	return nil
}

// tellAll leaves a Stop for every task, for a reason that keeps all of them from starting; nothing for any other error.
func (r *runner) tellAll(ctx context.Context, why error) error {
	var stop *StopError
	if !errors.As(why, &stop) || r.changing {
		return nil
	}
	sources, found, err := asked(ctx, r.admin, r.o.Plan.Pipeline.Group(), inputTopics(r.o.Plan))
	if errors.Is(err, kafka.ErrNoTopic) {
		return nil // the first start
	}
	if err != nil {
		return err
	}
	for id := range sources[0].Partitions {
		now := standing(sources, found, id)
		all, err := orders(ctx, r.o.Bucket, r.o.Plan.Pipeline.Name, id)
		if err == nil {
			err = r.tellStop(ctx, id, r.inFull(why, id, all, now).Error(), now)
		}
		if err != nil {
			return r.tolerate(err)
		}
	}
	return nil
}

// inputTopics are the topics that each task reads a partition of.
func inputTopics(p *pipeline.Plan) []string {
	var topics []string
	for i := range p.Sources {
		topics = append(topics, p.Sources[i].Topic)
	}
	if p.Rekeyed {
		topics = append(topics, p.Pipeline.RepartitionTopic())
	}
	return topics
}

// standing is where a task stands, as the broker says.
func standing(sources []*source, found []brokerSays, id int32) []StopInput {
	var all []StopInput
	for i, src := range sources {
		in := StopInput{Topic: src.Name, TopicID: src.ID, Committed: -1, First: found[i].ends[id].Start}
		if commit, ok := found[i].commits[id]; ok {
			in.Committed = commit.Next
			if meta, err := parseMetadata(commit.Metadata); err == nil { // it isn't ours otherwise, which is why it stopped
				in.Decision = meta.Journal
			}
		}
		all = append(all, in)
	}
	return all
}

// runs takes away what an earlier stop of the task has left.
func (r *runner) runs(ctx context.Context, id int32) error {
	r.mu.Lock()
	delete(r.told, id)
	r.mu.Unlock()
	if err := r.o.Bucket.Delete(ctx, stopKey(r.o.Plan.Pipeline.Name, id)); err != nil {
		return fmt.Errorf("task %d: take its stop away: %w", id, err)
	}
	return nil
}

// asked is what the broker says of a plan's inputs, for commands beside a run.
func asked(ctx context.Context, admin *kafka.Admin, group string, topics []string) ([]*source, []brokerSays, error) {
	var sources []*source
	var found []brokerSays
	for _, topic := range topics {
		info, err := admin.Topic(ctx, topic)
		if err != nil {
			return nil, nil, fmt.Errorf("topic %s: %w", topic, err)
		}
		says := brokerSays{}
		if says.commits, err = admin.Committed(ctx, group, topic); err != nil {
			return nil, nil, fmt.Errorf("committed offsets of %s: %w", group, err)
		}
		if says.ends, err = admin.Offsets(ctx, topic); err != nil {
			return nil, nil, fmt.Errorf("offsets of %s: %w", topic, err)
		}
		sources, found = append(sources, &source{TopicInfo: info}), append(found, says)
	}
	return sources, found, nil
}
