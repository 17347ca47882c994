package state_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/cockroachdb/pebble/v2"

	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/state"
	"github.com/tidemark-io/tidemark/state/statetest"
)

// goodCut is a cut as a store has it.
const goodCut = `{"version":1,"pipeline":"flights","task":2,"fingerprint":"0a1b2c3d4e5f","journal":0,` +
	`"sources":[{"topic":"departures","topic_id":"x","partition":2,"partitions":4,"next":10,"leader_epoch":0,"reached":5}],` +
	`"counters":{"consumed":10,"aggregated":9,"duplicate":0,"late":1,"filtered":0,"invalid":0},"bound":0,"last_record_at":0}`

// TestCheck makes databases by hand: each line of the input is "key value",
// the key in hex, "good" for a good cut; in values "a -> b" replaces in it.
// The output is what Check, Open and Describe say.
func TestCheck(t *testing.T) {
	datadriven.RunTest(t, "testdata/check", func(t *testing.T, d *datadriven.TestData) string {
		fs := statetest.NewMem()
		makeDatabase(t, fs, d.Input)
		sh := newShared(t, fs)
		var out strings.Builder
		if err := state.Check("s", sh, func(f state.Fault) { fmt.Fprintln(&out, f) }); err != nil {
			fmt.Fprintln(&out, "check failed:", err)
		}
		s, err := state.Open("s", sh)
		switch {
		case err != nil:
			out.WriteString("open: " + errorLine(err))
		case mustCut(t, s) == nil:
			out.WriteString("open: new\n")
		default:
			out.WriteString("open: ok\n")
		}
		if s != nil {
			closeStore(t, s)
		}
		if d.Cmd == "describe" {
			out.WriteString(described(state.Describe("s", sh)))
		}
		return regexp.MustCompile(`reached.*$`).ReplaceAllString(out.String(), "")
	})
}

func described(d *state.Description, err error) string {
	if err != nil {
		return "describe: " + errorLine(err)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "new %t, tables %t, bytes %t\n", d.New, d.Tables > 0, d.DiskBytes > 0)
	for _, k := range append(d.Kinds, d.Unknown) {
		fmt.Fprintf(&out, "%-13s %d keys, %d + %d bytes\n", k.Name, k.Keys, k.KeyBytes, k.ValueBytes)
	}
	return out.String()
}

func makeDatabase(t *testing.T, fs state.FS, lines string) {
	t.Helper()
	db, err := pebble.Open("s", &pebble.Options{FS: fs, DisableWAL: true, FormatMajorVersion: pebble.FormatTableFormatV6,
		Logger: quiet{}})
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(lines) {
		hex, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		var key []byte
		if _, err := fmt.Sscanf(hex, "%x", &key); err != nil {
			t.Fatal(err)
		}
		if edit, ok := strings.CutPrefix(value, "good"); ok {
			from, to, _ := strings.Cut(strings.TrimSpace(edit), " -> ")
			value = strings.Replace(goodCut, from, to, 1)
		}
		if err := db.Set(key, []byte(value), pebble.NoSync); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(db.Flush(), db.Close()); err != nil {
		t.Fatal(err)
	}
}

type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(format string, args ...any) {
	panic(fmt.Sprintf(format, args...))
}

// CheckManifest finds what is wrong with a checkpoint, and all of it.
func TestCheckManifest(t *testing.T) {
	for name, c := range map[string]struct {
		damage func(b blob.Bucket, key string, m *state.Manifest) error
		want   []string
	}{
		"sound": {func(blob.Bucket, string, *state.Manifest) error { return nil }, nil},
		"manifest": {func(b blob.Bucket, key string, _ *state.Manifest) error {
			return b.Put(t.Context(), key, []byte("{}"))
		}, []string{state.FaultManifest}},
		"newer": {func(b blob.Bucket, key string, _ *state.Manifest) error {
			return b.Put(t.Context(), key, []byte(`{"crc32c":"be43dd74","manifest":{"version":3}}`))
		}, []string{state.FaultVersion}},
		"every file": {func(b blob.Bucket, _ string, m *state.Manifest) error {
			var errs []error
			for i, f := range m.Files {
				switch key := prefix + "/files/" + f.Object(); {
				case f.Size == 0:
				case i%2 == 0:
					errs = append(errs, b.Delete(t.Context(), key))
				default:
					errs = append(errs, b.Put(t.Context(), key, make([]byte, f.Size)))
				}
			}
			return errors.Join(errs...)
		}, []string{state.FaultFile, state.FaultFile, state.FaultFile}},
	} {
		t.Run(name, func(t *testing.T) {
			bucket, m := checkpointed(t, newWorkload(61))
			names, err := state.Manifests(t.Context(), bucket, prefix)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.damage(bucket, names[0].Key, m); err != nil {
				t.Fatal(err)
			}
			sh := newMemShared(t)
			var got []string
			err = state.CheckManifest(t.Context(), bucket, prefix, names[0].Key, "scratch", sh, func(f state.Fault) {
				got = append(got, f.Kind)
			})
			if err != nil || fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("faults %v, want %v; %v", got, c.want, err)
			}
			if left, err := sh.FS().List(""); err != nil || len(left) > 0 {
				t.Errorf("left behind: %v, %v", left, err)
			}
		})
	}
}
