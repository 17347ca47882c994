package stream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

// A task pauses while its records can't be stored: storing comes first (law L3). Nothing of it is fetched then, and what was
// fetched already is held until it goes on by itself. Other tasks go on, and so do commits, checkpoints and membership.

// feed gives a task its records. When the landing budget is used up the task stands at the record that did not fit, and goes
// on there once there is room; if that takes long it pauses.
func (r *runner) feed(ctx context.Context, s *kafka.Session, t *task, in *input, records []*kafka.Record) error {
	if t.paused != "" {
		in.hold(records)
		return nil
	}
	short, cancel := context.WithTimeout(ctx, roomWithin)
	defer cancel()
	for {
		err := t.process(in, records)
		if !errors.Is(err, lake.ErrFull) {
			return err
		}
		if short.Err() != nil {
			break
		}
		r.makeRoom(short)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	in.hold(records)
	r.pause(s, t, "the landing budget is used up")
	return nil
}

// hold keeps what has not been processed: no more than a poll brings, since nothing is fetched meanwhile.
func (in *input) hold(records []*kafka.Record) {
	for len(records) > 0 && records[0].Offset < in.next {
		records = records[1:]
	}
	in.held = append(in.held, records...)
}

// pause stops fetching for a task.
func (r *runner) pause(s *kafka.Session, t *task, why string) {
	if t.paused == "" {
		r.log.Warn("task paused", "task", t.id, "why", why)
	}
	t.paused = why
	s.Pause(t.id)
}

// pausedText says why a task is paused, and how the bucket is.
func (r *runner) pausedText(t *task) string {
	text := "lander behind: " + t.paused
	if since, err := r.bucket.failing(); err != nil {
		text += fmt.Sprintf("; failing since %s: %v", since.UTC().Format(time.RFC3339), err)
	}
	return text + "; the task goes on by itself when its records are landed"
}

// unpause lets paused tasks go on whose records can be stored again.
func (r *runner) unpause(s *kafka.Session) error {
	for _, t := range r.mine() {
		if t.paused == "" || t.stopped != nil || r.behind(t) != "" {
			continue
		}
		err := t.release()
		if errors.Is(err, lake.ErrFull) {
			r.launch(all)
			continue
		}
		if err := r.halt(t, err); err != nil {
			return err
		}
		r.log.Warn("task goes on", "task", t.id)
		t.paused = ""
		s.Resume(t.id)
	}
	return nil
}

// release processes what was held.
func (t *task) release() error {
	for _, in := range t.inputs {
		if len(in.held) == 0 {
			continue
		}
		if err := t.process(in, in.held); err != nil {
			in.held = in.after()
			return err
		}
		in.held = nil
	}
	return nil
}

// after is what is left of the held records.
func (in *input) after() []*kafka.Record {
	held := in.held
	for len(held) > 0 && held[0].Offset < in.next {
		held = held[1:]
	}
	return held
}
