package stream

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/lake/blob"
)

const (
	goldenStop  = `{"version":1,"pipeline":"flüge","task":3,"process":"main","at":"2026-11-22T20:00:00Z","error":"flights/3: gone; do this","inputs":[{"topic":"flights","topic_id":"q3F","committed":47,"decision":2,"first":91}]}`
	goldenOrder = `{"version":1,"pipeline":"flüge","task":3,"given_at":"2026-11-22T20:00:00Z","reason":"retention was too short","inputs":[{"topic":"flights","topic_id":"q3F","committed":47,"decision":2,"first":91}]}`
)

// The objects in the bucket are those of FORMAT.md, in both directions; others are refused.
func TestStopsAndOrdersAreAsWritten(t *testing.T) {
	at := time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC)
	inputs := []StopInput{{Topic: "flights", TopicID: "q3F", Committed: 47, Decision: 2, First: 91}}
	stop := Stop{Version: 1, Pipeline: "flüge", Task: 3, Process: "main", At: at, Error: "flights/3: gone; do this", Inputs: inputs}
	order := Order{Version: 1, Pipeline: "flüge", Task: 3, GivenAt: at, Reason: "retention was too short", Inputs: inputs}
	for golden, v := range map[string]any{goldenStop: stop, goldenOrder: order} {
		if text, err := json.Marshal(v); err != nil || string(text) != golden {
			t.Errorf("written as %s (%v), want %s", text, err, golden)
		}
	}
	b := blob.NewMemory()
	if got, err := ReadStop(t.Context(), b, "flüge", 3); got != nil || err != nil {
		t.Errorf("of a task that has not stopped: %+v, %v", got, err)
	}
	for text, good := range map[string]bool{
		goldenStop: true, `{"version":2}`: false, `{"version":1,"more":1}`: false, `{`: false, ``: false,
	} {
		if err := b.Put(t.Context(), stopKey("flüge", 3), []byte(text)); err != nil {
			t.Fatal(err)
		}
		got, err := ReadStop(t.Context(), b, "flüge", 3)
		if (err == nil) != good || good && (got.Error != stop.Error || !got.Holds([]int64{47}) || got.Holds([]int64{48}) || got.Holds(nil)) {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for n := range 2 {
		if given, err := order.give(t.Context(), b); err != nil || given != (n == 0) {
			t.Errorf("given: %v, %v", given, err)
		}
	}
	order.Inputs = []StopInput{{Topic: "flights", TopicID: "q3F", Committed: 47, Decision: 2, First: 92}}
	if given, err := order.give(t.Context(), b); err != nil || given {
		t.Errorf("for the same stop, after more of the topic is gone: %v, %v", given, err)
	}
	order.Inputs = []StopInput{{Topic: "flights", TopicID: "q3F", Committed: 47, Decision: 3, First: 92}}
	if given, err := order.give(t.Context(), b); err != nil || !given {
		t.Errorf("another one: %v, %v", given, err)
	}
	if all, err := orders(t.Context(), b, "flüge", 3); err != nil || len(all) != 2 || all[1].Inputs[0].Decision != 3 || all[1].number != 2 {
		t.Errorf("orders: %+v, %v", all, err)
	}
}

// An order is for one stop, wherever the topic begins by now; the text of a stop that it isn't for says so, and why (law L5).
func TestOrdersThatDoNotApply(t *testing.T) {
	was := StopInput{Topic: "flights", TopicID: "q3F", Committed: 47, Decision: 2, First: 91}
	order := Order{Version: 1, Pipeline: "flüge", Task: 3, Inputs: []StopInput{was}, number: 4}
	why := &StopError{Where: "flights/3", What: "records are gone"}
	for _, c := range []struct {
		now  func(*StopInput)
		said string
	}{
		{func(*StopInput) {}, ""},
		{func(in *StopInput) { in.First = 400 }, ""},
		{func(in *StopInput) { in.TopicID = "new" }, "deleted and created again (id new, was q3F)"},
		{func(in *StopInput) { in.Committed = 60 }, "for offset 47 of flights/3, the task has committed 60"},
		{func(in *StopInput) { in.Decision = 5 }, "behind decision 2 of flights/3, the task has taken decision 5"},
		{func(in *StopInput) { in.Topic = "trains" }, "it is of flights, the task reads trains"},
	} {
		now := []StopInput{was}
		c.now(&now[0])
		told := withVoid(why, []Order{order}, now)
		var stop *StopError
		if !errors.As(told, &stop) || (told == error(why)) != (c.said == "") {
			t.Errorf("%+v: %v", now, told)
		}
		if text := told.Error(); !strings.HasPrefix(text, why.Error()) || !strings.Contains(text, c.said) || c.said != "" && !strings.Contains(text, "order 4, given ") {
			t.Errorf("%+v: %s", now, text)
		}
	}
	if withVoid(why, nil, []StopInput{was}) != error(why) || order.void(nil) == "" {
		t.Error("no order, or no topic")
	}
}

// What isn't landed is never thought younger than it is, and takes bounded memory.
func TestUnlanded(t *testing.T) {
	var u unlanded
	now := func() int64 { return 5 }
	if _, _, ok := u.oldest(); ok {
		t.Error("something waits")
	}
	for offset := range int64(100_000) {
		u.add(offset, 1000+offset, now)
	}
	if len(u.marks) > unlandedMax {
		t.Errorf("%d marks", len(u.marks))
	}
	for _, landed := range []int64{0, 1, 777, 50_000, 99_999} {
		u.trim(landed, 100_000)
		if at, _, ok := u.oldest(); !ok || at > 1000+landed || at < 1000+landed-2000 {
			t.Errorf("landed up to %d: the oldest is of %d, %v", landed, at, ok)
		}
	}
	u.trim(100_000, 100_000)
	if _, _, ok := u.oldest(); ok {
		t.Error("all is landed, and something waits")
	}
}
