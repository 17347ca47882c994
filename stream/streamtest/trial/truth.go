package trial

import (
	"maps"

	"github.com/tidemark-io/tidemark/stream/streamtest"
)

// Oracle computes the truth, without the windows that only unconfirmed far-future events fall into.
func (w *World) Oracle(log []streamtest.Message) map[streamtest.Window]map[string]string {
	w.TB.Helper()
	var payloads [][]byte
	for _, m := range log {
		if m.Value != nil {
			payloads = append(payloads, m.Value)
		}
	}
	read := []string{"id", "at", "customer", "amount", "quantity", "weight", "pieces", "discount"}
	truth, err := streamtest.Oracle(streamtest.OrdersSchema, payloads, read, "at", streamtest.OrdersOutputs())
	w.must(err)
	const year2090 = 3_786_912_000_000
	for win := range truth {
		if win.Start > year2090 {
			delete(truth, win)
		}
	}
	return truth
}

// Compare holds the newest value of every window against the truth, both ways.
func (w *World) Compare(truth map[streamtest.Window]map[string]string, got map[streamtest.Window][]Row) {
	w.TB.Helper()
	wrong := 0
	for win, want := range truth {
		history := got[win]
		if len(history) == 0 {
			w.TB.Errorf("%+v was never published", win)
		} else if last := Newest(history); last.Status == "RETRACTED" || !maps.Equal(last.Values, want) {
			w.TB.Errorf("%+v\n got %v %s\nwant %v", win, last.Values, last.Status, want)
		} else {
			continue
		}
		if wrong++; wrong > 5 {
			w.TB.Fatal("and more")
		}
	}
	for win, history := range got {
		if _, ok := truth[win]; !ok && Newest(history).Status != "RETRACTED" {
			w.TB.Errorf("%+v is published and not true", win)
		}
	}
}
