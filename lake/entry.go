package lake

import (
	"fmt"
)

// Entry is one link of a partition's log: it makes the records of the offsets
// [First, End) visible.
type Entry struct {
	Version     int    `json:"version"`
	Topic       string `json:"topic"`
	TopicID     string `json:"topic_id"`
	Partition   int32  `json:"partition"`
	First       int64  `json:"first"`
	End         int64  `json:"end"`
	Records     int64  `json:"records"`     // in all files
	Quarantined int64  `json:"quarantined"` // of these, in quarantine files
	LandedAt    int64  `json:"landed_at"`   // wall clock of the writer that won, ms since the epoch UTC: says when to look, decides nothing
	// GivenUp says that nobody landed this range and nobody will: the records that it held are gone. nil but in entries of
	// version 2.
	GivenUp *GivenUp `json:"given_up,omitempty"`
	Files   []File   `json:"files"` // sorted by path
}

// File is a raw or quarantine file that an entry names.
type File struct {
	Path       string `json:"path"` // key in the bucket
	Partition  int32  `json:"partition"`
	Hour       string `json:"hour"` // "dt=2013-01-05/hr=07"; "" in quarantine
	Quarantine bool   `json:"quarantine"`
	SchemaID   uint32 `json:"schema_id"`
	Records    int64  `json:"records"`
	Bytes      int64  `json:"bytes"`    // of the file
	First      int64  `json:"first"`    // offset of the first record in it
	Last       int64  `json:"last"`     // offset of the last
	MinTime    int64  `json:"min_time"` // event times in ms since the epoch UTC; 0 in quarantine
	MaxTime    int64  `json:"max_time"`
	SHA256     string `json:"sha256"` // lower-case hex
}

// readEntry decodes the entry of the given name and checks that it says the
// same as its name and that its parts agree (invariant 8).
func readEntry(topic string, partition int32, first int64, data []byte) (Entry, error) {
	key := entryKey(topic, partition, first)
	var e Entry
	if err := openObject(key, data, entryVersion, &e); err != nil {
		return Entry{}, err
	}
	if err := e.check(topic, partition, first); err != nil {
		return Entry{}, &CorruptError{Path: key, What: err.Error()}
	}
	return e, nil
}

func (e *Entry) check(topic string, partition int32, first int64) error {
	if e.Topic != topic || e.Partition != partition || e.First != first {
		return fmt.Errorf("it is of topic %s, partition %d, offset %d", e.Topic, e.Partition, e.First)
	}
	if e.First < 0 || e.End <= e.First {
		return fmt.Errorf("it covers the offsets [%d, %d)", e.First, e.End)
	}
	if err := e.checkGivenUp(); err != nil {
		return err
	}
	var records, quarantined int64
	for i := range e.Files {
		f := &e.Files[i]
		if err := f.check(e); err != nil {
			return fmt.Errorf("file %d (%s): %w", i, f.Path, err)
		}
		if i > 0 && e.Files[i-1].Path >= f.Path {
			return fmt.Errorf("its files are not in order at %s", f.Path)
		}
		records += f.Records
		if f.Quarantine {
			quarantined += f.Records
		}
	}
	if records != e.Records || quarantined != e.Quarantined {
		return fmt.Errorf("it counts %d records, %d in quarantine; its files count %d and %d", e.Records, e.Quarantined, records, quarantined)
	}
	return nil
}

func (f *File) check(e *Entry) error {
	switch {
	case len(f.SHA256) != 64:
		return fmt.Errorf("%q is no SHA-256", f.SHA256)
	case f.Quarantine != (f.Hour == ""):
		return fmt.Errorf("quarantine %t with hour %q", f.Quarantine, f.Hour)
	case f.Partition != e.Partition:
		return fmt.Errorf("it is of partition %d", f.Partition)
	case f.Path != fileKey(e.Topic, f.Hour, f.Partition, f.First, f.SHA256):
		return fmt.Errorf("its name does not follow from hour %q, offset %d and checksum %s", f.Hour, f.First, f.SHA256)
	case f.First < e.First || f.Last < f.First || f.Last >= e.End:
		return fmt.Errorf("its offsets %d to %d are outside of [%d, %d)", f.First, f.Last, e.First, e.End)
	case f.Records < 1 || f.Records-1 > f.Last-f.First:
		return fmt.Errorf("%d records from offset %d to %d", f.Records, f.First, f.Last)
	case f.Bytes < 1:
		return fmt.Errorf("it has %d bytes", f.Bytes)
	}
	if f.Quarantine {
		return nil
	}
	start, err := ParseHour(f.Hour)
	if err != nil {
		return err
	}
	if f.MinTime < start || f.MaxTime < f.MinTime || f.MaxTime >= start+hourMillis {
		return fmt.Errorf("its event times %d to %d are outside of %s", f.MinTime, f.MaxTime, f.Hour)
	}
	return nil
}

// startMarker says at which offset a partition's log begins. The first of all
// landers decides it.
type startMarker struct {
	Version   int    `json:"version"`
	Topic     string `json:"topic"`
	TopicID   string `json:"topic_id"`
	Partition int32  `json:"partition"`
	First     int64  `json:"first"`
}

func readStart(topic string, partition int32, data []byte) (int64, error) {
	key := startKey(topic, partition)
	var s startMarker
	if err := openObject(key, data, formatVersion, &s); err != nil {
		return 0, err
	}
	if s.Topic != topic || s.Partition != partition || s.First < 0 {
		return 0, &CorruptError{Path: key, What: fmt.Sprintf("it is of topic %s, partition %d, offset %d", s.Topic, s.Partition, s.First)}
	}
	return s.First, nil
}
