// Package streamtest is the test kit of both lanes: seeded logs with everything that goes wrong in real ones, and the
// oracle, an independent computation of what the results must be.
//
// The oracle shares no code with the engine: it decodes with goavro, keeps events in maps, and adds in exact
// rational arithmetic. Stream and corrections together must equal it, value for value.
package streamtest
