package lake_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
)

// TestScripts runs testdata/script/*: what landing does, to be read. Commands:
//
//	lander name=A partition=P first=N every=D bytes=N budget=N
//	append name=A          lines: OFFSET[..OFFSET] TIME [id]  or  OFFSET invalid REASON VALUE
//	advance name=A to=N    tick by=D      due name=A      seal name=A      land name=A
//	ls [prefix=]           log partition=P         cat partition=P
//	check                  delete key=K            flip key=K at=N
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/script", func(t *testing.T, path string) {
		s := &script{bucket: blob.NewMemory(), clock: newClock(), landers: map[string]*lake.Lander{}, sealed: map[string]*lake.Batch{}}
		s.topic = openTopic(t, s.bucket)
		datadriven.RunTest(t, path, func(t *testing.T, td *datadriven.TestData) string {
			out, err := s.run(t, td)
			if err != nil {
				out += "error: " + err.Error()
			}
			if out == "" {
				out = "ok"
			}
			return strings.TrimSuffix(out, "\n") + "\n"
		})
	})
}

type script struct {
	bucket  *blob.Memory
	topic   *lake.Topic
	clock   *clock
	landers map[string]*lake.Lander
	sealed  map[string]*lake.Batch
}

func (s *script) run(t *testing.T, td *datadriven.TestData) (string, error) {
	var name, key, prefix, by string
	var to, at int64
	var partition int32
	td.MaybeScanArgs(t, "name", &name)
	td.MaybeScanArgs(t, "key", &key)
	td.MaybeScanArgs(t, "prefix", &prefix)
	td.MaybeScanArgs(t, "by", &by)
	td.MaybeScanArgs(t, "to", &to)
	td.MaybeScanArgs(t, "at", &at)
	td.MaybeScanArgs(t, "partition", &partition)
	l := s.landers[name]
	switch td.Cmd {
	case "lander":
		return s.lander(t, td, name, partition)
	case "append":
		return "", s.append(l, td.Input)
	case "advance":
		l.Advance(to)
		return "", nil
	case "tick":
		d, err := time.ParseDuration(by)
		s.clock.now = s.clock.now.Add(d)
		return "", err
	case "due":
		return fmt.Sprintf("due %t, next %d, landed %d, %d bytes held", l.Due(), l.Next(), l.Landed(), l.Buffered()), nil
	case "seal":
		b := l.Seal()
		if b == nil {
			return "nothing to land", nil
		}
		s.sealed[name] = b
		return fmt.Sprintf("[%d, %d) %d records", b.First(), b.End(), b.Records()), nil
	case "land":
		err := l.Land(t.Context(), s.sealed[name])
		return fmt.Sprintf("next %d, landed %d\n", l.Next(), l.Landed()), err
	case "ls":
		return s.ls(t, prefix)
	case "log":
		return s.log(t, partition)
	case "cat":
		return s.cat(t, partition), nil
	case "check":
		return s.check(t)
	case "delete":
		return "", s.bucket.Delete(t.Context(), key)
	case "flip":
		data, err := s.bucket.Get(t.Context(), key)
		if err != nil {
			return "", err
		}
		data[int(at)] ^= 1
		return "", s.bucket.Put(t.Context(), key, data)
	}
	return "", fmt.Errorf("unknown command %s", td.Cmd)
}

func (s *script) lander(t *testing.T, td *datadriven.TestData, name string, partition int32) (string, error) {
	var every string
	var bytes, first, budget int64
	td.MaybeScanArgs(t, "every", &every)
	td.MaybeScanArgs(t, "bytes", &bytes)
	td.MaybeScanArgs(t, "first", &first)
	td.MaybeScanArgs(t, "budget", &budget)
	o := lake.LanderOptions{BytesMax: bytes, FirstOffset: first, Now: s.clock.Now}
	if every != "" {
		var err error
		if o.Every, err = time.ParseDuration(every); err != nil {
			return "", err
		}
	}
	if budget > 0 {
		o.Budget = lake.NewBudget(budget)
	}
	l, err := s.topic.Lander(t.Context(), partition, o)
	if err != nil {
		return "", err
	}
	s.landers[name] = l
	return fmt.Sprintf("next %d", l.Next()), nil
}

func (s *script) append(l *lake.Lander, lines string) error {
	for line := range strings.Lines(lines) {
		f := strings.Fields(line)
		from, to, many := strings.Cut(f[0], "..")
		if !many {
			to = from
		}
		first, err := strconv.ParseInt(from, 10, 64)
		last, err2 := strconv.ParseInt(to, 10, 64)
		if err := errors.Join(err, err2); err != nil {
			return err
		}
		for offset := first; offset <= last; offset++ {
			e, err := scriptEvent(offset, f)
			if err != nil {
				return err
			}
			if err := l.Append(&e.record, e.landing); err != nil {
				return err
			}
		}
	}
	return nil
}

func scriptEvent(offset int64, f []string) (event, error) {
	if f[1] == "invalid" {
		var value []byte
		if len(f) > 3 {
			value = []byte(f[3])
		}
		return invalid(0, offset, value, f[2]), nil
	}
	at, err := time.Parse("2006-01-02T15:04", f[1])
	if err != nil {
		return event{}, err
	}
	id := fmt.Sprintf("id-%d", offset)
	if len(f) > 2 {
		id = f[2]
	}
	return reading(0, offset, at.UnixMilli(), id), nil
}

func (s *script) ls(t *testing.T, prefix string) (string, error) {
	var out strings.Builder
	err := s.bucket.List(t.Context(), "raw/readings/"+prefix, func(o blob.Object) error {
		fmt.Fprintf(&out, "%6d %s\n", o.Size, o.Key)
		return nil
	})
	return out.String(), err
}

func (s *script) log(t *testing.T, partition int32) (string, error) {
	log := s.topic.Log(partition)
	err := log.Refresh(t.Context())
	var out strings.Builder
	fmt.Fprintf(&out, "start %d, end %d\n", log.Start(), log.End())
	for _, e := range log.Entries() {
		fmt.Fprintf(&out, "[%d, %d) %d records, %d in quarantine\n", e.First, e.End, e.Records, e.Quarantined)
		for _, f := range e.Files {
			fmt.Fprintf(&out, "  %s  offsets %d to %d, %d records, %d bytes, times %s to %s\n", strings.TrimPrefix(f.Path, "raw/readings/"),
				f.First, f.Last, f.Records, f.Bytes, stamp(f.MinTime), stamp(f.MaxTime))
		}
	}
	return out.String(), err
}

func stamp(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04") }

func (s *script) cat(t *testing.T, partition int32) string {
	found, _ := readAll(t, s.bucket, partition)
	offsets := make([]int64, 0, len(found))
	for o := range found {
		offsets = append(offsets, o)
	}
	slices.Sort(offsets)
	var out strings.Builder
	for _, o := range offsets {
		r := found[o]
		fmt.Fprintf(&out, "%d %s %q %s\n", o, r.Key, r.Payload, r.Reason)
	}
	return out.String()
}

func (s *script) check(t *testing.T) (string, error) {
	var out strings.Builder
	sum, err := lake.Check(t.Context(), s.bucket, "readings", func(f lake.Fault) {
		fmt.Fprintf(&out, "%s\n", f)
	})
	fmt.Fprintf(&out, "%d records (%d in quarantine) in %d files, %d bytes; %d faults, %d pending, %d garbage; ranges %v\n",
		sum.Records, sum.Quarantined, sum.Files, sum.Bytes, sum.Faults, sum.Pending, sum.Garbage, sum.Ranges)
	return out.String(), err
}
