package expr_test

import (
	"fmt"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/schema/expr"
)

func Example() {
	flight, err := schema.Parse([]byte(`{"type": "record", "name": "flight", "fields": [
		{"name": "origin", "type": "string"},
		{"name": "departure_delay", "type": ["null", "int"]},
		{"name": "scheduled_departure", "type": {"type": "long", "logicalType": "timestamp-millis"}}]}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	env := expr.Env{Fields: map[string]schema.Type{}, Lets: map[string]*expr.Program{}}
	for _, f := range flight.Paths() {
		env.Fields[f.Name] = f.Type
	}
	over60, err := expr.Compile("departure_delay > 60", env)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(over60.Type(), over60.Fields())

	decoder, err := schema.NewDecoder(flight, schema.Wire{}, schema.EventDef{Time: "scheduled_departure"}, over60.Fields())
	if err != nil {
		fmt.Println(err)
		return
	}
	eval, err := over60.NewEval(decoder.Index)
	if err != nil {
		fmt.Println(err)
		return
	}
	var event schema.Event
	for _, line := range []string{
		`{"origin": "JFK", "departure_delay": 75, "scheduled_departure": "2013-01-05T07:30:00Z"}`,
		`{"origin": "JFK", "departure_delay": null, "scheduled_departure": "2013-01-05T07:30:00Z"}`,
	} {
		payload, err := flight.AppendJSON(nil, []byte(line))
		if err == nil {
			err = decoder.Decode(payload, &event)
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(eval.Eval(event.Row))
	}
	_, err = expr.Compile("departure_dealy > 60", env)
	fmt.Println(err)

	// Output:
	// boolean [departure_delay]
	// true <nil>
	// null invalid record (expression): expression "departure_delay > 60": null where a value is needed (null here: departure_delay): write departure_delay != null ? ... : ...
	// line 1, column 1: unknown name "departure_dealy" (did you mean "departure_delay"?)
}
