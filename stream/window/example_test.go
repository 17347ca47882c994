package window_test

import (
	"fmt"
	"log"
	"time"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// A task adds events with the watermark of their partition, and closes what the task's watermark has passed.
func Example() {
	long := schema.Type{Kind: schema.KindInt, Avro: "long"}
	outputs := []window.Output{{
		Name: "departures", Size: 3_600_000, Lateness: 1_800_000,
		Aggs: []window.Agg{{Name: "flights", Func: window.Count, Arg: -1}, {Name: "mean_delay", Func: window.Mean, Arg: 0, In: long}},
	}}
	engine, err := window.NewEngine(outputs, nil, window.EngineOptions{})
	if err != nil {
		log.Fatal(err)
	}
	mark, options := window.NewWatermark(), window.WatermarkOptions{OutOfOrderness: 1_800_000, MaxFuture: 86_400_000}
	for i, delay := range []int64{3, -2, 8} {
		in := window.Input{
			Time: int64(i) * 2_400_000, ID: [16]byte{byte(i)}, HasID: true,
			Keys: [][]byte{[]byte("JFK")}, Args: [][]schema.Value{{schema.IntValue(delay)}},
		}
		verdict, err := engine.Add(&in, mark.Value(options))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(verdict.Outcome)
		mark.Observe(in.Time, in.ID, options)
	}
	mark.Raise(5_400_000, options) // a decision: there is no more to come
	err = engine.Close(mark.Value(options), func(r *window.Result) error {
		fmt.Printf("%s from %d: %v flights, mean delay %v\n", r.Key, r.Start, r.Values[0], r.Values[1])
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// aggregated
	// aggregated
	// aggregated
	// JFK from 0: 2 flights, mean delay 0.5
}

// Days of New York, across the night in which its clocks go forward.
func ExampleOutput_Assign() {
	zone, err := window.LoadZone("America/New_York")
	if err != nil {
		log.Fatal(err)
	}
	const day = 86_400_000
	daily := window.Output{Size: day, Zone: zone}
	lastTwo := window.Output{Size: 2 * day, Every: day, Zone: zone}
	noon := time.Date(2013, 3, 10, 16, 0, 0, 0, time.UTC).UnixMilli()
	for _, o := range []*window.Output{&daily, &lastTwo} {
		for _, w := range o.Assign(noon, nil) {
			fmt.Println(time.UnixMilli(w.Start).UTC().Format(time.DateTime), time.Duration(w.End-w.Start)*time.Millisecond)
		}
	}
	// Output:
	// 2013-03-10 05:00:00 23h0m0s
	// 2013-03-09 05:00:00 47h0m0s
	// 2013-03-10 05:00:00 47h0m0s
}
