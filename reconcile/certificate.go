package reconcile

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tidemark-io/tidemark/lake"
	"github.com/tidemark-io/tidemark/lake/blob"
)

// CertificateFormat is the version of certificates that this release writes. It reads those of format 1 too, which have no
// checksum.
const CertificateFormat = 2

// correctionsMax is how many corrections a certificate lists; it counts all.
const correctionsMax = 1_000

// Certificate states that one unit's published results are what a batch over the named inputs gives. It is written once
// and never changed. FORMAT.md describes each field.
type Certificate struct {
	APIVersion  string `json:"apiVersion"`
	Kind        string `json:"kind"` // "Certificate"
	Format      int    `json:"format"`
	Pipeline    string `json:"pipeline"`
	Fingerprint string `json:"fingerprint"`
	Binary      string `json:"binary"`
	Output      string `json:"output"`
	Partition   string `json:"partition"`
	// Number counts the unit's certificates from 1; Previous is the SHA-256 of the bytes of the one before, null in the first.
	Number   int64   `json:"number"`
	Previous *string `json:"previous"`

	Cut         CertCut          `json:"cut"`
	Cuts        []CertCut        `json:"cuts,omitempty"` // of the other sources, if there are several
	Input       CertInput        `json:"input"`
	GivenUp     []CertGivenUp    `json:"given_up,omitempty"` // of what may have belonged to the unit
	Accounting  CertAccounting   `json:"accounting"`
	Result      CertResult       `json:"result"`
	Compared    CertCompared     `json:"compared"`
	Corrections []CertCorrection `json:"corrections"`
	// Expressions names the dialect that expressions were evaluated in, Aggregates how each aggregate was computed.
	Expressions string            `json:"expressions,omitempty"`
	Aggregates  map[string]string `json:"aggregates,omitempty"`
	Cost        CertCost          `json:"cost"`
	Approved    *CertApproval     `json:"approved_by"`
	Run         string            `json:"run"`
	CreatedAt   time.Time         `json:"created_at"`
	Statement   string            `json:"statement"`
	NotProven   []string          `json:"not_proven"`
}

// CertCut is how far the lake log of each source partition reached: all that was landed below is in the input.
type CertCut struct {
	Topic   string   `json:"topic"`
	TopicID string   `json:"topic_id"`
	Offsets []string `json:"offsets"` // by partition, decimal
}

// CertInput is what was recomputed from.
type CertInput struct {
	Digest string     `json:"digest"` // over paths and hashes, in whatever order, and the history
	Files  []CertFile `json:"files"`
	// History is what an enrichment depends on besides: the files of its table from before the unit's hour.
	History *CertHistory `json:"history,omitempty"`
}

// CertHistory names the files of a topic from before the unit's hour, as far as the certificate's cut of it reaches.
type CertHistory struct {
	Topic  string `json:"topic"`
	Digest string `json:"digest"`
	Files  int    `json:"files"`
	Bytes  int64  `json:"bytes"`
}

// cutOf is the certificate's cut of a topic; nil if it names none.
func (c *Certificate) cutOf(topic string) []int64 {
	for _, cut := range append([]CertCut{c.Cut}, c.Cuts...) {
		if cut.Topic == topic {
			return offsetsOf(cut.Offsets)
		}
	}
	return nil
}

// CertFile is one raw file.
type CertFile struct {
	Path    string `json:"path"`
	SHA256  string `json:"sha256"`
	Records int64  `json:"records"`
	Bytes   int64  `json:"bytes"`
}

// CertAccounting says what became of the records of the unit's windows: consumed = aggregated + duplicate + filtered +
// invalid. Outside are records of the same files whose windows belong to other units.
type CertAccounting struct {
	Consumed   int64 `json:"consumed"`
	Aggregated int64 `json:"aggregated"`
	Duplicate  int64 `json:"duplicate"`
	Filtered   int64 `json:"filtered"`
	Invalid    int64 `json:"invalid"`
	Outside    int64 `json:"outside"`
	Conflicts  int64 `json:"conflicts"` // events that share an id with another one and differ from it; both are aggregated
}

// CertResult names the recomputed results.
type CertResult struct {
	Windows  int64  `json:"windows"`
	RowsHash string `json:"rows_hash"`
	HashOf   string `json:"hash_of"`
}

// CertCompared says what the results were compared with.
type CertCompared struct {
	Topic       string   `json:"topic"`
	TopicID     string   `json:"topic_id"`
	Cut         []string `json:"cut"`          // high watermarks up to which the published rows were folded
	PublishedTo []string `json:"published_to"` // high watermarks up to which they were landed again afterwards
	Equal       int64    `json:"equal"`
	Corrected   int64    `json:"corrected"` // changed, added and removed
	// InOrder states that of every window the last record has the highest revision, and this one value. Earlier releases did not look.
	InOrder bool `json:"in_order,omitempty"`
}

// CertCorrection is one correction.
type CertCorrection struct {
	Key          string           `json:"key"`
	WindowStart  time.Time        `json:"window_start"`
	WindowEnd    time.Time        `json:"window_end"`
	Kind         string           `json:"kind"`
	FromRevision int64            `json:"from_revision"`
	ToRevision   int64            `json:"to_revision"`
	Cause        string           `json:"cause"`
	Causes       map[string]int64 `json:"causes"`
	Before       *string          `json:"before"` // row hash, null if there was none
	After        *string          `json:"after"`  // row hash, null if retracted
	Evidence     []string         `json:"evidence,omitempty"`
}

// CertCost is what the unit cost.
type CertCost struct {
	CPUSeconds float64 `json:"cpu_seconds"`
	BytesRead  int64   `json:"bytes_read"`
}

// CertApproval says who let the guard be overruled.
type CertApproval struct {
	Plan   string `json:"plan"`
	By     string `json:"by"`
	Reason string `json:"reason"`
}

const hashOf = "SHA-256 over the SHA-256 of each row's canonical Avro (key and aggregates), rows sorted by key"

const statement = "stream + corrections = batch over these inputs at this cut"

// notProven is what a certificate leaves open.
func notProven() []string {
	return []string{
		"that the rules are right: one code computed both sides, so a wrong rule is wrong twice",
		"that the source topic held every event that happened, or that its event times are true",
		"that consumers have read the corrections",
	}
}

// encode is the certificate as stored.
func (c *Certificate) encode() ([]byte, error) {
	b, err := json.MarshalIndent(c, "", " ")
	if err != nil {
		return nil, fmt.Errorf("encode certificate: %w", err)
	}
	b = append(b, '\n')
	if c.Format == 1 {
		return b, nil
	}
	return sealJSON(b), nil
}

// decodeCertificate reads a certificate and refuses what this release does not understand, or what is not as it was written.
func decodeCertificate(data []byte) (*Certificate, error) {
	sealed, err := unsealJSON(data)
	if err != nil {
		return nil, err
	}
	var c Certificate
	if err := json.Unmarshal(data, &c); err != nil {
		return nil, fmt.Errorf("it is no JSON, so it was cut short or altered: %w", err)
	}
	if c.Kind != "Certificate" || c.Format < 1 || c.Format > CertificateFormat {
		return nil, fmt.Errorf("kind %q format %d: this release reads certificates of formats 1 to %d", c.Kind, c.Format, CertificateFormat)
	}
	if c.Format > 1 && !sealed {
		return nil, errors.New("it doesn't end in its checksum, so it was cut short or altered")
	}
	return &c, nil
}

// lastCertificate is the newest certificate of a unit.
type lastCertificate struct {
	number      int64
	hash        string // of its bytes
	fingerprint string
	digest      string
	cert        *Certificate
}

// covers reports whether the unit is clean: certified by this code over the very same input.
func (l *lastCertificate) covers(fingerprint, digest string) bool {
	return l != nil && l.fingerprint == fingerprint && l.digest == digest
}

// certificates are a pipeline's certificates in the bucket.
type certificates struct {
	bucket   blob.Bucket
	pipeline string
	outputs  []string
}

func (c certificates) outputPrefix(output int) string {
	return "reconcile/" + c.pipeline + "/" + c.outputs[output] + "/"
}

func (c certificates) unitPrefix(u unitKey) string {
	return c.outputPrefix(u.output) + u.partition() + "/"
}

func (c certificates) key(u unitKey, number int64) string {
	return fmt.Sprintf("%s%010d.json", c.unitPrefix(u), number)
}

// numbers lists the certificates of one output: the highest number of each unit. Objects that are none (plans of a
// pipeline with an output of that name) are passed over.
func (c certificates) numbers(ctx context.Context, output int) (map[int64]int64, error) {
	prefix := c.outputPrefix(output)
	out := make(map[int64]int64)
	err := c.bucket.List(ctx, prefix, func(o blob.Object) error {
		if hour, n, ok := parseCertKey(strings.TrimPrefix(o.Key, prefix)); ok && n > out[hour] {
			out[hour] = n
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list certificates of %s: %w", c.outputs[output], err)
	}
	return out, nil
}

// parseCertKey reads "dt=2013-01-09/hr=14/0000000002.json".
func parseCertKey(rest string) (hour, number int64, ok bool) {
	i := strings.LastIndexByte(rest, '/')
	if i < 0 {
		return 0, 0, false
	}
	hour, err := lake.ParseHour(rest[:i])
	if err != nil {
		return 0, 0, false
	}
	digits, isJSON := strings.CutSuffix(rest[i+1:], ".json")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || !isJSON || len(digits) != 10 || n < 1 {
		return 0, 0, false
	}
	return hour, n, true
}

// last reads the newest certificate of one unit, walking on from the one known so far (nil: none) by get, so that what a
// listing missed is found. nil if there is none.
func (c certificates) last(ctx context.Context, u unitKey, newest *lastCertificate) (*lastCertificate, error) {
	n := int64(1)
	if newest != nil {
		n = newest.number + 1
	}
	for ; ; n++ {
		got, err := c.load(ctx, u, n)
		if errors.Is(err, blob.ErrNotFound) {
			return newest, nil
		}
		if err != nil {
			return nil, err
		}
		newest = got
	}
}

// load reads one certificate and checks that it is the one that its name says.
func (c certificates) load(ctx context.Context, u unitKey, number int64) (*lastCertificate, error) {
	key := c.key(u, number)
	data, err := c.bucket.Get(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("certificate %s: %w", key, err)
	}
	cert, err := decodeCertificate(data)
	if err != nil {
		return nil, fmt.Errorf("certificate %s: %w; %s", key, err, c.remedy(u))
	}
	if cert.Number != number || cert.Output != c.outputs[u.output] || cert.Partition != u.partition() || cert.Pipeline != c.pipeline {
		return nil, fmt.Errorf("certificate %s says it is number %d of %s %s of pipeline %s: it was moved or altered; %s",
			key, cert.Number, cert.Output, cert.Partition, cert.Pipeline, c.remedy(u))
	}
	sum := sha256.Sum256(data)
	return &lastCertificate{
		number: number, hash: sha(sum[:]), fingerprint: cert.Fingerprint, digest: cert.Input.Digest, cert: cert,
	}, nil
}

// remedy says what to do about a certificate that can't be read.
func (c certificates) remedy(u unitKey) string {
	return fmt.Sprintf("put back a copy of that object, or move all certificates below %s away: what they stated of this unit is lost then, and it is "+
		"compared and certified anew, from number 1", c.unitPrefix(u))
}

// put writes a certificate by put-if-absent. taken: someone else's has that number; ours is void.
func (c certificates) put(ctx context.Context, u unitKey, cert *Certificate) (taken bool, err error) {
	data, err := cert.encode()
	if err != nil {
		return false, err
	}
	key := c.key(u, cert.Number)
	err = c.bucket.PutIfAbsent(ctx, key, data)
	if !errors.Is(err, blob.ErrExists) {
		if err != nil {
			return false, fmt.Errorf("put certificate %s: %w", key, err)
		}
		return false, nil
	}
	// Our own put may have succeeded although its answer was lost and it was sent again.
	have, err := c.bucket.Get(ctx, key)
	if err != nil {
		return false, fmt.Errorf("certificate %s exists: %w", key, err)
	}
	return !bytes.Equal(have, data), nil
}
