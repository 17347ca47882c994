package damage_test

import (
	"bytes"
	"encoding/json"
	"path"
	"strings"

	"github.com/tidemark-io/tidemark/state"
)

// harmless says why a change of what is at rest may go unnoticed; "" if it may not. That the results are right has been seen
// before it is asked.
func harmless(m *mutation, at rest) string {
	for p, to := range m.to {
		why := harmlessOne(p, m.kind, to, at)
		if why == "" {
			return ""
		}
		if len(m.to) == 1 {
			return why
		}
	}
	return "each for itself"
}

func harmlessOne(p string, k kind, to []byte, at rest) string {
	switch k {
	case "local lock":
		return "a lock has no contents"
	case "local WAL":
		return "there is no WAL: Kafka is the log. Pebble makes the file and nobody writes to it"
	case "local OPTIONS":
		return "what the last process was set to; the next one has settings of its own"
	case "local marker":
		if to != nil {
			return "a marker says by its name what it says"
		}
	case "local MANIFEST":
		if !current(p, at) {
			return "the marker names another MANIFEST"
		}
		return "a MANIFEST that ends sooner is the store after a crash: the gap is replayed"
	case "checkpoint file":
		if !inManifest(p, at) {
			return "garbage: no manifest names it"
		}
		if to != nil && bytes.HasPrefix(to, at[p]) {
			return "the manifest says how many bytes are read"
		}
	case "checkpoint manifest":
		if to == nil {
			return "a manifest that is gone is one that was pruned; the disk is newer"
		}
		if body(to) != "" && body(to) == body(at[p]) {
			return "outside of what the manifest's checksum covers"
		}
	case "lake log start":
		if to == nil && !begun(p, at) {
			return "nothing was landed there yet: the marker is put again"
		}
	case "source log entry", "result log entry":
		if to == nil && last(p, at) {
			return "a log that ends sooner: the range is landed again from Kafka"
		}
	case "certificate":
		if to == nil && last(p, at) {
			return "a unit without its last certificate is compared and certified anew"
		}
	case "plan":
		return "read by who approves it, who compares each unit's id with what it is now"
	}
	return ""
}

// current reports whether a marker names the MANIFEST.
func current(p string, at rest) bool {
	for _, marker := range at.below(path.Dir(p) + "/marker.manifest.") {
		if strings.HasSuffix(marker, path.Base(p)) {
			return true
		}
	}
	return false
}

// inManifest reports whether any manifest names the file.
func inManifest(p string, at rest) bool {
	sum, upload, _ := strings.Cut(path.Base(p), "-")
	for _, m := range at.byKind()["checkpoint manifest"] {
		var stored struct{ Manifest state.Manifest }
		if err := json.Unmarshal(at[m], &stored); err != nil {
			continue // another change has damaged it
		}
		for _, f := range stored.Manifest.Files {
			if f.SHA256 == sum && f.Upload == upload { // what is put anew has the same sum
				return true
			}
		}
	}
	return false
}

// body is what the checksum of a checkpoint's manifest covers.
func body(data []byte) string {
	i, j := bytes.IndexByte(data, ':'), bytes.LastIndexByte(data, '}')
	if i < 0 || j < 0 {
		return ""
	}
	inner := data[i:j]
	k := bytes.IndexByte(inner, '{')
	if k < 0 {
		return ""
	}
	return string(inner[k:])
}

// last reports whether a log entry is the last of its partition.
func last(p string, at rest) bool {
	entries := at.below(path.Dir(p) + "/")
	return entries[len(entries)-1] == p
}

// begun reports whether the partition of a log's start marker has entries.
func begun(p string, at rest) bool {
	log := path.Dir(path.Dir(p))
	partition := strings.TrimLeft(strings.TrimSuffix(path.Base(p), ".json"), "0")
	if partition == "" {
		partition = "0"
	}
	return len(at.below(log+"/"+partition+"/")) > 0
}
