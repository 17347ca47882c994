package reconcile

import (
	"slices"

	"github.com/tidemark-io/tidemark/stream/pipeline"
	"github.com/tidemark-io/tidemark/stream/window"
)

// history is what a unit of an enrichment depends on from before its hour: the versions of its table since ever. A digest over
// the hours names them, so that neither a look at many units nor their certificates list the same files again and again.
type history struct {
	digest   string // empty: there is none
	files    int
	bytes    int64
	landedAt int64 // ms, wall clock: of the newest
}

// past are the histories of a topic: upTo[i] is that of hours[:i].
type past struct {
	hours []int64
	upTo  []history
}

// history is that of all hours before one.
func (x *topicIndex) history(hour int64) history {
	if x.past == nil {
		p := &past{upTo: []history{{}}}
		for h := range x.hours {
			p.hours = append(p.hours, h)
		}
		slices.Sort(p.hours)
		for i, h := range p.hours {
			p.upTo = append(p.upTo, p.upTo[i].then(h, x.hours[h]))
		}
		x.past = p
	}
	n, _ := slices.BinarySearch(x.past.hours, hour)
	return x.past.upTo[n]
}

// then is the history with one more hour.
func (h history) then(hour int64, files []landedFile) history {
	named := make([]unitFile, len(files))
	for i := range files {
		named[i].File = files[i].File
		h.files, h.bytes, h.landedAt = h.files+1, h.bytes+files[i].Bytes, max(h.landedAt, files[i].landedAt)
	}
	x := newHasher("tidemark history v1")
	x.text(h.digest)
	x.int(hour)
	x.text(inputDigest(named))
	h.digest = sha(x.sum())
	return h
}

// table is the number of the source whose versions enrich events; -1 if there is none.
func (r *Reconciler) table() int {
	if r.plan.Shape != pipeline.Enrich {
		return -1
	}
	return r.plan.Join.Right
}

// historyOf is the history of a unit.
func (r *Reconciler) historyOf(v *view, s span) history {
	if t := r.table(); t >= 0 && !s.empty {
		return v.sources[t].history(s.hour)
	}
	return history{}
}

// past are the files of a unit's history, as far as the lake was landed up to the offsets; nil: all.
func (r *Reconciler) past(v *view, s span, cut []int64) (files []unitFile) {
	t := r.table()
	if t < 0 || s.empty {
		return nil
	}
	for _, f := range v.sources[t].files(window.TimeMin, s.hour) {
		if cut == nil || int(f.Partition) < len(cut) && f.First < cut[f.Partition] {
			files = append(files, unitFile{File: f.File, source: t})
		}
	}
	return files
}

// historyAt is the history of a unit as it was when the lake was landed up to the offsets.
func (r *Reconciler) historyAt(v *view, s span, cut []int64) (h history) {
	byHour := make(map[int64][]landedFile)
	var hours []int64
	for _, f := range r.past(v, s, cut) {
		at := floorHour(f.MinTime)
		if byHour[at] == nil {
			hours = append(hours, at)
		}
		byHour[at] = append(byHour[at], landedFile{File: f.File})
	}
	slices.Sort(hours)
	for _, at := range hours {
		h = h.then(at, byHour[at])
	}
	return h
}

// inputOf names what a unit depends on: its files and its history.
func inputOf(files []unitFile, h history) string {
	if h.files == 0 {
		return inputDigest(files)
	}
	x := newHasher("tidemark input v2")
	x.text(inputDigest(files))
	x.text(h.digest)
	return sha(x.sum())
}
