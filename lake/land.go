package lake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/tidemark-io/tidemark/crashpoint"
	"github.com/tidemark-io/tidemark/lake/blob"
)

// putsMax is how many files of a batch are put at once: each waits for a disk
// or a network.
const putsMax = 8

// Land puts the batch's files and then the log entry that makes them visible.
// On an error nothing is known to be landed: call it again with the same
// batch, which ends the same way however far the failed call came, or drop the
// lander; another one continues where the log ends.
//
// When another writer has put an entry at this offset, Land adopts the log as
// it is: what lies behind its end stays held and will be sealed again. That is
// no error, and Landed and Next tell the outcome.
func (l *Lander) Land(ctx context.Context, b *Batch) error {
	if err := l.startLanding(b); err != nil {
		return fmt.Errorf("land %s/%d: %w", l.topic.declared.Topic, l.partition, err)
	}
	end, err := l.land(ctx, b)
	if err != nil {
		err = fmt.Errorf("land %s/%d from offset %d: %w", l.topic.declared.Topic, l.partition, b.first, err)
	} else {
		l.topic.reached(l.partition, end)
	}
	l.finishLanding(b, end, err == nil)
	return err
}

func (l *Lander) startLanding(b *Batch) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case b == nil || b != l.sealed:
		return errors.New("the batch is not the one in flight")
	case l.landing:
		return errors.New("the batch is being landed already")
	}
	l.landing = true
	return nil
}

// finishLanding takes over the log's end, or keeps the batch for another try.
func (l *Lander) finishLanding(b *Batch, end int64, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.landing = false
	switch {
	case l.closed:
		b.span.free()
		l.sealed = nil
	case ok && end == b.end:
		b.span.free()
		l.sealed, l.landed = nil, end
	case ok:
		l.adopt(b, end)
	}
}

// land returns the log's end, which is the batch's unless another writer won.
func (l *Lander) land(ctx context.Context, b *Batch) (end int64, err error) {
	crashpoint.Hit("land/sealed")
	entry, err := l.putFiles(ctx, b)
	if err != nil {
		return 0, err
	}
	crashpoint.Hit("land/files-put")
	data, err := sealJSON(entry)
	if err != nil {
		return 0, err
	}
	key := entryKey(entry.Topic, entry.Partition, entry.First)
	err = l.topic.bucket.PutIfAbsent(ctx, key, data)
	crashpoint.Hit("land/entry-put")
	if err == nil {
		return b.end, nil
	}
	if !errors.Is(err, blob.ErrExists) {
		return 0, err
	}
	// Taken: by this batch (an answer was lost), by a twin who says the same, or
	// by a writer who cut the range elsewhere. The log's end tells.
	return walkLog(ctx, l.topic.bucket, entry.Topic, entry.Partition, entry.First, func(Entry) {})
}

// putFiles puts all files of the batch and returns the entry that names them.
func (l *Lander) putFiles(ctx context.Context, b *Batch) (*Entry, error) {
	e := &Entry{
		Version: formatVersion, Topic: l.topic.declared.Topic, TopicID: l.topic.declared.TopicID,
		Partition: l.partition, First: b.first, End: b.end,
		Records: b.span.records, Quarantined: b.span.quarantined, LandedAt: l.o.Now().UnixMilli(),
		Files: make([]File, len(b.span.files)),
	}
	if b.givenUp != nil {
		e.Version, e.GivenUp = entryVersion, b.givenUp
	}
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(putsMax)
	n := 0
	for _, f := range b.span.files {
		into := &e.Files[n]
		n++
		group.Go(func() error {
			var err error
			*into, err = l.putFile(groupCtx, f)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	slices.SortFunc(e.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	if err := e.check(e.Topic, l.partition, b.first); err != nil {
		return nil, fmt.Errorf("log entry: %w", err) // checked here as by every reader
	}
	return e, nil
}

func (l *Lander) putFile(ctx context.Context, f *buffer) (File, error) {
	id := identity{
		topic: l.topic.declared.Topic, topicID: l.topic.declared.TopicID, partition: l.partition,
		schemaID: f.key.schemaID, first: f.first,
	}
	if f.key.quarantine {
		id.schema = quarantineSchema()
	} else {
		id.hour, id.schema = Hour(f.key.hour*hourMillis), l.topic.envelope[f.key.schemaID]
	}
	pieces, size, sum := id.pieces(f.blocks)
	out := File{
		Path:      fileKey(id.topic, id.hour, l.partition, f.first, sum),
		Partition: l.partition, Hour: id.hour, Quarantine: f.key.quarantine, SchemaID: id.schemaID,
		Records: f.records, Bytes: size, First: f.first, Last: f.last, SHA256: sum,
	}
	if !f.key.quarantine {
		out.MinTime, out.MaxTime = f.minTime, f.maxTime
	}
	err := l.topic.bucket.PutIfAbsent(ctx, out.Path, pieces...)
	crashpoint.Hit("land/file-put")
	if errors.Is(err, blob.ErrExists) {
		// Left by a crash before the entry, or put by a twin: the name says that
		// the content is ours, and this makes sure.
		err = sameContent(ctx, l.topic.bucket, &out)
	}
	return out, err
}

// sameContent reads an object and compares it with a file's size and checksum.
func sameContent(ctx context.Context, b blob.Bucket, f *File) error {
	h := sha256.New()
	for off := int64(0); ; {
		part, err := b.GetRange(ctx, f.Path, off, readBytes)
		if err != nil {
			return fmt.Errorf("compare with the file that exists: %w", err)
		}
		h.Write(part)
		off += int64(len(part))
		if len(part) > 0 && off <= f.Bytes {
			continue
		}
		if off != f.Bytes || hex.EncodeToString(h.Sum(nil)) != f.SHA256 {
			return &CorruptError{Path: f.Path, What: "it exists with other bytes than its name says; move it away, it will be written again"}
		}
		return nil
	}
}
