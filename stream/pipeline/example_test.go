package pipeline_test

import (
	"fmt"
	"os"

	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// A pipeline file becomes a plan; an Eval of the plan turns records into what the windows take.
func Example() {
	p, err := pipeline.Load("testdata/good/minimal.yaml", os.LookupEnv)
	if err != nil {
		fmt.Println(err) // all faults, one a line
		return
	}
	plan, err := p.Compile()
	if err != nil {
		fmt.Println(err)
		return
	}
	record, err := plan.Sources[0].Schema.AppendJSON(nil, []byte(`{"carrier":"HA","flight":51,"tail_number":null,"origin":"JFK","terminal":4,
		"scheduled_departure":"2013-01-09T14:00:00Z","left_gate":null,"departure_delay":1301,"distance_km":8020,"status":"DEPARTED",
		"international":false,"fare":"512.00","tags":[],"weather":{"wind":4.5,"station":"KJFK"},"_source":"","sent_at":0}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	eval := plan.NewEval()
	if err := eval.Decode(0, record); err != nil {
		fmt.Println(err)
		return
	}
	if fate, err := eval.Element(0); err != nil || fate.Outcome != pipeline.Keep {
		fmt.Println(fate, err)
		return
	}
	fmt.Println(p.Name, plan.Fingerprint, plan.Sources[0].FieldsRead)
	fmt.Println("group", plan.Codecs[0].FormatKey(eval.Input.Keys[0]), "partition", eval.PartitionOf(4), "of 4")
	// Output:
	// flights f84b135aa744 [origin]
	// group JFK partition 1 of 4
}
