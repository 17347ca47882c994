package main

import (
	"time"

	"github.com/tidemark-io/tidemark/cmd/internal/status"
	"github.com/tidemark-io/tidemark/reconcile"
)

// demoFacts is everything that the demo tells, for -o json and for the tests that check every number.
type demoFacts struct {
	Out        string `json:"out"`
	Departures int    `json:"departures"`
	Cancelled  int    `json:"cancelled"` // left out: they never left
	Copies     int    `json:"copies"`
	Records    int    `json:"records"`
	Produced   int64  `json:"produced"` // by this run; a resumed one produces what was missing

	Accounting    status.Accounting `json:"accounting"`
	WindowsClosed int64             `json:"windows_closed"`
	LakeRecords   int64             `json:"lake_records"`
	ExactlyOnce   bool              `json:"every_record_exactly_once"`

	Stream  delays `json:"stream_says"`
	Lake    delays `json:"lake_says"`
	Correct struct {
		Due     int              `json:"units_due"`
		Units   int              `json:"units_to_change"`
		Windows int64            `json:"windows_to_change"`
		Checked int64            `json:"windows_checked"`
		Causes  map[string]int64 `json:"causes"`
		PlanID  string           `json:"plan"`
		Guard   reconcile.Guard  `json:"guard"`
	} `json:"plan"`
	Heroes []hero `json:"windows"`
	// By this run; one over what is complete has nothing to do.
	Published int64 `json:"corrections_published"`
	Certified int   `json:"units_certified"`
	// In all, by this run and those before.
	Corrections int64 `json:"corrections_total"`
	Units       int   `json:"units_certified_total"`
	// CPUSeconds is of the reconciliation.
	CPUSeconds float64 `json:"cpu_seconds"`
	Audit      struct {
		Windows int64  `json:"windows"`
		Equal   int64  `json:"equal"`
		Root    string `json:"root"`
	} `json:"audit"`
	Kills  int          `json:"kills"` // by --chaos: of the run and of the reconciliation
	Killed []demoKilled `json:"killed,omitempty"`
}

// demoKilled is one kill -9.
type demoKilled struct {
	What    string `json:"what"`
	AfterMs int64  `json:"after_ms"`
}

// delays are the two numbers that late data is about.
type delays struct {
	Flights int64   `json:"flights"`
	Over60  int64   `json:"over_60"`
	Mean    float64 `json:"mean_delay"`
	Percent float64 `json:"over_60_percent"`

	minutes float64 // sum of the delays
}

func (d *delays) settle() {
	if d.Flights > 0 {
		d.Mean = d.minutes / float64(d.Flights)
		d.Percent = 100 * float64(d.Over60) / float64(d.Flights)
	}
}

// hero is a window whose story is told: as the stream published it and as the lake has it.
type hero struct {
	Key    string         `json:"key"`
	Window time.Time      `json:"window_start"`
	Before map[string]any `json:"stream"`
	After  map[string]any `json:"lake"`
	Late   []heroLate     `json:"late"`
}

type heroLate struct {
	Place    string `json:"place"`
	Flight   string `json:"flight"`
	BehindMs int64  `json:"behind_ms"`
	File     string `json:"file"`
}

// heroWindows are the two windows of the month that lateness hit hardest, in their own ways: one flight out of twenty
// that left 21 h 41 m behind schedule, and an hour in which ten of sixteen were late.
var heroWindows = []struct {
	key   string
	start string
}{{"JFK", "2013-01-09T14:00:00Z"}, {"EWR", "2013-01-26T00:00:00Z"}}
