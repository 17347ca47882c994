package lake_test

import (
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
)

func TestDeclareOnce(t *testing.T) {
	b := blob.NewMemory()
	if _, err := lake.LookTopic(t.Context(), b, "readings"); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("look at an undeclared topic: %v", err)
	}
	openTopic(t, b)
	before := snapshot(t, b)
	same := declaration()
	same.TopicID = "" // not known to this caller
	same.Schemas[0].JSON = strings.ReplaceAll(eventSchema, `,`, " ,\n ")
	topic, err := lake.OpenTopic(t.Context(), b, same)
	if err != nil {
		t.Fatalf("the same in other spacing: %v", err)
	}
	if got := topic.Declaration(); !reflect.DeepEqual(got, declaration()) {
		t.Errorf("declared as %+v", got)
	}
	if !reflect.DeepEqual(snapshot(t, b), before) {
		t.Error("declaring it again wrote something")
	}
	for field, change := range map[string]func(*lake.Declaration){
		"event_time": func(d *lake.Declaration) { d.EventTime = "sent_at" },
		"event_id":   func(d *lake.Declaration) { d.EventID = []string{"id", "n"} },
		"format":     func(d *lake.Declaration) { d.Format = "avro" },
		"topic_id":   func(d *lake.Declaration) { d.TopicID = "tid-2" },
		"schema 0":   func(d *lake.Declaration) { d.Schemas[0].JSON = strings.Replace(eventSchema, `"n"`, `"m"`, 1) },
	} {
		d := declaration()
		change(&d)
		_, err := lake.OpenTopic(t.Context(), b, d)
		var refused *lake.DeclarationError
		if !errors.As(err, &refused) || refused.Field != field || !strings.Contains(err.Error(), "topic readings") {
			t.Errorf("another %s: %v", field, err)
		}
	}
	if !reflect.DeepEqual(snapshot(t, b), before) {
		t.Error("a refused declaration wrote something")
	}
}

func TestDeclareMoreSchemas(t *testing.T) {
	b := blob.NewMemory()
	openTopic(t, b)
	d := declaration()
	other := strings.Replace(eventSchema, `"n"`, `"m"`, 1)
	d.Schemas = []lake.SchemaDecl{{ID: 4294967295, JSON: other}}
	if _, err := lake.OpenTopic(t.Context(), b, d); err != nil {
		t.Fatal(err)
	}
	topic, err := lake.LookTopic(t.Context(), b, "readings")
	if err != nil {
		t.Fatal(err)
	}
	if got := topic.Declaration().Schemas; len(got) != 2 || got[0].ID != 0 || got[1] != d.Schemas[0] {
		t.Errorf("schemas %+v", got)
	}
	l := openLander(t, topic, 0, lake.LanderOptions{})
	one, two := reading(0, 0, hour7, "a"), reading(0, 1, hour7, "b")
	two.landing.SchemaID = 4294967295
	appendAll(t, l, one, two)
	land(t, l)
	found, log := readAll(t, b, 0)
	wantEvents(t, found, []event{one, two})
	if files := log.Entries()[0].Files; len(files) != 2 {
		t.Errorf("two writer schemas are in %d files", len(files))
	}
	checkClean(t, b)
}

func TestDeclareInvalid(t *testing.T) {
	for hint, change := range map[string]func(*lake.Declaration){
		"no name":       func(d *lake.Declaration) { d.Topic = "" },
		"no event time": func(d *lake.Declaration) { d.EventTime = "" },
		"no format":     func(d *lake.Declaration) { d.Format = "" },
		"given twice":   func(d *lake.Declaration) { d.Schemas = append(d.Schemas, d.Schemas[0]) },
		"no Avro":       func(d *lake.Declaration) { d.Schemas[0].JSON = `"string"` },
		"nor bytes":     func(d *lake.Declaration) { d.Schemas[0].JSON = `{"type":"string"}` },
		"type is":       func(d *lake.Declaration) { d.Schemas[0].JSON = `{"type":"enum","name":"e","symbols":["a"]}` },
		"at most":       func(d *lake.Declaration) { d.Topic = strings.Repeat("é", 100) },
	} {
		b := blob.NewMemory()
		d := declaration()
		change(&d)
		if _, err := lake.OpenTopic(t.Context(), b, d); err == nil || !strings.Contains(err.Error(), hint) {
			t.Errorf("%v, want a hint at %q", err, hint)
		}
		if len(snapshot(t, b)) != 0 {
			t.Errorf("%s: something was written", hint)
		}
	}
}

// TestDeclareRace: many processes declare a topic at once, half of them
// otherwise; all that succeed agree.
func TestDeclareRace(t *testing.T) {
	b := blob.NewMemory()
	errs := make([]error, 16)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			d := declaration()
			if i%2 == 1 {
				d.EventTime = "sent_at"
			}
			_, errs[i] = lake.OpenTopic(t.Context(), b, d)
		})
	}
	wg.Wait()
	won := topicTime(t, b)
	for i, err := range errs {
		var refused *lake.DeclarationError
		if agrees := (i%2 == 1) == (won == "sent_at"); agrees && err != nil || !agrees && !errors.As(err, &refused) {
			t.Errorf("declaration %d, %s won: %v", i, won, err)
		}
	}
}

func topicTime(t *testing.T, b blob.Bucket) string {
	topic, err := lake.LookTopic(t.Context(), b, "readings")
	if err != nil {
		t.Fatal(err)
	}
	return topic.Declaration().EventTime
}

// TestTopicNames: names that would not do as keys are encoded, and two topics
// never share a place.
func TestTopicNames(t *testing.T) {
	b := blob.NewMemory()
	for _, name := range []string{"a.b_c-D", ".hidden", "a/b", "a b", "100%", "_topic", "_log"} {
		d := declaration()
		d.Topic = name
		topic, err := lake.OpenTopic(t.Context(), b, d)
		if err != nil {
			t.Errorf("topic %q: %v", name, err)
			continue
		}
		l := openLander(t, topic, 0, lake.LanderOptions{})
		appendAll(t, l, reading(0, 0, hour7, name))
		land(t, l)
		sum, err := lake.Check(t.Context(), b, name, func(f lake.Fault) { t.Errorf("topic %q: %s", name, f) })
		if err != nil || sum.Records != 1 {
			t.Errorf("topic %q: %+v, %v", name, sum, err)
		}
	}
}

func TestPartitions(t *testing.T) {
	topic := openTopic(t, blob.NewMemory())
	for _, p := range []int32{10, 2, 0, 2147483647} {
		openLander(t, topic, p, lake.LanderOptions{FirstOffset: int64(p)})
	}
	got, err := topic.Partitions(t.Context())
	if err != nil || !reflect.DeepEqual(got, []int32{0, 2, 10, 2147483647}) {
		t.Errorf("partitions %v, %v", got, err)
	}
	log := topic.Log(10)
	if err := log.Refresh(t.Context()); err != nil || !log.Begun() || log.Start() != 10 || log.End() != 10 {
		t.Errorf("log of partition 10: %d to %d, %v", log.Start(), log.End(), err)
	}
	if none := topic.Log(5); none.Refresh(t.Context()) != nil || none.Begun() {
		t.Error("the log of partition 5 has begun")
	}
	for name, o := range map[string]lake.LanderOptions{
		"no clock": {}, "first offset": {Now: newClock().Now, FirstOffset: -1}, "bytes": {Now: newClock().Now, BytesMax: -1},
	} {
		if _, err := topic.Lander(t.Context(), 0, o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("options without sense (%s): %v", name, err)
		}
	}
}
