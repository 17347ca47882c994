package state

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// Collection of what no checkpoint needs any more. Peers have deleted what a
// live checkpoint named (FLINK-25395 and others), so: a file goes only if no
// kept manifest names it; manifests go before files; both only after a newer
// manifest is confirmed; and a file must have been without a name for one
// whole checkpoint interval, so that what someone is just uploading for a
// manifest to come stays. The list of such files is in the manifest
// (Manifest.Garbage) and not in memory, so it outlives the process.

// garbageMax bounds that list; what is left out comes next time.
const garbageMax = 10_000

// inventory is what the bucket held before a checkpoint.
type inventory struct {
	valid    map[string]*Manifest // by key
	named    map[string]bool      // contents that the manifests to keep name
	contents map[string]int64     // content hash to size
	due      []string             // what the checkpoint before this one found to be garbage
}

// survey lists the bucket before the checkpoint at cut.
func (a archive) survey(ctx context.Context, cut *Cut, keep int) (*inventory, error) {
	names, err := Manifests(ctx, a.b, a.prefix)
	if err != nil {
		return nil, err
	}
	inv := new(inventory)
	if inv.valid, err = a.load(ctx, names, nil); err != nil {
		return nil, err
	}
	if inv.contents, err = a.contents(ctx); err != nil {
		return nil, err
	}
	at := a.manifestKey(manifestName(cut))
	inv.named = namedBy(inv.valid, oldestKept(inv.valid, at, keep))
	for _, n := range names { // newest first
		if m := inv.valid[n.Key]; m != nil && n.Key < at {
			inv.due = m.Garbage
			break
		}
	}
	return inv, nil
}

// oldestKept returns the key of the oldest manifest that stays when the one
// under key at is in force: keep of the valid ones, from it downwards. Those
// above it stay too: they are another owner's that is ahead of us, or were
// made before an operator reset the offsets; either way not ours to judge,
// and they fall once a cut passes them. Were they counted, the checkpoints
// that follow a reset would delete themselves.
func oldestKept(valid map[string]*Manifest, at string, keep int) string {
	oldest := at
	for _, key := range slices.Backward(slices.Sorted(maps.Keys(valid))) {
		if key < at && keep > 1 {
			oldest = key
			keep--
		}
	}
	return oldest
}

// namedBy returns the contents that the manifests from oldest on name.
func namedBy(valid map[string]*Manifest, oldest string) map[string]bool {
	set := make(map[string]bool)
	for key, m := range valid {
		if key < oldest {
			continue
		}
		for i := range m.Files {
			set[m.Files[i].SHA256] = true
		}
	}
	return set
}

// shares reports whether the file need not be put: a manifest that stays names
// its content, and the bucket has it. What is there but has no name may be
// collected at any moment, so it is put again.
func (inv *inventory) shares(f File) bool {
	return f.Size == 0 || inv.named[f.SHA256] && stored(f, inv.contents)
}

// garbage lists the contents that nobody names once a manifest of files is in
// force.
func (inv *inventory) garbage(files []File) []string {
	own := make(map[string]bool)
	for i := range files {
		own[files[i].SHA256] = true
	}
	var list []string
	for _, sha := range slices.Sorted(maps.Keys(inv.contents)) {
		if !inv.named[sha] && !own[sha] && len(list) < garbageMax {
			list = append(list, sha)
		}
	}
	return list
}

// collect deletes the manifests that no longer stay, then what is due of the
// files that no other names. m is confirmed. Manifests are listed again:
// someone may have published meanwhile. Those that were read a moment ago are
// not read again; one that was repaired since names new files only, and new
// files are not due.
func (a archive) collect(ctx context.Context, m *Manifest, before *inventory, keep int) (pruned, collected int, err error) {
	names, err := Manifests(ctx, a.b, a.prefix)
	if err != nil {
		return 0, 0, err
	}
	at := a.manifestKey(manifestName(&m.Cut))
	before.valid[at] = m
	valid, err := a.load(ctx, names, before.valid)
	if err != nil {
		return 0, 0, err
	}
	oldest := oldestKept(valid, at, keep)
	full := countFrom(valid, oldest, at) == keep
	for _, name := range names {
		if name.Key >= oldest || !full {
			continue
		}
		if err := a.b.Delete(ctx, name.Key); err != nil {
			return pruned, 0, fmt.Errorf("prune checkpoint: %w", err)
		}
		pruned++
	}
	used := namedBy(valid, oldest)
	for _, sha := range before.due {
		if used[sha] {
			continue
		}
		if err := a.b.Delete(ctx, a.fileKey(sha)); err != nil {
			return pruned, collected, fmt.Errorf("collect checkpoint file: %w", err)
		}
		collected++
	}
	return pruned, collected, nil
}

// countFrom counts the valid manifests from oldest to newest.
func countFrom(valid map[string]*Manifest, oldest, newest string) int {
	n := 0
	for key := range valid {
		if key >= oldest && key <= newest {
			n++
		}
	}
	return n
}
