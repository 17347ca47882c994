package nexmark

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Nexmark's proportions: of 50 events one is a person, three are auctions, 46 are bids.
const (
	cycle    = 50
	auctions = 3
)

const (
	begin     = 1_767_253_500_000 // 2026-01-01T07:45:00Z: a quarter before the hour that q14 asks for
	step      = 50                // ms between events
	disorder  = 2_000             // ms that events on time may lag, as max_out_of_orderness has it
	firstID   = 1_000
	hotSeller = 4   // of 4 auctions 3 are by the last hot seller
	hotSpan   = 100 // auctions that one stays hot for, and persons
	active    = 100 // the auctions that take bids, and the persons who act
)

type person struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Email string `json:"email"`
	City  string `json:"city"`
	State string `json:"state"`
	Time  int64  `json:"date_time"`
}

type auction struct {
	ID         int64  `json:"id"`
	Item       string `json:"item"`
	InitialBid int64  `json:"initial_bid"`
	Reserve    string `json:"reserve"` // a decimal
	Time       int64  `json:"date_time"`
	Expires    int64  `json:"expires"`
	Seller     int64  `json:"seller"`
	Category   int64  `json:"category"`
}

type bid struct {
	ID      int64  `json:"id"` // Nexmark's bids have none: the number of the event, so that copies can be told
	Auction int64  `json:"auction"`
	Bidder  int64  `json:"bidder"`
	Price   int64  `json:"price"`
	Channel string `json:"channel"`
	URL     string `json:"url"`
	Time    int64  `json:"date_time"`
}

type label struct {
	Auction int64  `json:"auction"`
	Label   string `json:"label"`
	Time    int64  `json:"date_time"`
}

// message is a record on its way.
type message struct {
	topic   string
	value   any
	arrives int64  // ms
	text    []byte // value as JSON
}

// profile is what a log is like; the same profile makes the same log.
type profile struct {
	seed       uint64
	events     int
	late       float64 // share of events that arrive 5 to 60 s later than they may
	duplicates float64 // share of events that arrive again, within 20 s
}

var (
	cities   = []string{"Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond", "Seattle", "Kent", "Cheyenne"}
	states   = []string{"AZ", "CA", "ID", "OR", "WA", "WY"}
	first    = []string{"Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"}
	last     = []string{"Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"}
	channels = []string{"google", "facebook", "baidu", "apple"}
)

func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

// log makes the records in the order in which they arrive. No two events have the same time, which alone decides between
// first and last in the SQL: of events within the disorder no two have numbers with one remainder.
func (p profile) log(t testing.TB) []message {
	t.Helper()
	r := rand.New(rand.NewPCG(p.seed, 49))
	var out []message
	for n := range p.events {
		at := int64(begin + n*step)
		m := generate(r, int64(n), at+step*r.Int64N(disorder/step)+int64(n%step))
		m.arrives = at + disorder
		if r.Float64() < p.late {
			m.arrives += 5_000 + r.Int64N(55_000)
		}
		out = append(out, m)
		if r.Float64() < p.duplicates {
			m.arrives += r.Int64N(20_000)
			out = append(out, m)
		}
	}
	for id := range int64(p.events/cycle*auctions + 1) {
		if id%7 != 0 { // some have none
			at := begin + r.Int64N(id*step*cycle/auctions+1) // now and then only after the first bids
			out = append(out, message{topic: "labels", value: label{firstID + id, fmt.Sprintf("label-%d", id%13), at}, arrives: at})
		}
	}
	slices.SortStableFunc(out, func(a, b message) int { return cmp.Compare(a.arrives, b.arrives) })
	for i := range out {
		text, err := json.Marshal(out[i].value)
		must(t, err)
		out[i].text = text
	}
	return out
}

func generate(r *rand.Rand, n, t int64) message {
	epoch, rest := n/cycle, n%cycle
	switch {
	case rest == 0:
		name := pick(r, first) + " " + pick(r, last)
		return message{topic: "persons", value: person{firstID + epoch, name, fmt.Sprintf("%d@example.com", r.IntN(1e6)), pick(r, cities), pick(r, states), t}}
	case rest <= auctions:
		reserve := r.IntN(1e7)
		id := firstID + epoch*auctions + rest - 1
		return message{topic: "auctions", value: auction{
			ID: id, Item: fmt.Sprintf("item-%d", id), InitialBid: price(r), Reserve: fmt.Sprintf("%d.%02d", reserve/100, reserve%100),
			Time: t, Expires: t + 1_000 + r.Int64N(119_000), Seller: someone(r, epoch, hotSeller), Category: 10 + r.Int64N(5)}}
	}
	return message{topic: "bids", value: someBid(r, n, epoch, t)}
}

func someBid(r *rand.Rand, n, epoch, t int64) bid {
	newest := epoch*auctions + auctions - 1
	b := bid{ID: n, Bidder: someone(r, epoch, 4), Price: price(r), Time: t}
	if r.IntN(2) == 0 { // every other one is for the hot auction
		b.Auction = firstID + newest/hotSpan*hotSpan
	} else {
		b.Auction = firstID + max(0, newest-active) + r.Int64N(min(newest, active)+1)
	}
	if i := r.IntN(len(channels) + 2); i < len(channels) {
		b.Channel, b.URL = channels[i], fmt.Sprintf("https://www.nexmark.example/%s/c%d/item.htm?query=1", channels[i], r.IntN(1000))
	} else {
		c := r.IntN(1000)
		b.Channel, b.URL = fmt.Sprintf("channel-%d", c%50), fmt.Sprintf("https://www.nexmark.example/ccc%d/item.htm?query=1", c)
		if c%10 != 0 {
			b.URL += fmt.Sprintf("&channel_id=%d", c)
		}
	}
	return b
}

// someone is a person: of so many events all but one name the hot person.
func someone(r *rand.Rand, newest int64, hot int) int64 {
	if r.IntN(hot) > 0 {
		return firstID + newest/hotSpan*hotSpan
	}
	return firstID + max(0, newest-active) + r.Int64N(min(newest, active)+1)
}

// price is spread evenly over the magnitudes from 100 to 10^8.
func price(r *rand.Rand) int64 { return int64(math.Pow(10, r.Float64()*6) * 100) }
