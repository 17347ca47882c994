package page

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/tidemark-io/tidemark/cmd/internal/status"
)

//go:embed page.html
var source string

// View is one pipeline on the page: its document, or why there is none.
type View struct {
	Name     string // of the pipeline, or of its file when it can't be read
	Document *status.Document
	Problem  string
}

// Options say what the page shows.
type Options struct {
	// Views gives the pipelines when the page is asked for. It must return within the context's time.
	Views func(context.Context) []View
	// Title stands on top, as in "flights" or "dev".
	Title string
	// Notes are lines below the title, as the broker's address.
	Notes []string
	// Empty is said when there is no pipeline. Default: how to run one.
	Empty string
	// Endpoints are named at the foot: what else is served here.
	Endpoints []string
	// Version of the program.
	Version string
	// RefreshSeconds is how often a browser asks again. Default 5.
	RefreshSeconds int
	Now            func() time.Time
}

// budget bounds how long one page may take to gather.
const budget = 20 * time.Second

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"count":    count,
	"at":       at,
	"ago":      ago,
	"state":    stateClass,
	"width":    width,
	"bucket":   bucketName,
	"majority": majority,
	"tasks":    tasksText,
	"measured": measured,
}).Parse(source))

// Handler serves the page at / and nothing else.
func Handler(o Options) http.Handler {
	if o.RefreshSeconds == 0 {
		o.RefreshSeconds = 5
	}
	if o.Empty == "" {
		o.Empty = "No pipeline yet: tidemark run -f FILE runs one."
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), budget)
		defer cancel()
		var text bytes.Buffer
		data := struct {
			Options
			Pipelines []View
			At        time.Time
		}{o, o.Views(ctx), o.Now().UTC()}
		if err := page.Execute(&text, data); err != nil {
			http.Error(w, "the page could not be made: "+err.Error(), http.StatusInternalServerError)
			return
		}
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		if _, err := w.Write(text.Bytes()); err != nil {
			return // the browser has gone away
		}
	})
}

// count is a number with thousands set apart by a comma, which reads well in a column; one that isn't known is a question mark.
func count(n any) string {
	if p, ok := n.(*int64); ok {
		if p == nil {
			return "?"
		}
		n = *p
	}
	digits := fmt.Sprint(n)
	sign := ""
	if digits[0] == '-' {
		sign, digits = "-", digits[1:]
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return sign + digits
}

func at(t *time.Time) string {
	if t == nil {
		return "–"
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// ago is how long before now a thing was.
func ago(now time.Time, t time.Time) string {
	switch d := now.Sub(t); {
	case d < time.Second:
		return "now"
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s ago", d/time.Second)
	case d < 2*time.Hour:
		return fmt.Sprintf("%d m ago", d/time.Minute)
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", d/time.Hour)
	default:
		return fmt.Sprintf("%d d ago", d/(24*time.Hour))
	}
}

// stateClass is the CSS class of a task's state.
func stateClass(state string) string {
	switch state {
	case "RUNNING", "IDLE":
		return "good"
	case "STOPPED":
		return "bad"
	}
	return "dull"
}

// majority is the state of the pipeline as a whole.
func majority(d *status.Document) string {
	running := d.Running()
	for _, t := range d.Tasks {
		if t.State == "STOPPED" {
			return "STOPPED"
		}
	}
	switch {
	case running == 0 && slices.ContainsFunc(d.Tasks, func(t status.Task) bool { return t.Restore != nil }):
		return "RESTORE"
	case running == 0:
		return status.Down
	case d.Process == "" && running < len(d.Tasks):
		return "PARTLY"
	}
	return "RUNNING"
}

// tasksText is how many tasks do their work: of the pipeline's, or of those that the process which tells knows of.
func tasksText(d *status.Document) string {
	switch {
	case d.Process == "":
		return fmt.Sprintf("%d of %d", d.Running(), len(d.Tasks))
	case d.TasksTotal == 0:
		return fmt.Sprintf("%d tasks here", d.Running())
	}
	return fmt.Sprintf("%d of %d tasks here", d.Running(), d.TasksTotal)
}

// measured says whether any event was measured: a process that has read nothing shows no empty chart.
func measured(buckets []status.Bucket) bool {
	return slices.ContainsFunc(buckets, func(b status.Bucket) bool { return b.Events > 0 })
}

// width is a bar's width in percent of the fullest bucket's.
func width(buckets []status.Bucket, n int64) string {
	most := int64(1)
	for _, b := range buckets {
		most = max(most, b.Events)
	}
	return strconv.FormatFloat(100*float64(n)/float64(most), 'f', 1, 64)
}

// bucketName is the range that a bucket covers, by its bound and the one before it.
func bucketName(buckets []status.Bucket, i int) string {
	switch upTo := buckets[i].UpToSeconds; {
	case upTo == nil && i > 0 && buckets[i-1].UpToSeconds != nil:
		return "beyond " + span(*buckets[i-1].UpToSeconds)
	case upTo == nil:
		return "beyond"
	case *upTo == 0:
		return "in order"
	default:
		return "up to " + span(*upTo)
	}
}

func span(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d >= 24*time.Hour && d%(24*time.Hour) == 0:
		return fmt.Sprintf("%d d", d/(24*time.Hour))
	case d >= time.Hour && d%time.Hour == 0:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d >= time.Minute && d%time.Minute == 0:
		return fmt.Sprintf("%d m", d/time.Minute)
	}
	return d.String()
}
