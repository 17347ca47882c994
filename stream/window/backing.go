package window

// Backing is where state lives that isn't in memory: what the last Write wrote, once its writer has been applied.
// The engine never writes to it except through a Writer. Keys are compared as bytes. FORMAT.md has the keys.
type Backing interface {
	// Get returns the value of key. val is valid until the next call.
	Get(key []byte) (val []byte, ok bool, err error)
	// Scan calls fn with every key of [lo, hi) in ascending order. k and v are valid during the call. An error of fn
	// ends the scan and is returned as it is, or wrapped.
	Scan(lo, hi []byte, fn func(k, v []byte) error) error
}

// Writer takes the changes of one Write. The caller applies them at once and atomically, together with its cut,
// before the engine is used again. Slices are valid during the call.
type Writer interface {
	Set(k, v []byte) error
	Delete(k []byte) error
	DeleteRange(lo, hi []byte) error // [lo, hi)
}
