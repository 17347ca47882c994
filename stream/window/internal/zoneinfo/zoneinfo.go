// Package zoneinfo holds the time zones of the IANA Time Zone Database, release 2025c, so that every machine cuts
// windows at the same instants: Go's time.LoadLocation prefers whatever files a system has. The archive is the one
// that the Go project compiles from the database (its README: lib/time in the Go distribution); IANA asserts that the
// database is in the public domain. Another release changes results of windows in the zones that it changes, and of
// no others: window.Zone.Hash tells.
//
// Invariant: what a name stands for is a function of the program's bytes. Nothing is read from the machine.
package zoneinfo

import (
	"archive/zip"
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"
)

//go:embed zoneinfo.zip
var archive []byte

// ErrUnknown: the database has no zone of such a name.
var ErrUnknown = errors.New("no time zone of the IANA database")

// Names is the names of all zones, in order.
func Names() ([]string, error) {
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, fmt.Errorf("time zones in the program: %w", err)
	}
	var names []string
	for _, f := range r.File {
		names = append(names, f.Name)
	}
	slices.Sort(names)
	return names, nil
}

// unknown says that there is no such zone, and which may have been meant.
func unknown(name string) error {
	names, err := Names()
	if err != nil {
		return err
	}
	for _, is := range names {
		if strings.EqualFold(is, name) || name != "" && strings.HasSuffix(strings.ToLower(is), "/"+strings.ToLower(strings.ReplaceAll(name, " ", "_"))) {
			return fmt.Errorf("%q is %w: is %s meant?", name, ErrUnknown, is)
		}
	}
	return fmt.Errorf("%q is %w: names are like America/New_York, Asia/Kolkata, UTC", name, ErrUnknown)
}

// Load is the zone of an IANA name, such as America/New_York. Case matters.
func Load(name string) (*time.Location, error) {
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, fmt.Errorf("time zones in the program: %w", err)
	}
	f, err := r.Open(name)
	if name == "" || strings.HasSuffix(name, "/") || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return nil, unknown(name)
	}
	if err != nil {
		return nil, fmt.Errorf("time zone %q: %w", name, err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.IsDir() {
		return nil, fmt.Errorf("%q is %w: it is a part of names", name, ErrUnknown)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("time zone %q: %w", name, err)
	}
	return time.LoadLocationFromTZData(name, data)
}
