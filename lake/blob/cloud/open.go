package cloud

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tidemark-io/tidemark/lake/blob"
)

const (
	// DefaultPatience is what a request may take, beside a second for each DefaultBytesPerSecond.
	DefaultPatience = time.Minute
	// DefaultBytesPerSecond is the slowest line that a large object is waited for.
	DefaultBytesPerSecond = 1 << 20
	// DefaultAttempts is how often a request is made.
	DefaultAttempts = 6
	// DefaultPause is the first pause between two attempts; each is twice the one before, less up to a half by chance.
	DefaultPause = 200 * time.Millisecond

	attemptsMax = 20
	pauseMax    = 10 * time.Second
)

// Options of a bucket. All have defaults.
type Options struct {
	Patience       time.Duration // for a request
	BytesPerSecond int64         // that a request's time grows with
	Attempts       int           // at most 20
	Pause          time.Duration // before the second attempt; never above 10 s
	// Observe is told of every request, repetitions included, from any goroutine. It must be quick.
	Observe func(Request)
	// Now is the clock of Request.Took, which is zero without one.
	Now func() time.Time
}

func (o *Options) ensureDefaults() {
	if o.Patience <= 0 {
		o.Patience = DefaultPatience
	}
	if o.BytesPerSecond <= 0 {
		o.BytesPerSecond = DefaultBytesPerSecond
	}
	if o.Attempts <= 0 {
		o.Attempts = DefaultAttempts
	}
	o.Attempts = min(o.Attempts, attemptsMax)
	if o.Pause <= 0 {
		o.Pause = DefaultPause
	}
	if o.Now == nil {
		o.Now = func() time.Time { return time.Time{} }
	}
}

// Open opens the bucket that rawURL names: those of blob.Open, and
//
//	s3://bucket/prefix       S3; ?region= &endpoint= &use_path_style=true &profile= &role= and others of gocloud.dev/aws
//	gs://bucket/prefix       Google Cloud Storage; ?anonymous=true
//	azblob://container/prefix  Azure; ?storage_account= &domain= &protocol= &localemu=
//
// Keys are below the prefix, which may be missing. A bucket of a cloud is asked once whether it is there and may be listed.
func Open(ctx context.Context, rawURL, baseDir string, o Options) (blob.Bucket, error) {
	o.ensureDefaults()
	scheme, _, _ := strings.Cut(rawURL, "://")
	connect, ok := map[string]connector{"s3": connectS3, "gs": connectGCS, "azblob": connectAzure}[scheme]
	if !ok {
		inner, err := blob.Open(ctx, rawURL, baseDir)
		if err != nil || o.Observe == nil {
			return inner, err
		}
		o.Attempts = 1
		return &retrying{inner: inner, o: o}, nil
	}
	a, err := parseAddress(rawURL)
	if err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	b, err := connect(ctx, a)
	if err != nil {
		return nil, fmt.Errorf("open bucket %s: %w", a, err)
	}
	b.address, b.o, b.proving = a, o, make(chan struct{}, 1)
	r := &retrying{inner: b, o: o}
	if err := r.do(ctx, "open", func(int) (int64, error) { return 0, b.there(ctx) }); err != nil {
		return nil, joinClose(err, b)
	}
	return r, nil
}

// connector makes the client of a cloud's bucket, without asking the bucket anything.
type connector func(context.Context, address) (*bucket, error)
