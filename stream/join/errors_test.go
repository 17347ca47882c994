package join

import (
	"errors"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/stream/window"
	"github.com/tidemark-io/tidemark/stream/window/backingtest"
)

var errTest = errors.New("planted")

// What the caller must uphold is checked, and every error is for ever.
func TestErrorsAreForEver(t *testing.T) {
	for _, c := range []struct {
		what string
		do   func(op Operator, back *backingtest.Store) error
		is   error
		says string
	}{
		{what: "side", do: func(op Operator, _ *backingtest.Store) error { return add(op, 2, "k", 0, 0) }, says: "side 2"},
		{what: "time below", do: func(op Operator, _ *backingtest.Store) error { return add(op, Left, "k", window.TimeMin-1, 0) }, says: "outside the years"},
		{what: "time above", do: func(op Operator, _ *backingtest.Store) error { return add(op, Left, "k", window.TimeMax+1, 0) }, says: "outside the years"},
		{what: "key", do: func(op Operator, _ *backingtest.Store) error {
			return add(op, Left, strings.Repeat("k", KeyMax+1), 0, 0)
		}, says: "a join key of 65537 bytes"},
		{what: "row", do: func(op Operator, _ *backingtest.Store) error {
			_, err := op.Add(Left, nil, 0, second, true, make([]byte, RowMax+1), 0, ignore)
			return err
		}, says: "a row of 16777217 bytes"},
		{what: "watermark fell", do: func(op Operator, _ *backingtest.Store) error {
			return errors.Join(op.Close(10, ignore), op.Close(9, ignore))
		}, is: window.ErrWatermarkFell},
		{what: "event below a Close", do: func(op Operator, _ *backingtest.Store) error {
			return errors.Join(op.Close(10, ignore), add(op, Left, "k", 100, 9))
		}, is: window.ErrWatermarkFell},
		{what: "place twice", do: func(op Operator, _ *backingtest.Store) error {
			_, first := op.Add(Left, nil, 0, second, false, nil, 0, ignore)
			_, err := op.Add(Left, nil, 0, second, false, nil, 0, ignore)
			return errors.Join(first, err)
		}, is: ErrSamePlace},
		{what: "writer", do: func(op Operator, _ *backingtest.Store) error {
			return errors.Join(add(op, Left, "k", 0, 0), op.Write(failing{}))
		}, is: errTest},
		{what: "receiver", do: func(op Operator, _ *backingtest.Store) error {
			planted := func(*Pair) error { return errTest }
			_, first := op.Add(Right, []byte("k"), 0, second, true, nil, 0, planted)
			_, err := op.Add(Left, []byte("k"), 0, second, true, nil, 0, planted)
			return errors.Join(first, err, op.Close(1<<40, planted))
		}, is: errTest},
	} {
		for _, enrich := range []bool{false, true} {
			back := backingtest.New()
			op := open(t, enrich, back)
			err := c.do(op, back)
			if err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %s: %v", kindOf(enrich), c.what, err)
			}
			checkDead(t, op, c.what)
		}
	}
}

func checkDead(t *testing.T, op Operator, what string) {
	t.Helper()
	_, _, bound := op.Bound(0)
	for _, err := range []error{add(op, Left, "k", 1<<30, 1<<30), op.Close(1<<40, ignore), op.Write(&backingtest.Batch{}), bound} {
		if err == nil {
			t.Errorf("after %s it goes on", what)
		}
	}
}

func add(op Operator, side Side, key string, at, mark int64) error {
	_, err := op.Add(side, []byte(key), at, second, true, nil, mark, ignore)
	return err
}

// failing fails every change.
type failing struct{}

func (failing) Set(_, _ []byte) error         { return errTest }
func (failing) Delete([]byte) error           { return errTest }
func (failing) DeleteRange(_, _ []byte) error { return errTest }

// A Backing that fails fails the operator, wherever it is read.
func TestBackingFails(t *testing.T) {
	for _, enrich := range []bool{false, true} {
		for i, do := range []func(op Operator) error{
			func(op Operator) error { return add(op, Left, "k", 0, 1000) },
			func(op Operator) error { return add(op, Right, "k", 1000, 1000) },
			func(op Operator) error { return op.Close(1<<40, ignore) },
			func(op Operator) error { _, _, err := op.Bound(1 << 40); return err },
		} {
			if i > 1 && !enrich {
				continue // an interval join reads nothing then
			}
			for _, memory := range []int64{0, 1} {
				back := stored(t, enrich)
				op, err := openWith(enrich, back, memory)
				if err != nil {
					t.Fatal(err)
				}
				back.Fail = errTest
				if err := do(op); !errors.Is(err, errTest) {
					t.Errorf("%s: call %d, memory %d: %v", kindOf(enrich), i, memory, err)
				}
				back.Fail = nil
				if err := do(op); !errors.Is(err, errTest) {
					t.Errorf("%s: call %d, memory %d: then %v", kindOf(enrich), i, memory, err)
				}
			}
		}
		back := stored(t, enrich)
		back.Fail = errTest
		if _, err := openWith(enrich, back, 0); !errors.Is(err, errTest) {
			t.Errorf("%s: open: %v", kindOf(enrich), err)
		}
	}
}
