package stream

import (
	"context"
	"fmt"
	"time"

	"github.com/tidemark-io/tidemark/stream/kafka"
)

// retentionEvery is how often the settings of the source topics are looked at.
const retentionEvery = time.Minute

// lookAtRetention asks for how long the topics keep their records. Not being told (it may not be allowed) is no
// reason to stop: then no task pauses for it.
func (r *runner) lookAtRetention(ctx context.Context) {
	if !r.due(&r.beat.lastRetention, retentionEvery) {
		return
	}
	for _, src := range r.sources {
		if src.lake == nil {
			continue
		}
		keeps, err := r.admin.Retention(ctx, src.Name)
		if err != nil {
			r.log.Warn("retention of a source topic", "topic", src.Name, "err", err)
			continue
		}
		src.retention = keeps
	}
}

// headroom is how long the oldest record of an input that isn't in the lake is still kept by the topic, by its timestamp and
// retention.ms. If all records are landed it is the whole retention.
func (r *runner) headroom(in *input) (left time.Duration, waits time.Duration) {
	keeps := r.sources[in.number].retention
	in.unlanded.trim(in.lander.Landed(), in.next)
	oldest, since, ok := in.unlanded.oldest()
	if !ok {
		return keeps, 0
	}
	now := r.o.Now()
	return keeps - now.Sub(time.UnixMilli(oldest)), now.Sub(since)
}

// landLate is how many times roll.every a record may wait before its landing counts as behind. Records may be older than
// their topic's retention when they are produced; landed in time, they are no reason to pause.
const landLate = 3

// behind says why a task must not read on: records that aren't in the lake have come to the given share of their topic's
// retention, and landing does not come forward. Empty: it may.
func (r *runner) behind(t *task) string {
	share := *r.o.Plan.Pipeline.Lake.PauseAt
	for _, in := range t.inputs {
		keeps := r.sources[in.number].retention
		if in.lander == nil || keeps == 0 {
			continue
		}
		left, waits := r.headroom(in)
		_, failing := r.bucket.failing()
		late := waits > landLate*r.o.Plan.Pipeline.Lake.Roll.Every || waits > 0 && failing != nil
		if late && float64(keeps-left) > share*float64(keeps) {
			return fmt.Sprintf("records of %s/%d from offset %d on have used more than %.0f%% of the topic's retention of %s (lake.pause_at)",
				in.topic, t.id, in.lander.Landed(), 100*share, keeps)
		}
	}
	return ""
}

// pauseBehind pauses the tasks whose landers are too far behind.
func (r *runner) pauseBehind(s *kafka.Session) {
	for _, t := range r.mine() {
		if t.stopped != nil || t.paused != "" {
			continue
		}
		if why := r.behind(t); why != "" {
			r.pause(s, t, why)
		}
	}
}
