package state

import (
	"fmt"
)

// Description says what is in a store: `tidemark state ls`.
type Description struct {
	Dir       string
	New       bool  // no cut yet
	Cut       *Cut  // nil when new
	DiskBytes int64 // of tables
	Tables    int
	Kinds     []KindSize // in order of prefix, those without keys too
	Unknown   KindSize   // keys of no known kind
}

// KindSize counts the keys of one kind.
type KindSize struct {
	Name       string
	Keys       int64
	KeyBytes   int64
	ValueBytes int64
}

// Describe reads the closed store in dir and counts its keys. Errors are those
// of Open.
func Describe(dir string, sh *Shared) (*Description, error) {
	fs := newFailStop(sh.opts.FS, sh.opts.Log)
	db, err := sh.openDatabase(dir, fs, true)
	if err != nil {
		return nil, fmt.Errorf("describe state: %w", err)
	}
	d := &Description{Dir: dir, Unknown: KindSize{Name: "unknown"}}
	kinds := Kinds()
	for _, k := range kinds {
		d.Kinds = append(d.Kinds, KindSize{Name: k.Name})
	}
	d.Cut, err = readCut(db, dir)
	d.New = d.Cut == nil
	if err == nil {
		_, err = scan(db, nil, nil, func(k, v []byte) error {
			size := &d.Unknown
			if kind, err := kindOf(kinds, k); err == nil {
				for i := range kinds {
					if kinds[i].Prefix == kind.Prefix {
						size = &d.Kinds[i]
					}
				}
			}
			size.Keys++
			size.KeyBytes += int64(len(k))
			size.ValueBytes += int64(len(v))
			return nil
		})
	}
	if err == nil {
		total := db.Metrics().Total()
		d.DiskBytes, d.Tables = int64(total.TablesSize), int(total.TablesCount)
	}
	if err = join(err, db.Close()); err != nil {
		return nil, wrap(dir, "describe", err)
	}
	return d, nil
}
