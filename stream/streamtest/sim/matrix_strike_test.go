package sim

import (
	"encoding/binary"
	"reflect"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// strike is the one fault of a life, on its way to happen. Without a cell it only counts.
type strike struct {
	cell *cell
	at   int // which request of the cell's key in its act, from 1

	mu    sync.Mutex
	act   act
	seen  [acts]map[int16]int
	armed bool         // the broker is to answer wrongly
	hit   kmsg.Request // what it answered
	met   time.Time    // when it happened
	over  bool         // the cause is removed
}

func newStrike(c *cell, at int) *strike {
	s := &strike{cell: c, at: at}
	for a := range s.seen {
		s.seen[a] = map[int16]int{}
	}
	return s
}

// draw decides what becomes of a request of the program's.
func (s *strike) draw(key int16) (fate, time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[s.act][key]++
	c := s.cell
	if c == nil || !s.met.IsZero() || s.armed || s.over || s.act != c.moment.act || key != int16(c.key) || s.seen[s.act][key] != s.at {
		return pass, 0
	}
	if c.fate == pass {
		s.armed = true
		return pass, 0
	}
	s.met = time.Now()
	return c.fate, c.late()
}

// answers says whether the broker answers a request wrongly.
func (s *strike) answers(req kmsg.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.armed || s.over || outside(req):
		return false
	case s.hit == nil:
		s.hit, s.met = req, time.Now()
	}
	return s.cell.lasts || s.hit == req
}

// outside says whether a request is of the test's own producer.
func outside(req kmsg.Request) bool {
	switch r := req.(type) {
	case *kmsg.ProduceRequest:
		return r.TransactionID == nil
	case *kmsg.InitProducerIDRequest:
		return r.TransactionalID == nil
	}
	return false
}

// happened says when it did; the zero time before.
func (s *strike) happened() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.met
}

// pending says whether it has happened and goes on.
func (s *strike) denies() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cell != nil && s.cell.lasts && !s.met.IsZero() && !s.over
}

func (s *strike) begin(a act) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.act = a
}

// remove removes the cause of what lasts.
func (s *strike) remove() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
}

// counted is how many requests of the cell's key its act has had.
func (s *strike) counted(c *cell) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[c.moment.act][int16(c.key)]
}

// spoil makes the answer to a request that was done say the cell's error wherever it can say one.
func (s *strike) spoil(key, version int16, answer []byte) []byte {
	resp := kmsg.ResponseForKey(key)
	resp.SetVersion(version)
	head := 8 // size and correlation id
	if resp.IsFlexible() && key != int16(kmsg.ApiVersions) {
		head = 9 // and no tags
	}
	if err := resp.ReadFrom(answer[head:]); err != nil {
		panic(err) // of a test: the broker in memory doesn't write what its own library can't read
	}
	setErrors(reflect.ValueOf(resp).Elem(), s.cell.answer.Code)
	out := resp.AppendTo(append([]byte(nil), answer[:head]...))
	binary.BigEndian.PutUint32(out, uint32(len(out)-4))
	return out
}

// setErrors sets every error code of an answer.
func setErrors(v reflect.Value, code int16) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name == "ErrorCode" {
				v.Field(i).SetInt(int64(code))
				continue
			}
			setErrors(v.Field(i), code)
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() != reflect.Struct {
			return
		}
		for i := range v.Len() {
			setErrors(v.Index(i), code)
		}
	}
}
