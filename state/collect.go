package state

import (
	"context"
	"fmt"
	"slices"

	"github.com/tidemark-io/tidemark/crashpoint"
)

// Collection of what no checkpoint needs any more. Peers have deleted what a
// live checkpoint named (FLINK-25395 and others), and a bucket has no delete
// that fails when something changed meanwhile: whoever is paused between his
// look and his delete, deletes. So it must be settled before the look what
// may ever be deleted, and in the open:
//
//  1. An object's name is used for one upload only: File.Upload.
//  2. A manifest lists as garbage what no kept manifest names. The one that
//     follows condemns what still has no name then, so what someone is just
//     uploading for a manifest to come stays for one interval.
//     Besides, it condemns at once what its maker has found damaged: that must
//     not be named anew, and is deleted when those that name it have gone.
//  3. Condemned is for ever: each manifest repeats what those before it have
//     condemned, as long as it is there; and a manifest goes only when its list
//     has been repeated. No manifest names a condemned object anew.
//  4. Only after a manifest with the list is confirmed are all manifests read
//     again, and what they condemn deleted if none of them names it.
//  5. Who publishes a manifest reads all manifests afterwards. Are files of
//     its own condemned, or gone, it puts them under new names: confirm.
//
// Of two owners, one writes its manifest and then reads the other's list; the
// other writes its list and then reads the manifests. At least one of them
// sees the other, so a checkpoint that was confirmed stays whole, however long
// anyone was paused, until its manifest is pruned. The lists are in manifests
// and not in memory, so they outlive the process.

// garbageMax bounds each list; what is left out comes next time.
const garbageMax = 10_000

// condemn lists what anyone may delete once a manifest with the list is
// there: what was condemned before, all of it, and what had no name when the
// checkpoint before this one was made and has none now.
func (inv *inventory) condemn() []string {
	list := sortedKeys(inv.condemned)
	for _, object := range inv.suspects {
		_, there := inv.contents[object]
		if there && !inv.named[object] && !inv.condemned[object] && len(list) < garbageMax {
			list = append(list, object)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// garbage lists the other objects that nobody who stays names once a manifest
// of files is in force.
func (inv *inventory) garbage(files []File, condemned []string) []string {
	own := make(map[string]bool)
	for i := range files {
		own[files[i].Object()] = true
	}
	var list []string
	for _, object := range sortedKeys(inv.contents) {
		_, doomed := slices.BinarySearch(condemned, object)
		if !inv.kept[object] && !own[object] && !doomed && len(list) < garbageMax {
			list = append(list, object)
		}
	}
	return list
}

// collect deletes the manifests that no longer stay, then what m condemns and
// no other names. m is confirmed, and now was read after that.
func (j *job) collect(ctx context.Context, m *Manifest, before, now *inventory) error {
	at := j.manifestKey(manifestName(&m.Cut))
	full := countFrom(now.whole, now.oldest, at) == j.o.Keep
	used := make(map[string]bool)
	for _, name := range now.names { // newest first
		if name.Key < now.oldest && full && now.spent(before, name.Key) {
			if err := j.prune(ctx, name.Key); err != nil {
				return err
			}
			continue
		}
		if kept := now.manifests[name.Key]; kept != nil {
			for i := range kept.Files {
				used[kept.Files[i].Object()] = true
			}
		}
	}
	for _, object := range m.Condemned {
		if _, there := now.contents[object]; used[object] || !there {
			continue
		}
		crashpoint.Hit("checkpoint/collect")
		if err := j.b.Delete(ctx, j.fileKey(object)); err != nil {
			return fmt.Errorf("collect checkpoint file: %w", err)
		}
		crashpoint.Hit("checkpoint/collected")
		j.stats.Collected++
	}
	return j.tidy(ctx, m, before)
}

func (j *job) prune(ctx context.Context, key string) error {
	crashpoint.Hit("checkpoint/prune")
	if err := j.b.Delete(ctx, key); err != nil {
		return fmt.Errorf("prune checkpoint: %w", err)
	}
	j.stats.Pruned++
	return nil
}

// spent reports whether what the manifest under key condemns is in the list of
// the one that was made after the survey before, so that it can go. One that
// is corrupt condemns nothing that anyone knows of.
func (inv *inventory) spent(before *inventory, key string) bool {
	is := inv.manifests[key]
	if is == nil {
		return true
	}
	was := before.manifests[key]
	return was != nil && slices.Equal(was.Condemned, is.Condemned)
}

// countFrom counts the whole manifests from oldest to newest.
func countFrom(whole map[string]bool, oldest, newest string) int {
	n := 0
	for key := range whole {
		if key >= oldest && key <= newest {
			n++
		}
	}
	return n
}
