// Package schema owns what an event is: its Avro schema, its fields, its time
// and its identity.
package schema
