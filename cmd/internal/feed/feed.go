package feed

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/curated"
	"github.com/tidemark-io/tidemark/stream/kafka"
)

// LineBytesMax is the longest line that is read.
const LineBytesMax = 16 << 20

// byteOrderMark is what some editors put before the first line of a file in UTF-8. It is no part of the line.
var byteOrderMark = []byte("\xef\xbb\xbf")

// Producer sends records; kafka.Producer is one.
type Producer interface {
	Produce(ctx context.Context, r *kafka.Record) error
	Flush(ctx context.Context) error
}

var _ Producer = (*kafka.Producer)(nil)

// Options say what the lines are and where they go.
type Options struct {
	// Source says how a line becomes a record: format, schema, wire header. With an event definition, lines of JSON must be
	// events by it.
	Source     schema.Source
	Topic      string
	Partitions int32 // of the topic
	// Key names the fields whose text is the record's key and picks its partition. Without any, records have no key
	// and take turns over the partitions, by line.
	Key []string
	// Name is what the input is called in errors.
	Name string
	// FromLine is the first line that is sent, counting from 1. Default: the first.
	FromLine int64
	// Skip is how many records of each partition are in the topic already, from a feed of the same lines that was
	// stopped: these are left out. A partition's records are sent in order, so what a stopped feed leaves is a beginning.
	Skip map[int32]int64
	// Progress, if set, is told after each record how many bytes of input have been read.
	Progress func(bytes int64)
}

// Report tells what was sent.
type Report struct {
	Topic  string  `json:"topic"`
	Sent   int64   `json:"sent"`
	Ranges []Range `json:"offsets"`
}

// Range is where one partition's records stand. Records of others may stand between them.
type Range struct {
	Partition int32 `json:"partition"`
	First     int64 `json:"first"`
	Last      int64 `json:"last"`
	Sent      int64 `json:"sent"`
}

// LineError says which line of the input is no event.
type LineError struct {
	Name string
	Line int64
	Sent int64 // records sent before it
	Err  error
}

func (e *LineError) Error() string {
	return fmt.Sprintf("%s, line %d: %v; records sent before it: %d; mend the line and go on with --from-line %d",
		e.Name, e.Line, e.Err, e.Sent, e.Line)
}

func (e *LineError) Unwrap() error { return e.Err }

// Feed sends every line of the input and waits until all of it is acknowledged. Blank lines are passed over.
func Feed(ctx context.Context, input io.Reader, p Producer, o Options) (*Report, error) {
	f := &feeder{o: o, producer: p, first: make([]*kafka.Record, o.Partitions), last: make([]*kafka.Record, o.Partitions),
		sent: make([]int64, o.Partitions), skipped: make([]int64, o.Partitions)}
	edge, err := o.Source.Edge()
	if err != nil {
		return nil, err
	}
	f.edge = edge
	if len(o.Key) > 0 {
		key, err := newKey(o.Source, o.Key)
		if err != nil {
			return nil, fmt.Errorf("key: %w", err)
		}
		f.key = key
	}
	lines := bufio.NewScanner(input)
	lines.Buffer(make([]byte, 0, 64<<10), LineBytesMax)
	failed := f.lines(ctx, lines)
	// What was sent is sent: wait for it even after a bad line, so that the counts in the error are true.
	flushed := p.Flush(ctx)
	var sending *SendError
	switch {
	case errors.As(failed, &sending):
		return nil, f.sendError(cmp.Or(flushed, sending.Err))
	case flushed != nil && (failed == nil || ctx.Err() == nil):
		return nil, f.sendError(flushed)
	case failed != nil:
		return nil, failed
	}
	return f.report(), nil
}

type feeder struct {
	o           Options
	producer    Producer
	edge        *schema.Edge
	key         *key
	line, bytes int64
	total       int64
	first, last []*kafka.Record // by partition; the client fills in their offsets
	sent        []int64
	skipped     []int64

	pending      []pending // handed over, and not known to be acknowledged
	pendingBytes int
	confirmed    int64 // records before those
}

func (f *feeder) lines(ctx context.Context, lines *bufio.Scanner) error {
	for lines.Scan() {
		f.line++
		f.bytes += int64(len(lines.Bytes())) + 1
		if f.line < f.o.FromLine {
			continue
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("stopped before line %d of %s: %w", f.line, f.o.Name, err)
		}
		text := lines.Bytes()
		if f.line == 1 {
			text = bytes.TrimPrefix(text, byteOrderMark)
		}
		text = bytes.TrimSpace(text)
		if len(text) == 0 {
			continue
		}
		record, err := f.record(text)
		if err != nil {
			return &LineError{Name: f.o.Name, Line: f.line, Sent: f.total, Err: err}
		}
		if f.skipped[record.Partition] < f.o.Skip[record.Partition] {
			f.skipped[record.Partition]++
		} else if err := f.send(ctx, record); err != nil {
			return err
		}
		if f.o.Progress != nil {
			f.o.Progress(f.bytes)
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return &LineError{Name: f.o.Name, Line: f.line + 1, Sent: f.total,
			Err: fmt.Errorf("it is longer than %d MiB", LineBytesMax>>20)}
	case err != nil:
		return fmt.Errorf("read %s after line %d: %w", f.o.Name, f.line, err)
	}
	return nil
}

func (f *feeder) record(line []byte) (*kafka.Record, error) {
	value, err := f.edge.AppendJSON(nil, line)
	if err != nil {
		return nil, err
	}
	r := &kafka.Record{Topic: f.o.Topic, Value: value, Partition: int32((f.line - 1) % int64(f.o.Partitions))}
	if f.key != nil {
		if r.Key, err = f.key.text(line, value); err != nil {
			return nil, err
		}
		r.Partition = curated.Partition(r.Key, f.o.Partitions)
	}
	return r, nil
}

func (f *feeder) report() *Report {
	report := &Report{Topic: f.o.Topic, Sent: f.total, Ranges: []Range{}}
	for p, first := range f.first {
		if first != nil {
			report.Ranges = append(report.Ranges,
				Range{Partition: int32(p), First: first.Offset, Last: f.last[p].Offset, Sent: f.sent[p]})
		}
	}
	return report
}
