package reconcile

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/curated"
)

// sampleCertificate has a value in every field.
func sampleCertificate() *Certificate {
	previous, hash := "sha256:41aa", "sha256:before"
	return &Certificate{
		APIVersion: APIVersion, Kind: "Certificate", Format: 1, Pipeline: "flights", Fingerprint: "f81c2e000000", Binary: "v0.1.0",
		Output: "departures-hourly", Partition: "dt=2013-01-09/hr=14", Number: 2, Previous: &previous,
		Cut: CertCut{Topic: "flights", TopicID: "q3F", Offsets: []string{"7950", "9270", "0", "9990"}},
		Input: CertInput{Digest: "sha256:77d0", Files: []CertFile{
			{Path: "raw/flights/dt=2013-01-09/hr=14/1-6981-9c1f.avro", SHA256: "9c1f", Records: 19, Bytes: 2871}}},
		Accounting: CertAccounting{Consumed: 61, Aggregated: 59, Duplicate: 1, Filtered: 0, Invalid: 1, Outside: 3, Conflicts: 2},
		Result:     CertResult{Windows: 3, RowsHash: "sha256:9d0e", HashOf: hashOf},
		Compared:   CertCompared{Topic: "departures-hourly", TopicID: "abc", Cut: []string{"5", "6"}, PublishedTo: []string{"5", "8"}, Equal: 2, Corrected: 1},
		Corrections: []CertCorrection{{
			Key: "JFK", WindowStart: timeOf(msOf("14:00")), WindowEnd: timeOf(msOf("15:00")), Kind: kindChanged, FromRevision: 19, ToRevision: 20,
			Cause: "LATE", Causes: map[string]int64{"late": 1}, Before: &hash, After: nil, Evidence: []string{"flights/1@7688"}}},
		Cost: CertCost{CPUSeconds: 0.012, BytesRead: 2871}, Approved: &CertApproval{Plan: "7f3c91", By: "ann", Reason: "looked at it"},
		Run: "run-1", CreatedAt: time.Date(2013, 1, 10, 13, 15, 2, 0, time.UTC), Statement: statement, NotProven: []string{"that the rules are right"},
	}
}

// joinedCertificate has what the first ones had not: several cuts, and what computed them.
func joinedCertificate() *Certificate {
	c := sampleCertificate()
	c.Cuts = []CertCut{{Topic: "airports", TopicID: "x7", Offsets: []string{"1", "2", "0", "4"}}}
	c.Expressions, c.Aggregates = "cel-go/0.33", map[string]string{"flights": "count/1", "p95": "ddsketch/1 alpha=0.01 bins=2048"}
	return c
}

func samplePlan() *planDocument {
	return &planDocument{
		APIVersion: APIVersion, Kind: "ReconcilePlanDocument", Format: 1, ID: "7f3c91", Hash: "7f3c91" + strings.Repeat("0", 58), Pipeline: "flights",
		Fingerprint: "f81c2e000000", CreatedAt: time.Date(2013, 1, 10, 13, 15, 2, 0, time.UTC), Windows: Windows{5, 1, 2, 1, 1},
		Guard: Guard{Verdict: "hold", Rule: "max_changed_windows", Limit: 0.05, Actual: 0.8, Note: "x"},
		Units: []planUnit{{Output: "departures-hourly", Partition: "dt=2013-01-09/hr=14", ID: "0011223344556677", Digest: "sha256:77d0", Differ: 4}},
	}
}

// Documents written by the first release stay readable, and are still written so.
func TestOldDocuments(t *testing.T) {
	cert, err := sampleCertificate().encode()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/certificate-v1.json", cert)
	joined, err := joinedCertificate().encode()
	if err != nil {
		t.Fatal(err)
	}
	old, err := os.ReadFile("testdata/certificate-v1.json")
	if err != nil {
		t.Fatal(err)
	}
	got, err := decodeCertificate(old)
	if err != nil || !reflect.DeepEqual(got, sampleCertificate()) {
		t.Errorf("certificate: %v\n%+v", err, got)
	}
	golden(t, "testdata/certificate-v1-joined.json", joined)
	if got, err = decodeCertificate(joined); err != nil || !reflect.DeepEqual(got, joinedCertificate()) {
		t.Errorf("certificate of a join: %v\n%+v", err, got)
	}
	sealed := joinedCertificate()
	sealed.Format = CertificateFormat
	data, err := sealed.encode()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/certificate-v2.json", data)
	if got, err = decodeCertificate(data); err != nil || !reflect.DeepEqual(got, sealed) {
		t.Errorf("certificate with a checksum: %v\n%+v", err, got)
	}
	lossy := joinedCertificate()
	lossy.Format = CertificateFormat
	lossy.GivenUp = []CertGivenUp{{Topic: "flights", Partition: 1, First: 7700, End: 7950, Pipeline: "flights", Reason: "retention was too short"}}
	if data, err = lossy.encode(); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/certificate-v2-given-up.json", data)
	if got, err = decodeCertificate(data); err != nil || !reflect.DeepEqual(got, lossy) {
		t.Errorf("certificate with a loss: %v\n%+v", err, got)
	}
	doc, err := json.MarshalIndent(samplePlan(), "", " ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/plan-v1.json", append(doc, '\n'))
	if old, err = os.ReadFile("testdata/plan-v1.json"); err != nil {
		t.Fatal(err)
	}
	plan, err := decodePlan("7f3c91", old)
	if err != nil || !reflect.DeepEqual(plan, samplePlan()) {
		t.Errorf("plan: %v\n%+v", err, plan)
	}
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s is written as\n%s\nand was\n%s", path, got, want)
	}
}

// A certificate of which any byte is another, or any is missing, is refused (invariant 8).
func TestAlteredCertificate(t *testing.T) {
	c := joinedCertificate()
	c.Format = CertificateFormat
	good, err := c.encode()
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		for _, bit := range []byte{1, 2, 4, 8, 16, 32, 64, 128} {
			bad := slices.Clone(good)
			bad[i] ^= bit
			if _, err := decodeCertificate(bad); err == nil {
				t.Errorf("bit %02x of byte %d, %q", bit, i, good[i])
			}
		}
		if _, err := decodeCertificate(slices.Delete(slices.Clone(good), i, i+1)); err == nil {
			t.Errorf("without byte %d", i)
		}
		if _, err := decodeCertificate(good[:i]); err == nil {
			t.Errorf("cut at %d", i)
		}
	}
	if _, err := decodeCertificate(slices.Concat(good, good)); err == nil {
		t.Error("twice")
	}
}

// Other versions, and documents in other places than their names say, are refused.
func TestForeignDocuments(t *testing.T) {
	for _, bad := range []string{"", "{", "null", `{"kind":"Certificate","format":2}`, `{"kind":"Certificate","format":3}`, `{"kind":"ReconcilePlanDocument","format":1}`} {
		if _, err := decodeCertificate([]byte(bad)); err == nil {
			t.Errorf("certificate %q is accepted", bad)
		}
	}
	for _, bad := range []string{"", "{", "null", `{"kind":"ReconcilePlanDocument","format":2,"id":"7f3c91"}`, `{"kind":"ReconcilePlanDocument","format":1,"id":"other0"}`} {
		if _, err := decodePlan("7f3c91", []byte(bad)); err == nil {
			t.Errorf("plan %q is accepted", bad)
		}
	}
	for _, key := range []string{"", "x.json", "dt=2013-01-09/hr=14/1.json", "dt=2013-01-09/hr=14/0000000000.json", "dt=2013-01-09/hr=14/0000000001", "dt=2013-01-09/hr=99/0000000001.json", "plans/7f3c91.json"} {
		if _, _, ok := parseCertKey(key); ok {
			t.Errorf("key %q passes for a certificate", key)
		}
	}
	if h, n, ok := parseCertKey("dt=2013-01-09/hr=14/0000000012.json"); !ok || h != msOf("14:00") || n != 12 {
		t.Error(h, n, ok)
	}
}

// The hashes of FORMAT.md are what they were: an approval, or a certificate's digest, must mean the same to another release.
func TestHashesNeverMove(t *testing.T) {
	files := []unitFile{{File: lake.File{Path: "raw/a", SHA256: "11"}}, {File: lake.File{Path: "raw/b", SHA256: "22"}}}
	digest := inputDigest(files)
	if turned := inputDigest([]unitFile{files[1], files[0]}); turned != digest {
		t.Error("the digest depends on the order of files")
	}
	if want := "sha256:e7a17b91fa093186b3bac35bed3a06085e39cba28626978d7f974a3f7849759f"; digest != want {
		t.Errorf("digest %s, was %s", digest, want)
	}
	landed := []landedFile{{File: files[0].File}, {File: files[1].File}}
	past := history{}.then(msOf("12:00"), landed[:1]).then(msOf("13:00"), landed[1:])
	if want := "sha256:b5b0130afa78d71beed30fda26b3b742e197f66744e3695342afff5aefbd0e5c"; past.digest != want || past.files != 2 {
		t.Errorf("history %+v, its digest was %s", past, want)
	}
	if got, want := inputOf(files, past), "sha256:cbf522d1533dd87bda4f475b9ee3774acc929789d84787c61baa173793505c97"; got != want || inputOf(files, history{}) != digest {
		t.Errorf("input with a history %s, was %s", got, want)
	}
	d := &diff{corrections: []correction{
		{kind: kindChanged, pair: pair{before: &publishedRow{key: "k", hash: [32]byte{1}}, after: &batchRow{key: "k", hash: [32]byte{2}}}},
		{kind: kindRemoved, pair: pair{before: &publishedRow{key: "l", hash: [32]byte{3}, row: curated.Row{Status: curated.Closed}}}},
	}}
	if got, want := d.id("f81c2e000000", "o", msOf("14:00"), digest), "8d43a0953a406981"; got != want {
		t.Errorf("unit id %s, was %s", got, want)
	}
	if d.id("f81c2e000000", "o", msOf("15:00"), digest) == d.id("f81c2e000000", "o", msOf("14:00"), digest) {
		t.Error("the unit id does not depend on the hour")
	}
	s := &survey{due: []*dueUnit{{id: "a"}, {id: "b"}}}
	if got, want := s.fullID(), "884cd69729b66a5b57a692fdfce67d5c5f51c6cfbf2a9fb30aa423189de015ec"; got != want {
		t.Errorf("plan id %s, was %s", got, want)
	}
	m := &merkle{}
	m.add("o", msOf("14:00"), [32]byte{7})
	root := m.root()
	if got, want := sha(root[:]), "sha256:dfc872bc6808bab89e2f3705d892e25d06e5c2558659d8a6e090256505145574"; got != want {
		t.Errorf("root %s, was %s", got, want)
	}
}

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		v    schema.Value
		want string
	}{
		{schema.NullValue(), "null"}, {schema.IntValue(-7), "-7"}, {schema.FloatValue(69.42), "69.42"}, {schema.BoolValue(true), "true"},
		{schema.StringValue([]byte(`a"b`)), `"a\"b"`}, {schema.BytesValue([]byte{1, 2}), `"AQI="`},
	} {
		if got := jsonText(numberOf(c.v)); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
	nan, inf := floatNumber(0), floatNumber(0)
	nan.v.Num, inf.v.Num = schema.CanonicalNaN, 0xfff0000000000000
	if jsonText(nan) != `"NaN"` || jsonText(inf) != `"-Infinity"` {
		t.Error(jsonText(nan), jsonText(inf))
	}
}
