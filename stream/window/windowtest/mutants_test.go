package windowtest

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// total is a right aggregate of strings, the number of their bytes and the longest; its faults are switched on one by one.
type total struct{ fault string }

func (t total) Cell() string {
	if t.fault == "cell with a line break" {
		return "total/1\n"
	}
	return "total/1"
}

func (t total) New() window.Accumulator {
	return &sum{fault: t.fault}
}

func (t total) Result() schema.Type {
	return schema.Type{Kind: schema.KindInt, Avro: "long"}
}

func (t total) Value(a window.Accumulator, _ []byte) (schema.Value, error) {
	s := a.(*sum)
	switch t.fault {
	case "value changes the state":
		s.n++
	case "value is null":
		return schema.NullValue(), nil
	case "value of another kind":
		return schema.FloatValue(1), nil
	case "value differs":
		s.reads++
		return schema.IntValue(int64(s.n) + int64(s.reads)), nil
	}
	return schema.IntValue(int64(s.n)), nil
}

type sum struct {
	fault   string
	n       uint64
	longest []byte
	ballast []byte
	reads   int
}

func (s *sum) Add(v schema.Value, at window.Order) error {
	switch s.fault {
	case "the last value counts":
		s.n = uint64(len(v.Bytes))
		return nil
	case "add rounds":
		s.n = (s.n + uint64(len(v.Bytes))) / 2
		return nil
	case "memory unsaid":
		s.ballast = make([]byte, 4096)
	case "add fails":
		return errors.New("no")
	case "time without identity": // the first in time wins, of equal times the one that came first
		if s.n == 0 || uint64(at.Time+10) < s.n {
			s.n, s.longest = uint64(at.Time+10), append(s.longest[:0], v.Bytes...)
		}
		return nil
	}
	s.n += uint64(len(v.Bytes))
	s.offer(v.Bytes)
	return nil
}

func (s *sum) offer(b []byte) {
	if len(b) > len(s.longest) || len(b) == len(s.longest) && string(b) > string(s.longest) {
		if s.fault == "keeps the argument" {
			s.longest = b
			return
		}
		s.longest = append(s.longest[:0:0], b...)
	}
}

func (s *sum) Merge(other window.Accumulator) error {
	o := other.(*sum)
	switch s.fault {
	case "merge forgets":
		s.n = o.n
	case "merge changes the other":
		s.n += o.n
		o.n = 0
	default:
		s.n += o.n
	}
	s.offer(o.longest)
	return nil
}

func (s *sum) Append(dst []byte) []byte {
	if s.fault == "append drops the front" {
		dst = nil
	}
	dst = binary.BigEndian.AppendUint64(dst, s.n)
	return append(dst, s.longest...)
}

func (s *sum) Decode(src []byte) error {
	switch {
	case s.fault == "decode panics":
		s.n, s.longest = binary.BigEndian.Uint64(src), append([]byte(nil), src[8:]...)
		return nil
	case len(src) < 8:
		return errors.New("too short")
	case s.fault == "decode adds":
		s.n += binary.BigEndian.Uint64(src)
	case s.fault == "decode takes anything" && src[0] > 0:
		s.n = 1
	case s.fault == "decode allocates":
		s.ballast = make([]byte, binary.BigEndian.Uint64(src)&(1<<26-1))
		s.n = binary.BigEndian.Uint64(src)
		s.ballast = nil
	default:
		s.n = binary.BigEndian.Uint64(src)
	}
	s.longest = append([]byte(nil), src[8:]...)
	if s.fault == "decode keeps its argument" {
		s.longest = src[8:]
	}
	return nil
}

func (s *sum) Bytes() int64 {
	if s.fault == "memory invented" {
		return 1 << 16
	}
	return 80 + int64(cap(s.longest))
}

func text(r *rand.Rand) schema.Value {
	return schema.StringValue([]byte("the quick brown fox")[:r.IntN(20)])
}

// A right aggregate passes.
func TestRightAggregatePasses(t *testing.T) { Aggregate(t, total{}, text) }

// Each fault breaks the law that is about it.
func TestFaultsAreFound(t *testing.T) {
	for fault, broken := range map[string]string{
		"the last value counts":     "order",
		"add rounds":                "order",
		"time without identity":     "order",
		"add fails":                 "order",
		"merge forgets":             "split merge",
		"merge changes the other":   "merge",
		"decode adds":               "decode",
		"append drops the front":    "bytes",
		"decode panics":             "bytes",
		"decode takes anything":     "bytes",
		"decode allocates":          "bytes",
		"keeps the argument":        "keep",
		"decode keeps its argument": "keep",
		"value changes the state":   "value",
		"value is null":             "value",
		"value of another kind":     "value",
		"value differs":             "value",
		"memory unsaid":             "memory",
		"memory invented":           "memory",
		"cell with a line break":    "cell",
	} {
		for _, l := range laws {
			if !strings.Contains(" "+broken+" ", " "+l.name+" ") {
				continue
			}
			err := hold(l, total{fault}, text)
			if err == nil {
				t.Errorf("%q keeps the law %q", fault, l.name)
			} else {
				t.Logf("%s: %v", fault, err)
			}
		}
	}
}
