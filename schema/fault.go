package schema

import (
	"fmt"
	"slices"
	"strings"
)

// fault is why a walk stopped. It is filled on the way out only.
type fault struct {
	reason string
	pos    int   // where in the payload
	detail int64 // what was read or needed, by reason
	trail  []place
}

// place is an op of a program; the trail of a fault goes from inside out.
type place struct {
	prog int32
	op   int
}

// fail notes the fault and gives the -1 that run and its parts return.
func (w *walk) fail(reason string, pos int, detail int64) int {
	w.fault = fault{reason: reason, pos: pos, detail: detail}
	return -1
}

// failAt notes where the failing op is. Beyond what anyone reads it forgets.
func (w *walk) failAt(prog int32, op int) int {
	if len(w.fault.trail) < MaxDepth+1 {
		w.fault.trail = append(w.fault.trail, place{prog, op})
	}
	return -1
}

// recordError describes the fault with the path of the field that it is in.
func (f *fault) recordError(p *Projection, length int) *RecordError {
	var parts []string
	for _, at := range slices.Backward(f.trail) {
		prog := &p.programs[at.prog]
		if name := prog.names[at.op]; name != "" {
			parts = append(parts, name)
		}
		if code := prog.ops[at.op].code; code == opArray || code == opMap || code == opElements {
			parts = append(parts, "*")
		}
	}
	const shown = 12
	if len(parts) > shown {
		parts = append(parts[:shown:shown], "...")
	}
	return &RecordError{Reason: f.reason, Err: fmt.Errorf("field %q, byte %d of %d: %s", strings.Join(parts, "."), f.pos, length, f.what(length))}
}

func (f *fault) what(length int) string {
	left := length - f.pos
	switch f.reason {
	case ReasonTruncated:
		return fmt.Sprintf("needs %d bytes, %d are left", f.detail, left)
	case ReasonBadVarint:
		return "a number of more than 64 bits"
	case ReasonIntRange:
		return fmt.Sprintf("%d, in as many bytes, is no 32-bit int", f.detail)
	case ReasonBadLength:
		return fmt.Sprintf("length %d", f.detail)
	case ReasonBadBool:
		return fmt.Sprintf("a boolean is 0 or 1, not %d", f.detail)
	case ReasonBadEnum:
		return fmt.Sprintf("the enum has no symbol %d", f.detail)
	case ReasonBadUnion:
		return fmt.Sprintf("the union has no branch %d", f.detail)
	case ReasonBadUTF8:
		return fmt.Sprintf("a string of %d bytes that is no UTF-8", f.detail)
	case ReasonBadBlock:
		return fmt.Sprintf("a block ends elsewhere than it says (%d)", f.detail)
	case ReasonTooManyItems:
		return fmt.Sprintf("more than %d items", f.detail)
	case ReasonTooDeep:
		return fmt.Sprintf("nested deeper than %d levels", f.detail)
	}
	return f.reason
}
