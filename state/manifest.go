package state

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
	"time"
)

// ManifestVersion is the version of manifests that this release writes. It reads all before it.
const ManifestVersion = 2

// Limits of a manifest: what is read from a bucket is input.
const (
	manifestBytesMax = 64 << 20
	filesMax         = 100_000
	fileNameBytesMax = 128
)

// Manifest names the files of one checkpoint. It is put after everything that
// it names, under a key that says its cut, and not changed afterwards.
// FORMAT.md describes its bytes.
type Manifest struct {
	Version   int    `json:"version"`    // ManifestVersion
	Cut       Cut    `json:"cut"`        // read from the files themselves
	CreatedAt int64  `json:"created_at"` // ms since the epoch, UTC
	Files     []File `json:"files"`      // by name

	// Garbage lists the objects that no kept manifest named when this one was
	// made. The checkpoint after this one condemns them unless someone names
	// them by then: see collect.go.
	Garbage []string `json:"garbage,omitempty"`
	// Condemned lists the objects that anyone may delete from now on, at any
	// moment, unless a manifest names them already: none may name them anew.
	Condemned []string `json:"condemned,omitempty"`
}

// File is one file of a checkpoint. Its content is the object
// <prefix>/files/<Object>; an empty file has no object.
type File struct {
	Name   string `json:"name"` // within the store's directory
	Size   int64  `json:"size"` // bytes
	CRC32C string `json:"crc32c"`
	SHA256 string `json:"sha256"`
	// Upload tells apart the objects of one content: each checkpoint that puts
	// it does so under a name of its own, which is never used again once the
	// object is gone. Empty in version 1.
	Upload string `json:"upload,omitempty"`
}

// Object returns the name of the file's object under <prefix>/files/.
func (f *File) Object() string {
	if f.Upload == "" {
		return f.SHA256
	}
	return f.SHA256 + "-" + f.Upload
}

// uploadBytes is the length of File.Upload in bytes; it is written in hex.
const uploadBytes = 8

// validObject reports whether s can be what Object returned.
func validObject(s string) bool {
	sha, upload, found := strings.Cut(s, "-")
	return isHex(sha, 32) && (!found || isHex(upload, uploadBytes))
}

// CreatedTime returns CreatedAt as a time.
func (m *Manifest) CreatedTime() time.Time { return time.UnixMilli(m.CreatedAt).UTC() }

// SizeBytes returns the size of all files together.
func (m *Manifest) SizeBytes() int64 {
	var n int64
	for i := range m.Files {
		n += m.Files[i].Size
	}
	return n
}

// Validate reports every fault of the manifest at once.
func (m *Manifest) Validate() error {
	var errs []error
	if m.Version < 1 || m.Version > ManifestVersion {
		errs = append(errs, fmt.Errorf("manifest version %d, want 1 to %d", m.Version, ManifestVersion))
	}
	if len(m.Files) == 0 || len(m.Files) > filesMax {
		errs = append(errs, fmt.Errorf("manifest of %d files: want 1 to %d", len(m.Files), filesMax))
	}
	for i := range m.Files {
		f := &m.Files[i]
		if !validFileName(f.Name) || f.Size < 0 || !isHex(f.CRC32C, 4) || !isHex(f.SHA256, 32) || f.Upload != "" && !isHex(f.Upload, uploadBytes) {
			errs = append(errs, fmt.Errorf("file %q of %d bytes, crc32c %q, sha256 %q, upload %q", f.Name, f.Size, f.CRC32C, f.SHA256, f.Upload))
		}
		if i > 0 && f.Name <= m.Files[i-1].Name {
			errs = append(errs, fmt.Errorf("file %q is listed after %q", f.Name, m.Files[i-1].Name))
		}
	}
	for _, g := range m.Garbage {
		if !validObject(g) {
			errs = append(errs, fmt.Errorf("garbage %q", g))
		}
	}
	for _, g := range m.Condemned {
		if !validObject(g) {
			errs = append(errs, fmt.Errorf("condemned %q", g))
		}
	}
	return join(append(errs, m.Cut.faults()...)...)
}

// validFileName keeps what a manifest says inside the store's directory.
func validFileName(s string) bool {
	if s == "" || len(s) > fileNameBytesMax || s[0] == '.' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && !strings.ContainsRune("-._", rune(c)) {
			return false
		}
	}
	return true
}

func isHex(s string, n int) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == n && s == hex.EncodeToString(b)
}

// envelope is what an object holds: the manifest as it stands, and its CRC.
type envelope struct {
	CRC32C   string          `json:"crc32c"`
	Manifest json.RawMessage `json:"manifest"`
}

// encode returns the object's bytes.
func (m *Manifest) encode() ([]byte, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	body, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	data := fmt.Appendf(nil, "{\"crc32c\":\"%08x\",\"manifest\":", crc32.Checksum(body, castagnoli))
	return append(append(data, body...), "}\n"...), nil
}

// decodeManifest reads what encode wrote. Errors are the bytes' fault, except
// ErrNewerVersion.
func decodeManifest(data []byte) (*Manifest, error) {
	if len(data) > manifestBytesMax {
		return nil, fmt.Errorf("manifest of %d bytes, at most %d", len(data), manifestBytesMax)
	}
	var e envelope
	if err := json.Unmarshal(data, &e); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if got := fmt.Sprintf("%08x", crc32.Checksum(e.Manifest, castagnoli)); got != e.CRC32C {
		return nil, fmt.Errorf("manifest says crc32c %q, its bytes have %s", e.CRC32C, got)
	}
	var head struct {
		Version int `json:"version"`
		Cut     struct {
			Version int `json:"version"`
		} `json:"cut"`
	}
	if err := json.Unmarshal(e.Manifest, &head); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if head.Version > ManifestVersion || head.Cut.Version > CutVersion {
		return nil, fmt.Errorf("manifest version %d with cut version %d, this release reads %d and %d: %w",
			head.Version, head.Cut.Version, ManifestVersion, CutVersion, ErrNewerVersion)
	}
	m := new(Manifest)
	if err := json.Unmarshal(e.Manifest, m); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	return m, m.Validate()
}

// ManifestName is what the key of a manifest says.
type ManifestName struct {
	Key string
	Position
	Fingerprint string
}

const (
	offsetDigits  = 20
	journalDigits = 10
)

// manifestName returns the name of a cut's manifest, without the prefix: next
// offsets, journal and fingerprint. Names sort as cuts do, and begin with a
// zero, since an int64 has 19 digits; a listing of <prefix>/0 is therefore the
// manifests and nothing else.
func manifestName(c *Cut) string {
	var b strings.Builder
	for i := range c.Sources {
		if i > 0 {
			b.WriteByte('.')
		}
		fmt.Fprintf(&b, "%0*d", offsetDigits, c.Sources[i].Next)
	}
	fmt.Fprintf(&b, "-%0*d-%s.json", journalDigits, c.Journal, c.Fingerprint)
	return b.String()
}

// parseManifestName reverses manifestName.
func parseManifestName(name string) (ManifestName, bool) {
	stem, ok := strings.CutSuffix(name, ".json")
	parts := strings.Split(stem, "-")
	if !ok || len(parts) != 3 || !validFingerprint(parts[2]) {
		return ManifestName{}, false
	}
	n := ManifestName{Fingerprint: parts[2]}
	for offset := range strings.SplitSeq(parts[0], ".") {
		next, ok := parseDigits(offset, offsetDigits)
		if !ok {
			return ManifestName{}, false
		}
		n.Next = append(n.Next, next)
	}
	n.Journal, ok = parseDigits(parts[1], journalDigits)
	return n, ok
}

func parseDigits(s string, n int) (int64, bool) {
	if len(s) != n || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	v, err := strconv.ParseInt(s, 10, 64)
	return v, err == nil
}
