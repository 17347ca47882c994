package reconcile

import (
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/stream/curated"
)

// randomOrders are the orders of a morning: most in order, some late, some sent twice, some with an id that another one has.
// Amounts are quarters, so that the naive sums below are exact.
func randomOrders(rng *rand.Rand, n int) []order {
	base := msOf("06:00")
	var out []order
	for i := 0; i < n; i++ {
		at := base + int64(i)*5*60_000 - rng.Int63n(8*60_000)
		if rng.Intn(6) == 0 {
			at -= rng.Int63n(4 * hourMs)
		}
		o := order{id: fmt.Sprint("id-", i), shop: string("abcd"[rng.Intn(4)]), at: timeText(at), qty: rng.Int63n(12) - 2}
		if rng.Intn(5) > 0 {
			o.amount = fmt.Sprint(float64(rng.Intn(400)-100) / 4)
		}
		if rng.Intn(10) == 0 {
			o.id = "id-0"
		}
		out = append(out, o)
		if rng.Intn(7) == 0 {
			out = append(out, o)
		}
	}
	return out
}

// naive computes what the output must be, sharing no code with the engine: distinct orders by shop and hour.
func naive(orders []order) (rows []string) {
	type group struct {
		n, big, qty, amounts int64
		sum, most            float64
	}
	seen := map[order]bool{}
	groups := map[string]*group{}
	for _, o := range orders {
		if seen[o] {
			continue
		}
		seen[o] = true
		key := o.shop + " " + timeOf(floorHour(msOf(o.at))).Format("02T15:04")
		g := groups[key]
		if g == nil {
			g = &group{}
			groups[key] = g
		}
		g.n++
		g.qty += o.qty
		if o.qty > 5 {
			g.big++
		}
		var amount float64
		if o.amount != "" {
			if _, err := fmt.Sscan(o.amount, &amount); err != nil {
				panic(err)
			}
			if g.amounts == 0 || amount > g.most {
				g.most = amount
			}
			g.amounts++
			g.sum += amount
		}
	}
	for key, g := range groups {
		mean, most := "null", "null"
		if g.amounts > 0 {
			mean, most = floatNumber(g.sum/float64(g.amounts)).String(), floatNumber(g.most).String()
		}
		rows = append(rows, fmt.Sprintf("%s [%d %d %d %s %s]", key, g.n, g.big, g.qty, mean, most))
	}
	slices.Sort(rows)
	return rows
}

// inForce is what a consumer has that keeps the highest revision of each window and drops retracted ones.
func (g *rig) inForce() (rows []string) {
	g.t.Helper()
	r := g.reconciler()
	g.must(r.connected("test", func() error {
		v, err := r.look(g.ctx)
		if err != nil {
			return err
		}
		if err := r.readTails(g.ctx, v, -1); err != nil {
			return err
		}
		v.outputs[0].units(func(h int64) {
			folded, err := v.outputs[0].fold(g.ctx, g.bucket, spanOf(&g.plan.Outputs[0], h))
			g.must(err)
			for i := range folded {
				row := &folded[i].row
				if row.Status == curated.Retracted {
					continue
				}
				text := rowText(row)
				rows = append(rows, fmt.Sprintf("%s %s %s", g.plan.Codecs[0].FormatKey(row.Key), timeOf(row.Start).Format("02T15:04"),
					text[strings.Index(text, "["):strings.Index(text, "]")+1]))
			}
		})
		return nil
	}))
	slices.Sort(rows)
	return rows
}

// Laws L1 and L2: stream plus corrections are what a batch over all events gives, and the root is a function of the events alone,
// whatever their order, however they were cut into commits and landings, and however often the reconciler ran in between.
func TestRootIsAFunctionOfTheEvents(t *testing.T) {
	for seed := int64(1); seed <= 3; seed++ {
		orders := randomOrders(rand.New(rand.NewSource(seed)), 60)
		want := naive(orders)
		root := ""
		for variant := int64(0); variant < 4; variant++ {
			t.Run(fmt.Sprintf("seed=%d/%d", seed, variant), func(t *testing.T) {
				rng := rand.New(rand.NewSource(seed*1000 + variant))
				g := newRig(t, setting{})
				sent := slices.Clone(orders)
				if variant > 1 {
					rng.Shuffle(len(sent), func(i, j int) { sent[i], sent[j] = sent[j], sent[i] })
				}
				for len(sent) > 0 {
					n := min(len(sent), 1+rng.Intn(40))
					g.send(sent[:n]...)
					sent = sent[n:]
					g.stream()
					if rng.Intn(3) == 0 {
						g.apply()
					}
				}
				g.end()
				g.apply(func(o *Options) {
					if variant%2 == 1 {
						o.Limits = Limits{TxnRecords: 2, ChunkUnits: 3, RowsHeld: 1}
					}
				})
				g.unique()
				if got := g.inForce(); !slices.Equal(got, want) {
					t.Fatalf("in force:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
				a := g.audit()
				if int(a.Equal) != len(want) || len(a.Uncertified)+len(a.Behind) != 0 {
					t.Fatalf("audit: %+v", a)
				}
				if root == "" {
					root = a.Root
				}
				if a.Root != root {
					t.Fatalf("root %s, in another order %s", a.Root, root)
				}
			})
		}
	}
}
