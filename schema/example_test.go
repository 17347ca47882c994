package schema_test

import (
	"errors"
	"fmt"

	"github.com/tidemark-io/tidemark/schema"
)

func exampleSchema() *schema.Schema {
	s, err := schema.Parse([]byte(`{"type": "record", "name": "flight", "namespace": "air", "fields": [
		{"name": "origin", "type": "string"},
		{"name": "delay", "type": ["null", "int"], "default": null},
		{"name": "departure", "type": {"type": "long", "logicalType": "timestamp-millis"}},
		{"name": "plane", "type": {"type": "record", "name": "plane", "fields": [{"name": "seats", "type": "int"}]}}]}`))
	if err != nil {
		panic(err)
	}
	return s
}

func ExampleSchema_AppendJSON() {
	s := exampleSchema()
	payload, err := s.AppendJSON(nil, []byte(`{"origin": "JFK", "departure": "2013-01-05T07:30:00-05:00", "plane": {"seats": 150}}`))
	fmt.Printf("%x %v\n", payload, err)
	text, err := s.ToJSON(payload)
	fmt.Println(string(text), err)
	_, err = s.AppendJSON(nil, []byte(`{"origin": "JFK", "delay": 1.5, "departure": 0, "plane": {"seats": 150}}`))
	fmt.Println(err)
	// Output:
	// 064a464b0080b583ab814fac02 <nil>
	// {"origin":"JFK","delay":null,"departure":"2013-01-05T12:30:00Z","plane":{"seats":150}} <nil>
	// encode air.flight: field "delay": expected a whole number (int), got the number 1.5
}

func ExampleSchema_Project() {
	s := exampleSchema()
	p, err := s.Project([]string{"plane.seats", "origin"})
	if err != nil {
		fmt.Println(err)
		return
	}
	row := make([]schema.Value, 2)
	fmt.Println(p.Decode([]byte("\x06JFK\x00\x80\xb5\x83\xab\x81\x4f\xac\x02"), row), row)
	fmt.Println(p.Decode([]byte("\x06JFK\x00\x80\xb5\x83\xab\x81\x4f"), row))
	_, err = s.Project([]string{"plane"})
	fmt.Println(err)
	_, err = s.Project([]string{"orgin"})
	fmt.Println(err)
	// Output:
	// <nil> [150 JFK]
	// invalid record (truncated): field "plane.seats", byte 11 of 11: needs 1 bytes, 0 are left
	// field "plane" is a record: name a field in it, as plane.x
	// record air.flight has no field "orgin", did you mean "origin"?
}

func ExampleDecoder() {
	d, err := schema.NewDecoder(exampleSchema(),
		schema.Wire{Confluent: true, IDs: []uint32{7}},
		schema.EventDef{ID: []string{"origin"}, Time: "departure"},
		[]string{"delay"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.Fields())

	var event schema.Event // reused from record to record
	value := []byte("\x00\x00\x00\x00\x07\x06JFK\x02\x96\x01\x80\xb5\x83\xab\x81\x4f\xac\x02")
	err = d.Decode(value, &event)
	fmt.Println(err, event.Row, event.Time)
	fmt.Printf("%x\n", d.Identity(&event))

	var bad *schema.RecordError
	if err := d.Decode(nil, &event); errors.As(err, &bad) {
		fmt.Println(bad.Reason)
	}
	var unknown *schema.UnknownSchemaError
	if err := d.Decode([]byte("\x00\x00\x00\x00\x08"), &event); errors.As(err, &unknown) {
		fmt.Println(err)
	}
	// Output:
	// [delay departure origin]
	// <nil> [75 1357389000000 JFK] 1357389000000
	// 024473da3f0e30dc9912c91a800c678e
	// null_value
	// record written with unknown schema id 8 (declared: 7): if it is the same schema, add the id to source.schema.ids
}

func ExampleSuggest() {
	fmt.Println(schema.Suggest("allowed_latenes", []string{"aggregate", "allowed_lateness", "window"}))
	// Output: allowed_lateness
}

func ExampleNewReader() {
	r, err := schema.NewReader(schema.Source{
		Format: schema.FormatJSON,
		Schema: []byte(`{"type": "object", "required": ["id", "at"], "properties": {
			"id": {"type": "integer"},
			"at": {"type": "string", "format": "date-time"},
			"items": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}}}}`),
		Event:  schema.EventDef{ID: []string{"id"}, Time: "at"},
		Unnest: "items",
	}, []string{"items.sku"})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Fields())

	var event schema.Event // reused from record to record
	err = r.Decode([]byte(`{"id": 9007199254740993, "at": "2013-01-05T07:30:00Z", "items": [{"sku": "A"}, {"sku": "B"}]}`), &event)
	for i := range event.Elements {
		event.Load(i)
		fmt.Println(err, event.Row)
	}

	err = r.Decode([]byte(`{"id": 0.5, "at": "2013-01-05T07:30:00Z"}`), &event)
	fmt.Println(err, schema.Landable(err)) // bad, and the lake knows where it belongs
	err = r.Decode([]byte(`{"id": 1, "id": 2, "at": "2013-01-05T07:30:00Z"}`), &event)
	fmt.Println(err, schema.Landable(err))
	// Output:
	// [at id items.sku]
	// <nil> [1357371000000000 9007199254740993 A]
	// <nil> [1357371000000000 9007199254740993 B]
	// invalid record (bad_number): field "id", before byte 10: the number 0.5 is no long true
	// invalid record (duplicate_key): before byte 15: key "id" is given twice in one object false
}
