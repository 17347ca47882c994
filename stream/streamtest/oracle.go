package streamtest

import (
	"crypto/sha256"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/linkedin/goavro/v2"
)

// Fact is one event as the oracle sees it: fields by name, unions unwrapped, times in ms.
type Fact map[string]any

// OracleAggregate is one aggregate: count, sum, mean, min or max of Of (nil: of every event). Null is skipped.
type OracleAggregate struct {
	Name, Func string
	Of         func(Fact) any
}

// OracleOutput is one windowed result.
type OracleOutput struct {
	Name       string
	Size       int64 // ms
	Group      []string
	Aggregates []OracleAggregate
}

// Window names one window of one group in one output.
type Window struct {
	Output, Group string // the group's values, joined by "|"
	Start, End    int64  // ms
}

// Oracle computes every window of every output over a whole set of payloads: decode, drop copies, sort into windows,
// fold. Payloads that do not decode are left out. read names the fields that make two records the same event.
func Oracle(avsc string, payloads [][]byte, read []string, timeField string, outputs []OracleOutput) (map[Window]map[string]string, error) {
	codec, err := goavro.NewCodec(avsc)
	if err != nil {
		return nil, err
	}
	seen := map[[32]byte]bool{}
	members := map[Window][]Fact{}
	specs := map[string]OracleOutput{}
	for _, p := range payloads {
		fact, ok := decode(codec, p)
		if !ok {
			continue
		}
		id := sha256.New()
		for _, name := range read {
			fmt.Fprintf(id, "%s=%s;", name, Text(fact[name]))
		}
		key := [32]byte(id.Sum(nil))
		if seen[key] {
			continue
		}
		seen[key] = true
		t := fact[timeField].(int64)
		for _, o := range outputs {
			specs[o.Name] = o
			start := t - ((t%o.Size)+o.Size)%o.Size
			w := Window{o.Name, GroupText(fact, o.Group), start, start + o.Size}
			members[w] = append(members[w], fact)
		}
	}
	out := make(map[Window]map[string]string, len(members))
	for w, facts := range members {
		row := map[string]string{}
		for _, a := range specs[w.Output].Aggregates {
			row[a.Name] = Text(fold(a, facts))
		}
		out[w] = row
	}
	return out, nil
}

// GroupText joins the values of a group.
func GroupText(f Fact, group []string) string {
	parts := make([]string, len(group))
	for i, g := range group {
		parts[i] = Text(f[g])
	}
	return strings.Join(parts, "|")
}

// Text is a value as oracle and tests compare it: floats to the last bit.
func Text(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case float64:
		return "f" + strconv.FormatUint(math.Float64bits(v), 16)
	case float32:
		return Text(float64(v))
	case int32:
		return strconv.FormatInt(int64(v), 10)
	default:
		return fmt.Sprint(v)
	}
}

func fold(a OracleAggregate, facts []Fact) any {
	var values []any
	for _, f := range facts {
		if a.Of == nil {
			values = append(values, true)
		} else if v := a.Of(f); v != nil {
			values = append(values, v)
		}
	}
	if a.Func == "count" {
		return int64(len(values))
	}
	if len(values) == 0 {
		return nil
	}
	sum, least, most := new(big.Rat), values[0], values[0]
	for _, v := range values {
		sum.Add(sum, rat(v))
		if rat(v).Cmp(rat(least)) < 0 {
			least = v
		}
		if rat(v).Cmp(rat(most)) > 0 {
			most = v
		}
	}
	switch _, integer := integer(values[0]); {
	case a.Func == "min":
		return least
	case a.Func == "max":
		return most
	case a.Func == "sum" && integer:
		return sum.Num().Int64()
	case a.Func == "mean":
		sum.Quo(sum, new(big.Rat).SetInt64(int64(len(values))))
	}
	f, _ := sum.Float64()
	return f
}

func integer(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case int32:
		return int64(v), true
	}
	return 0, false
}

func rat(v any) *big.Rat {
	if i, ok := integer(v); ok {
		return new(big.Rat).SetInt64(i)
	}
	f, ok := v.(float64)
	if !ok {
		f = float64(v.(float32))
	}
	return new(big.Rat).SetFloat64(f)
}

// decode reads one Avro datum with goavro. Trailing bytes make it invalid.
func decode(codec *goavro.Codec, payload []byte) (Fact, bool) {
	v, rest, err := codec.NativeFromBinary(payload)
	if err != nil || len(rest) > 0 {
		return nil, false
	}
	fact := Fact{}
	for name, v := range v.(map[string]any) {
		if union, ok := v.(map[string]any); ok {
			for _, inner := range union {
				v = inner
			}
		}
		if t, ok := v.(interface{ UnixMilli() int64 }); ok {
			v = t.UnixMilli()
		}
		fact[name] = v
	}
	return fact, true
}
