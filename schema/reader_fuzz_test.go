package schema

import (
	"errors"
	"testing"
)

// FuzzReaders: no value of any format leads to a panic, to an error that is no *RecordError, or to an event that reads
// otherwise from the lake.
func FuzzReaders(f *testing.F) {
	sources := []Source{orderSource(""), orderSource("items"), shopSource(f, ""), shopSource(f, "items"), shopSource(f, "codes"), oldSource(f, "parts"), basketSource("in.items")}
	var readers []Reader
	for _, s := range sources {
		shape, err := s.Shape()
		if err != nil {
			f.Fatal(err)
		}
		var paths []string
		for _, field := range shape.Paths() {
			paths = append(paths, field.Name)
		}
		readers = append(readers, mustReader(f, s, paths...))
	}
	f.Add([]byte(`{"id": "a\u00e4", "at": "2013-01-05T07:30:00.1Z", "n": 1e3, "price": "1.50", "items": [{"sku": "a"}, null], "who": {"name": "x"}}`))
	f.Add([]byte("\x0a\x01a\x12\x02\x08\x05\x18\x81\x80\x80\x80\x80\x80\x80\x10\x20\x01\x42\x03\x0a\x01x\x4a\x03\x0a\x01x\x52\x02\x01\x02\x23\x08\x01\x24\x2b\x08\x01\x2c"))
	f.Add(basket(f, `{"id": "a", "at": 5, "codes": [1], "in": {"items": [null, {"sku": "x", "price": "1.50", "codes": [1]}]}}`))
	f.Fuzz(func(t *testing.T, value []byte) {
		for i, r := range readers {
			var ev, again Event
			err := r.Decode(value, &ev)
			var bad *RecordError
			if err != nil && !errors.As(err, &bad) {
				t.Fatalf("%d: %v", i, err)
			}
			if !Landable(err) {
				continue
			}
			second := r.DecodePayload(0, ev.Payload, &again)
			if (err == nil) != (second == nil) || !Landable(second) || ev.Time != again.Time {
				t.Fatalf("%d: %v, from the lake %v", i, err, second)
			}
			if err == nil && r.Identity(&ev) != r.Identity(&again) {
				t.Fatalf("%d: another identity from the lake", i)
			}
			for k := range ev.Elements {
				ev.Load(k)
			}
		}
	})
}
