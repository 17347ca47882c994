package state

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"
)

// View is a closed store, opened to read only: nothing on the disk changes.
// One goroutine uses it at a time.
type View struct {
	dir   string
	db    *pebble.DB
	cut   *Cut
	value []byte
}

// OpenView opens the store in dir, which must exist. Errors are those of Open.
func OpenView(dir string, sh *Shared) (*View, error) {
	db, err := sh.openDatabase(dir, newFailStop(sh.opts.FS, sh.opts.Log), true)
	if err != nil {
		return nil, fmt.Errorf("view state: %w", err)
	}
	v := &View{dir: dir, db: db}
	if v.cut, err = readCut(db, dir); err != nil {
		return nil, fmt.Errorf("view state: %w", join(err, db.Close()))
	}
	return v, nil
}

// Cut is the state's; nil when the store is new.
func (v *View) Cut() *Cut { return v.cut }

// Get returns the value of key. It is valid until the next call of Get.
func (v *View) Get(key []byte) (val []byte, ok bool, err error) {
	if err := checkKey(key); err != nil {
		return nil, false, fmt.Errorf("state %s: get: %w", v.dir, err)
	}
	val, ok, err = get(v.db, key, v.value[:0])
	if err != nil {
		return nil, false, wrap(v.dir, fmt.Sprintf("get key %x", key), err)
	}
	v.value = val
	return val, ok, nil
}

// Scan is that of Store.
func (v *View) Scan(lo, hi []byte, fn func(k, v []byte) error) error {
	if lo == nil {
		lo = keyFirst
	}
	faulty, err := scan(v.db, lo, hi, fn)
	if faulty {
		return wrap(v.dir, fmt.Sprintf("scan from %x", lo), err)
	}
	return err
}

// Close closes it.
func (v *View) Close() error { return wrap(v.dir, "close", v.db.Close()) }
