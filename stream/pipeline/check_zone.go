package pipeline

import (
	"slices"
	"strings"

	"github.com/tidemark-io/tidemark/schema"
	"github.com/tidemark-io/tidemark/stream/window"
)

// checkZone checks that the zone is there, and that the windows can follow its days.
func (w *Window) checkZone(fs *faultSet, path string) {
	if w.Timezone == "" {
		return
	}
	if c := zoneName(w.Timezone); c != nil {
		fs.add(path+".timezone", c)
		return
	}
	if _, err := window.LoadZone(w.Timezone); err != nil {
		hint := "write a name of the IANA database, as in Europe/Berlin or America/New_York, or UTC"
		if s := suggestZone(w.Timezone); s != "" {
			hint = "did you mean " + s + "?"
		}
		fs.add(path+".timezone", complain(hint, "there is no time zone %q", w.Timezone))
		return
	}
	for _, below := range []string{".tumbling", ".hopping", ".hopping.size", ".hopping.every", ".session", ".session.within"} {
		if !fs.clean(path + below) {
			return
		}
	}
	const days = "windows of a time zone follow its calendar: write whole days"
	switch {
	case w.Hopping != nil:
		if w.Hopping.Size%day != 0 {
			fs.add(path+".hopping.size", complain(days+", or leave timezone out", "%s is no whole number of days", formatDuration(w.Hopping.Size)))
		}
		if w.Hopping.Every%day != 0 {
			fs.add(path+".hopping.every", complain(days+", or leave timezone out", "%s is no whole number of days", formatDuration(w.Hopping.Every)))
		}
	case w.Session != nil && w.Session.Within%day != 0:
		fs.add(path+".session.within", complain(days+", or leave timezone out", "%s is no whole number of days", formatDuration(w.Session.Within)))
	case w.Session == nil && w.Tumbling > 0 && w.Tumbling%day != 0 && day%w.Tumbling != 0:
		fs.add(path+".tumbling", complain(days+", or a part of a day such as 1h, 4h or 12h", "%s does not divide a day", formatDuration(w.Tumbling)))
	}
}

// zoneName complains of what people write that is no name of a zone, or none that means the same everywhere and always.
func zoneName(name string) *complaint {
	const form = "write the name of a place, as in Europe/Berlin or America/New_York"
	switch {
	case name == "Local":
		return complain(form+": what is local depends on the machine", "%q is no fixed time zone", name)
	case strings.HasPrefix(name, "+"), strings.HasPrefix(name, "-"), len(name) > 3 && (strings.HasPrefix(name, "UTC") || strings.HasPrefix(name, "GMT")):
		return complain(form+"; an offset alone knows no daylight saving", "%q is an offset, no time zone", name)
	case slices.Contains([]string{"PST", "PDT", "CST", "CDT", "EDT", "BST", "CEST", "IST", "JST", "AEST", "EST", "MST", "HST"}, name):
		return complain(form, "%q is an abbreviation, which stands for several time zones or half of the year", name)
	}
	return nil
}

// knownZones are those that most people mean.
var knownZones = []string{"UTC", "Europe/London", "Europe/Dublin", "Europe/Lisbon", "Europe/Paris", "Europe/Berlin", "Europe/Madrid", "Europe/Rome",
	"Europe/Amsterdam", "Europe/Brussels", "Europe/Vienna", "Europe/Zurich", "Europe/Stockholm", "Europe/Oslo", "Europe/Copenhagen",
	"Europe/Helsinki", "Europe/Warsaw", "Europe/Prague", "Europe/Budapest", "Europe/Athens", "Europe/Istanbul", "Europe/Kyiv", "Europe/Moscow",
	"America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles", "America/Anchorage", "America/Toronto",
	"America/Vancouver", "America/Mexico_City", "America/Bogota", "America/Lima", "America/Santiago", "America/Sao_Paulo",
	"America/Argentina/Buenos_Aires", "Africa/Cairo", "Africa/Johannesburg", "Africa/Lagos", "Africa/Nairobi", "Asia/Dubai", "Asia/Karachi",
	"Asia/Kolkata", "Asia/Dhaka", "Asia/Bangkok", "Asia/Jakarta", "Asia/Singapore", "Asia/Hong_Kong", "Asia/Shanghai", "Asia/Taipei",
	"Asia/Seoul", "Asia/Tokyo", "Asia/Jerusalem", "Asia/Riyadh", "Australia/Perth", "Australia/Sydney", "Australia/Melbourne",
	"Pacific/Auckland", "Pacific/Honolulu"}

// suggestZone finds the zone that is nearly written so, or whose place is.
func suggestZone(name string) string {
	place := strings.ReplaceAll(strings.TrimSpace(name), " ", "_")
	for _, z := range knownZones {
		if strings.EqualFold(z, place) || strings.EqualFold(z[strings.LastIndexByte(z, '/')+1:], place) {
			return z
		}
	}
	return schema.Suggest(name, knownZones)
}
