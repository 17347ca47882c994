package reconcile

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tidemark-io/tidemark/lake"
)

// DamagedError names the units that were set aside, because a lake file that they are computed from, or compared with, is not what was
// written, or is missing. All others were dealt with.
type DamagedError struct {
	Units []Unit
}

// Error names the first few units, and says what to do.
func (e *DamagedError) Error() string {
	const show = 3
	var names []string
	for i := range e.Units {
		if i == show {
			names = append(names, fmt.Sprintf("and %d more", len(e.Units)-show))
			break
		}
		u := &e.Units[i]
		names = append(names, u.Output+" "+u.Partition+" ("+u.Damage+")")
	}
	return "set aside, because what they need of the lake is damaged: " + strings.Join(names, ", ") +
		"; restore these objects from a copy and run this again; tidemark lake verify lists all damage"
}

// damageOf is the damage to a lake file that an error tells of; empty if it is about something else.
func damageOf(err error) string {
	var corrupt *lake.CorruptError
	if errors.As(err, &corrupt) {
		return corrupt.Error()
	}
	return ""
}

// setAside is a unit that can't be dealt with.
func (r *Reconciler) setAside(u *unitState, damage string) Unit {
	d := r.describe(u)
	d.State, d.Damage, d.Waits = UnitDamaged, damage, nil
	return d
}

// damagedUnits are those of a plan that are set aside.
func (p *Plan) damagedUnits() []Unit {
	var out []Unit
	for i := range p.Units {
		if p.Units[i].State == UnitDamaged {
			out = append(out, p.Units[i])
		}
	}
	return out
}

// Broken is the error for the units of the plan that are set aside; nil if there are none.
func (p *Plan) Broken() error { return broken(p.damagedUnits()) }

func broken(units []Unit) error {
	if len(units) == 0 {
		return nil
	}
	return &DamagedError{Units: units}
}
