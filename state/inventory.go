package state

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// inventory is what the bucket holds of a task at some moment. Manifests are
// read before the files are listed: what is condemned then and not there was
// deleted, and its name is not used again.
type inventory struct {
	archive
	at        string               // key of the manifest of the checkpoint that this is for
	keep      int                  // how many of the whole ones stay
	files     string               // prefix of the objects' keys
	names     []ManifestName       // newest first
	notes     map[string]*note     // that can be read, by key
	oldest    string               // key of the oldest manifest that stays
	manifests map[string]*Manifest // the valid ones, by key
	contents  map[string]int64     // object to size

	named     map[string]bool   // objects that any valid manifest names
	kept      map[string]bool   // of those, the ones that a manifest names which stays
	condemned map[string]bool   // objects there that any valid manifest condemns
	whole     map[string]bool   // manifests, by key, of which nothing is missing, condemned or in doubt
	fresh     []string          // objects in doubt that nobody else has condemned
	suspects  []string          // what the checkpoint before this one found to be garbage
	stock     map[string]string // content hash to the Upload of an object that can be shared
}

// survey reads the bucket for the checkpoint at cut, of which keep will stay.
func (a archive) survey(ctx context.Context, cut *Cut, keep int) (*inventory, error) {
	return a.surveyAt(ctx, a.manifestKey(manifestName(cut)), keep)
}

// surveyAt reads the bucket for the checkpoint under key at.
func (a archive) surveyAt(ctx context.Context, at string, keep int) (*inventory, error) {
	names, notes, err := a.listed(ctx)
	if err != nil {
		return nil, err
	}
	inv := &inventory{archive: a, at: at, keep: keep, files: a.filesPrefix(), names: names, notes: map[string]*note{}}
	if inv.manifests, err = a.load(ctx, names); err != nil {
		return nil, err
	}
	for _, key := range notes {
		n, err := a.loadNote(ctx, key)
		if err != nil {
			return nil, err
		}
		if n != nil {
			inv.notes[key] = n
		}
	}
	if inv.contents, err = a.contents(ctx); err != nil {
		return nil, err
	}
	inv.sort()
	return inv, nil
}

// load reads the manifests of names. A corrupt one is passed over: nothing can
// be restored from it. One of a newer release is an error, since nobody here
// knows what it names.
func (a archive) load(ctx context.Context, names []ManifestName) (map[string]*Manifest, error) {
	found := make(map[string]*Manifest, len(names))
	for _, name := range names {
		m, err := LoadManifest(ctx, a.b, name.Key)
		var corrupt *CorruptError
		switch {
		case err == nil:
			found[name.Key] = m
		case errors.As(err, &corrupt) || errors.Is(err, blob.ErrNotFound):
		default:
			return nil, err
		}
	}
	return found, nil
}

// sort fills in what follows from manifests, contents and doubts.
func (inv *inventory) sort() {
	inv.named, inv.kept, inv.condemned = map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, m := range inv.manifests {
		inv.doom(m.Condemned)
	}
	for _, n := range inv.notes {
		inv.doom(n.Condemned)
	}
	inv.doubt()
	inv.whole = map[string]bool{}
	for key, m := range inv.manifests {
		if !inv.doubts.has(key) && len(inv.endangered(m.Files)) == 0 {
			inv.whole[key] = true
		}
	}
	inv.oldest = oldestKept(inv.whole, inv.at, inv.keep)
	for key, m := range inv.manifests {
		for i := range m.Files {
			object := m.Files[i].Object()
			inv.named[object] = true
			inv.kept[object] = inv.kept[object] || key >= inv.oldest
		}
	}
	inv.stock = map[string]string{}
	for _, n := range inv.names { // newest first
		m := inv.manifests[n.Key]
		if m == nil {
			continue
		}
		if n.Key < inv.at && inv.suspects == nil {
			inv.suspects = append([]string{}, m.Garbage...)
		}
		for i := range m.Files {
			f := &m.Files[i]
			if _, known := inv.stock[f.SHA256]; !known && !inv.danger(f) {
				inv.stock[f.SHA256] = f.Upload
			}
		}
	}
}

// doom enters what someone has condemned, as far as it is there.
func (inv *inventory) doom(objects []string) {
	for _, object := range objects {
		if _, there := inv.contents[object]; there {
			inv.condemned[object] = true
		}
	}
}

// doubt condemns what this process has found damaged, so that nobody shares it
// anew. It stays for as long as a manifest names it.
func (inv *inventory) doubt() {
	inv.fresh = nil
	for _, object := range sortedKeys(inv.contents) {
		if inv.doubts.has(inv.fileKey(object)) && !inv.condemned[object] {
			inv.fresh = append(inv.fresh, object)
		}
	}
	inv.doom(inv.fresh)
}

// wholeOnes lists the whole manifests, newest first, but for those below the
// oldest that stays.
func (inv *inventory) wholeOnes() (list []ManifestName) {
	for _, n := range inv.names {
		if inv.whole[n.Key] && n.Key >= inv.oldest {
			list = append(list, n)
		}
	}
	return list
}

// danger reports whether the file's object is gone, or may go at any moment.
func (inv *inventory) danger(f *File) bool {
	return !stored(f, inv.contents) || f.Size > 0 && inv.condemned[f.Object()]
}

// endangered returns those of the files that are in danger, by name.
func (inv *inventory) endangered(files []File) map[string]bool {
	set := map[string]bool{}
	for i := range files {
		if inv.danger(&files[i]) {
			set[files[i].Name] = true
		}
	}
	return set
}

// share completes what is known of a file if its content need not be put: a
// manifest names an object of it, which is there and not condemned. What is
// there but has no name may be condemned, so it is put again. Only tables are
// shared: what else there is (OPTIONS, the database's MANIFEST) is small, and
// would be one object for all checkpoints.
func (inv *inventory) share(f *File) bool {
	upload, ok := inv.stock[f.SHA256]
	if !immutable(f.Name) {
		upload, ok = "", false
	}
	f.Upload = upload
	return ok || f.Size == 0
}

// oldestKept returns the key of the oldest manifest that stays when the one
// under key at is in force: keep of the whole ones, from it downwards. Those
// above it stay too: they are another owner's that is ahead of us, or were
// made before an operator reset the offsets; either way not ours to judge,
// and they fall once a cut passes them. Were they counted, the checkpoints
// that follow a reset would delete themselves.
func oldestKept(whole map[string]bool, at string, keep int) string {
	oldest := at
	for _, key := range slices.Backward(sortedKeys(whole)) {
		if key < at && keep > 1 {
			oldest = key
			keep--
		}
	}
	return oldest
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
