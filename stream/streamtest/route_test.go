package streamtest_test

import "strings"

// route is how the program comes to a point.
type route struct {
	args     []string
	most     int           // a later hit of the point is one from the second to this; none if it is 0
	before   func(*victim) // what must be the case
	stop     string        // it is told to stop once it has passed this point
	stopHits int           // so often
	quiet    bool          // nothing is produced meanwhile
	fresh    bool          // only in a new world
	only     string        // the kind of victim; all if empty
}

var (
	run     = []string{"run"}
	toEnd   = []string{"run", "--until", "end"}
	correct = []string{"reconcile", "run"}
)

// areas are the routes to the points of an area, where single ones have none of their own.
var areas = map[string]route{
	"loop":       {args: run, most: 20},
	"session":    {args: run},
	"commit":     {args: run, most: 15},
	"land":       {args: run, most: 10},
	"checkpoint": {args: run, most: 5},
	"restore":    {args: run, most: 3, before: (*victim).lose},
	"replay":     {args: run, before: (*victim).lag},
	"end":        {args: toEnd, quiet: true},
	"stop":       {args: run, stop: "commit/done", stopHits: 2},
	"plan":       {args: correct, quiet: true, before: (*victim).makeDue},
	"reconcile":  {args: correct, quiet: true, before: (*victim).makeDue},
}

// points are the routes of single ones. A name with "reconcile " before it is a point that the reconciler passes, too.
var points = map[string]route{
	"recover/unborn":                   {args: run, fresh: true, most: 3},
	"recover/restored":                 {args: run, before: (*victim).lose, most: 3},
	"recover/set-aside":                {args: run, before: (*victim).goBack},
	"replay/lake-entry":                {args: run, before: (*victim).passRetention, only: "orders"},
	"replay/switched":                  {args: run, before: (*victim).passRetention, only: "orders"},
	"land/begun":                       {args: run, fresh: true, most: 4},
	"repartition/purged":               {args: run, only: "rekeyed", most: 2},
	"idle/decided":                     {args: run, only: "enriched", quiet: true, most: 2},
	"reconcile/recomputed":             {args: correct, quiet: true, before: (*victim).makeDue, most: 4},
	"reconcile/fenced":                 {args: correct, quiet: true, before: (*victim).makeDue, most: 2},
	"reconcile/certified":              {args: correct, quiet: true, before: (*victim).makeDue, most: 3},
	"reconcile land/sealed":            {args: correct, quiet: true, before: (*victim).makeDue},
	"reconcile land/file-put":          {args: correct, quiet: true, before: (*victim).makeDue},
	"reconcile land/entry-put":         {args: correct, quiet: true, before: (*victim).makeDue},
	"reconcile commit/produce-sent":    {args: correct, quiet: true, before: (*victim).makeDue},
	"reconcile commit/end-sent":        {args: correct, quiet: true, before: (*victim).makeDue},
	"reconcile commit/end-answered":    {args: correct, quiet: true, before: (*victim).makeDue},
	"reconcile session/fence-answered": {args: correct, quiet: true, before: (*victim).makeDue},
}

// routeOf is the route to a point.
func routeOf(name string) (route, bool) {
	if r, ok := points[name]; ok {
		return r, true
	}
	area, _, _ := strings.Cut(name, "/")
	r, ok := areas[area]
	return r, ok
}

// pointOf is the point of a route's name.
func pointOf(name string) string { return strings.TrimPrefix(name, "reconcile ") }

// again are points that are passed on the way back from a crash.
var again = []string{
	"session/fence-answered", "session/join-answered", "replay/begun", "replay/done", "restore/file", "restore/fetched", "restore/renamed",
	"recover/restored", "loop/polled", "loop/applied", "commit/flushed", "commit/end-sent", "commit/end-answered", "commit/confirmed",
	"commit/state-applied", "checkpoint/upload", "checkpoint/manifest", "land/entry-put",
}
