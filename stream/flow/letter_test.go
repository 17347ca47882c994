package flow

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/schema"
)

// golden are letters whose bytes FORMAT.md promises; they are in testdata/letter under the same names.
var golden = map[string]letter{
	"event": {partition: 3, offset: 1_000_000, mark: 1_357_689_600_000, parts: []part{{0, 1}, {2, 5}}, value: []byte(`{"id":"a"}`)},
	"first": {partition: 0, offset: 0, mark: math.MinInt64, parts: []part{{0, 1}}, value: []byte{}},
	"last":  {partition: 1 << 30, offset: math.MaxInt64, mark: math.MaxInt64, parts: []part{{9999, math.MaxUint64}}, value: []byte("x")},
	"mark":  {marker: true, partition: 300, mark: -1},
}

func TestLetterGolden(t *testing.T) {
	for name, l := range golden {
		text, err := os.ReadFile("testdata/letter/" + name + ".hex")
		if err != nil {
			t.Fatal(err)
		}
		want, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
		if err != nil {
			t.Fatal(err)
		}
		if got := l.append(nil); !bytes.Equal(got, want) {
			t.Errorf("%s: % x, its golden bytes are % x", name, got, want)
		}
		var back letter
		if err := back.decode(want); err != nil || !reflect.DeepEqual(back, l) {
			t.Errorf("%s is read as %+v (%v)", name, back, err)
		}
	}
}

// A letter that was cut short, a marker too, is an error and never another letter; so is one with bytes too many in its
// header, or of another version.
func TestLetterDamaged(t *testing.T) {
	for name, l := range golden {
		whole := l.append(nil)
		header := len(whole) - len(l.value)
		for n := range header {
			refused(t, name, whole[:n])
		}
		refused(t, name+", of version 2", append([]byte{2}, whole[1:]...))
		refused(t, name+", of a third kind", append([]byte{whole[0], 2}, whole[2:]...))
	}
	refused(t, "a marker with something behind it", append((&letter{marker: true, mark: 5}).append(nil), 0))
	refused(t, "about nothing", (&letter{value: []byte("x")}).append(nil))
	refused(t, "for no output", (&letter{parts: []part{{0, 0}}, value: []byte("x")}).append(nil))
	refused(t, "about too much", append(binary.AppendUvarint([]byte{1, 0, 0, 0, 0}, schema.MaxElements+1), bytes.Repeat([]byte{0, 1}, schema.MaxElements+1)...))
	refused(t, "a superfluous byte", []byte{1, 1, 0x80, 0, 2})
	refused(t, "of a partition beyond all", (&letter{marker: true, partition: 1<<30 + 1}).append(nil))
	refused(t, "of an offset beyond all", (&letter{offset: math.MinInt64, parts: []part{{0, 1}}}).append(nil))
}

func refused(t *testing.T, name string, src []byte) {
	t.Helper()
	var l letter
	var bad *LetterError
	if err := l.decode(src); !errors.As(err, &bad) {
		t.Errorf("%s: % x is read as %+v (%v)", name, src, l, err)
	}
}

// Whatever is read is written back to the same bytes: there is one spelling of each letter.
func FuzzLetter(f *testing.F) {
	for _, l := range golden {
		f.Add(l.append(nil))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		var l letter
		var bad *LetterError
		if err := l.decode(src); err != nil {
			if !errors.As(err, &bad) {
				t.Errorf("% x: %v is no LetterError", src, err)
			}
			return
		}
		if got := l.append(nil); !bytes.Equal(got, src) {
			t.Errorf("% x is read as %+v, which is % x", src, l, got)
		}
	})
}
