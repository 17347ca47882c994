package flights

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/flow"
	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/streamtest"
)

// partitions of the topic, as in the demo: each airport has one of its own, and one stays empty.
const partitions, empty = 4, 2

// arrival is an event as it is sent.
type arrival struct {
	partition int32
	at        int64 // scheduled departure, ms
	value     []byte
}

func readArrivals(t *testing.T, path string) (all []arrival) {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	defer func() { must(t, f.Close()) }()
	used := map[int32]string{}
	for lines := bufio.NewScanner(f); ; {
		if !lines.Scan() {
			must(t, lines.Err())
			return all
		}
		var line struct{ Event json.RawMessage }
		must(t, json.Unmarshal(lines.Bytes(), &line))
		var e struct {
			Origin    string
			Scheduled time.Time `json:"scheduled_departure"`
		}
		must(t, json.Unmarshal(line.Event, &e))
		p := curated.Partition([]byte(e.Origin), partitions)
		if other, ok := used[p]; p == empty || ok && other != e.Origin {
			t.Fatalf("%s is in partition %d, as %q: the truth judges each airport by itself", e.Origin, p, other)
		}
		used[p] = e.Origin
		all = append(all, arrival{p, e.Scheduled.UnixMilli(), line.Event})
	}
}

// lanes are what a pipeline gives: what the stream published, and what the batch over the same records computes.
type lanes struct {
	plan          *pipeline.Plan
	stream, batch []streamtest.Row
	counters      flow.Counters
}

const block = 500 // records between two commits

// drive runs a pipeline. Between commits it crashes now and then with records half processed, which must not be seen.
func drive(t *testing.T, file string, all []arrival) lanes {
	t.Helper()
	p, err := pipeline.Load(file, os.LookupEnv)
	must(t, err)
	plan, err := p.Compile()
	must(t, err)
	d, err := streamtest.NewDriver(plan, partitions)
	must(t, err)
	highest := map[int32]int64{}
	for i, a := range all {
		d.Append(0, a.partition, a.value)
		highest[a.partition] = max(highest[a.partition], a.at)
		if (i+1)%block != 0 {
			continue
		}
		if i/block%5 == 0 {
			crash(t, d, a.partition)
		}
		must(t, d.Settle())
		if len(highest) == partitions-1 { // the empty partition is idle, and holds nothing back
			must(t, d.Raise(empty, 0, least(highest)))
		}
	}
	must(t, d.End())
	l := lanes{plan: plan, stream: d.Rows(), counters: d.Counters()}
	for i := range plan.Outputs {
		rows, err := d.Batch(i)
		must(t, err)
		l.batch = append(l.batch, rows...)
	}
	return l
}

func crash(t *testing.T, d *streamtest.Driver, task int32) {
	t.Helper()
	for range d.Pending(task, 0) / 2 {
		_, err := d.Process(task, 0)
		must(t, err)
	}
	must(t, d.Close(task))
	must(t, d.Crash(task))
}

func least(of map[int32]int64) int64 {
	first := true
	var low int64
	for _, at := range of {
		if first || at < low {
			first, low = false, at
		}
	}
	return low
}
