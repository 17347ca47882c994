package reconcile

// clue is what is known of one event that may have changed a window: the journal names it, or it is a copy.
type clue struct {
	journalled
	at        place
	fresh     bool // the last certificate had not seen it
	duplicate bool
}

// anyGroup stands for all groups: of what a join makes, the events that it could be made of are known by their times only.
const anyGroup = ""

// evidences are the clues of a unit, by group and event time, until its windows are known.
type evidences map[string][]timedClue

type timedClue struct {
	time int64
	clue
}

func (e evidences) note(group string, t int64, c *clue) {
	if c != nil {
		e[group] = append(e[group], timedClue{time: t, clue: *c})
	}
}

// of is the evidence for a window of a group that depends on events of times [from, to).
func (e evidences) of(group string, from, to int64) (out evidence) {
	for i := range e[group] {
		c := &e[group][i]
		switch {
		case c.time < from || c.time >= to:
		case c.duplicate:
			out.duplicate(c.at)
		default:
			out.late(c.at, c.journalled, c.fresh)
		}
	}
	return out
}
