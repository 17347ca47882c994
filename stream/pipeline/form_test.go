package pipeline

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

// madeInGo is a sound pipeline without a file.
func madeInGo() *Pipeline {
	p := &Pipeline{
		Name: "flights", Dir: "testdata/good", Kafka: Kafka{Brokers: []string{"localhost:9092"}},
		Source: Source{Topic: "flights", Format: FormatAvroRaw, Schema: SchemaRef{File: "../flights.avsc"}, EventTime: "scheduled_departure", Key: []string{"origin"}},
		Outputs: []Output{{Name: "departures-hourly", GroupBy: []string{"origin"}, Window: Window{Tumbling: time.Hour},
			Aggregate: []Aggregate{{Name: "flights", Call: "count()"}}}},
	}
	p.EnsureDefaults()
	return p
}

// TestPipelinesMadeInGo: what a file can't say, and a program can, is checked all the same (invariants 1 and 2).
func TestPipelinesMadeInGo(t *testing.T) {
	for want, change := range map[string]func(p *Pipeline, o *Output){
		"outputs[0].emit.on_update: a duration goes with on_update only":                                    func(_ *Pipeline, o *Output) { o.UpdateEvery = time.Second },
		"outputs[0].emit.on_update: 0 is out of range":                                                      func(_ *Pipeline, o *Output) { o.Emit = EmitOnUpdate },
		"outputs[0].late.off: is required":                                                                  func(_ *Pipeline, o *Output) { o.Late = LateOff },
		"outputs[0].late: a reason goes with off only":                                                      func(_ *Pipeline, o *Output) { o.LateOffReason = "why" },
		"outputs[0].group_by: \"x\" has an expression and is not grouped by":                                func(_ *Pipeline, o *Output) { o.GroupExprs = map[string]string{"x": "1"} },
		"outputs[0].group_by: is required":                                                                  func(_ *Pipeline, o *Output) { o.GroupBy = nil },
		"outputs[0].window: has several kinds of windows":                                                   func(_ *Pipeline, o *Output) { o.Window.Session = &Session{Gap: 1, Within: 2} },
		"outputs[0].window: is required":                                                                    func(_ *Pipeline, o *Output) { o.Window.Tumbling = 0 },
		"outputs[0].window.timezone: \"Local\" is no fixed time zone":                                       func(_ *Pipeline, o *Output) { o.Window.Timezone = "Local" },
		"outputs[0].window.tumbling: 1h1ns is no whole number of milliseconds":                              func(_ *Pipeline, o *Output) { o.Window.Tumbling++ },
		"outputs[0].allowed_lateness: 1ns is no whole number of milliseconds (milliseconds are the finest)": func(_ *Pipeline, o *Output) { o.AllowedLateness = 1 },
		"source: both source and sources are given":                                                         func(p *Pipeline, _ *Output) { p.Sources = make([]NamedSource, 2) },
		"rules[0]: has no condition":                                                                        func(p *Pipeline, _ *Output) { p.Rules = []Rule{{Name: "a"}} },
		"enrich: both join and enrich are given":                                                            func(p *Pipeline, _ *Output) { p.Join, p.Enrich = &Join{}, &Enrichment{} },
		"join.interval: is required":                                                                        func(p *Pipeline, _ *Output) { p.Join = &Join{} },
	} {
		p := madeInGo()
		change(p, &p.Outputs[0])
		err := p.Validate()
		var faults Faults
		if !errors.As(err, &faults) || !strings.Contains(err.Error()+"\n", want) {
			t.Errorf("want %s, got\n%v", want, err)
		}
	}
	if err := madeInGo().Validate(); err != nil {
		t.Error(err)
	}
}

// TestTextsThatMeanTheSame: a byte order mark, line ends of Windows and the zone UTC by its name change nothing.
func TestTextsThatMeanTheSame(t *testing.T) {
	const file = "testdata/good/windows.yaml"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	plain := string(text)
	want := printed(t, file, text)
	for name, other := range map[string]string{
		"byte order mark": byteOrderMark + plain,
		"CRLF":            strings.ReplaceAll(plain, "\n", "\r\n"),
		"UTC":             strings.Replace(plain, "{hopping: ", "{timezone: UTC, hopping: ", 1),
	} {
		if got := printed(t, file, []byte(other)); got != want {
			t.Errorf("%s: reads as\n%s\nand without as\n%s", name, got, want)
		}
	}
}

// TestDefaultsOfJoins: outputs wait as long as the join, unless they say how long.
func TestDefaultsOfJoins(t *testing.T) {
	for file, want := range map[string]time.Duration{"join": time.Minute, "enrich": time.Minute, "orders": 0} {
		name := "testdata/good/" + file + ".yaml"
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		p, faults := decodeOnly(t, name, text, nil)
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		if got := p.Outputs[0].AllowedLateness; got != want {
			t.Errorf("%s: allowed lateness %v, want %v", file, got, want)
		}
	}
}

// TestGroupOfAll: an empty list is one group, and not the same as none.
func TestGroupOfAll(t *testing.T) {
	p := madeInGo()
	p.Outputs[0].GroupBy = []string{}
	fs := newFaultSet("", nil)
	p.checkOutput(fs, 0)
	if len(fs.list) > 0 {
		t.Error(fs.list)
	}
}

// TestHoppingLimits: the limit of windows per event is at exactly 1,000, also where every does not divide size.
func TestHoppingLimits(t *testing.T) {
	for _, c := range []struct {
		size, every time.Duration
		want        string
	}{
		{1000 * time.Second, time.Second, ""},
		{1001 * time.Second, time.Second, "1001 windows"},
		{1000*time.Second + time.Millisecond, time.Second, "1001 windows"},
		{day, 87 * time.Second, ""},
		{time.Second, time.Second, ""},
		{time.Second, time.Second + time.Millisecond, "longer than size"},
	} {
		p := madeInGo()
		p.Outputs[0].Window = Window{Hopping: &Hopping{Size: c.size, Every: c.every}}
		fs := newFaultSet("", nil)
		p.checkOutput(fs, 0)
		if got := fs.list.Error(); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%v every %v: %s, want %s", c.size, c.every, got, c.want)
		}
	}
}

// TestMarksPerEvent: all outputs together have 64 bits to tell copies.
func TestMarksPerEvent(t *testing.T) {
	p := madeInGo()
	hopping := p.Outputs[0]
	hopping.Window = Window{Hopping: &Hopping{Size: 1000 * time.Second, Every: time.Second}} // 10 bits
	p.Outputs = []Output{hopping, hopping, hopping, hopping, hopping, hopping}
	for range 5 {
		fs := newFaultSet("", nil)
		p.checkWindowsPerEvent(fs)
		if n := 60 + len(p.Outputs) - 6; (len(fs.list) > 0) != (n > 64) {
			t.Errorf("%d bits: %v", n, fs.list)
		}
		p.Outputs = append(p.Outputs, madeInGo().Outputs[0]) // 1 bit
	}
	fs := newFaultSet("", nil)
	p.checkWindowsPerEvent(fs)
	if len(fs.list) != 1 || !strings.Contains(fs.list[0].Msg, "65 bits") {
		t.Error(fs.list)
	}
}
