package state

import (
	"fmt"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
)

// formatMajorVersion is Pebble's own format. It is explicit so that a newer
// Pebble writes what this release can read; raising it is a format change.
const formatMajorVersion = pebble.FormatTableFormatV6

const (
	// tableBytes is small so that a checkpoint shares most tables with the
	// one before it, and because an upload holds a table in memory.
	tableBytes = 4 << 20
	// pebbleManifestBytesMax bounds the one file that every checkpoint
	// uploads anew.
	pebbleManifestBytesMax = 256 << 10
	// compactAfter is Pebble's L0CompactionThreshold. Each compaction of scattered changes rewrites tables that a checkpoint had shared: with 1
	// % of 100,000 keys changed at random between checkpoints, 42 % of the bytes
	// went up anew at 4 (Pebble's default), 25 % at 8, 14 % at 16. Reads ask more
	// Bloom filters for it.
	compactAfter = 16
	// stallNever keeps Pebble from making Apply wait without a limit while a
	// flush keeps failing; budget.go makes it wait, and gives up.
	stallNever = 1 << 20
	// memTableArenaMax is the largest arena of one store: beyond it a larger one
	// saves nothing.
	memTableArenaMax = 64 << 20
	// memTableArenaMin is the smallest: below it a flush writes next to nothing.
	memTableArenaMin = 1 << 20
)

// pebbleOptions returns the options of every database, also those opened to
// read only.
func (sh *Shared) pebbleOptions(fs *failStop) *pebble.Options {
	o := &pebble.Options{
		Cache:              sh.cache,
		FileCache:          sh.files,
		FS:                 fs,
		FormatMajorVersion: formatMajorVersion,
		DisableWAL:         true,
		Logger:             fs,

		MemTableSize:                uint64(min(max(sh.opts.MemTableBytes/8, memTableArenaMin), sh.opts.MemTableBytes/2, memTableArenaMax)),
		L0CompactionThreshold:       compactAfter,
		MemTableStopWritesThreshold: stallNever,
		L0StopWritesThreshold:       stallNever,
		MaxManifestFileSize:         pebbleManifestBytesMax,
		CompactionConcurrencyRange:  func() (lower, upper int) { return 1, 1 },
	}
	o.Experimental.CompactionScheduler = newTurns(fs)
	for i := range o.TargetFileSizes {
		o.TargetFileSizes[i] = tableBytes
	}
	for i := range o.Levels {
		// Most reads are for identities that are new, so absent.
		o.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	o.EventListener = &pebble.EventListener{
		BackgroundError: fs.stop,
		DataCorruption: func(i pebble.DataCorruptionInfo) {
			fs.stop(&CorruptError{Path: i.Path, What: "table cannot be read", Err: i.Details})
		},
		DiskSlow: func(i pebble.DiskSlowInfo) { fs.log.Warn(fmt.Sprintf("state store: slow disk: %s", i)) },
	}
	return o
}
