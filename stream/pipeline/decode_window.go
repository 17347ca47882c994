package pipeline

const windowForm = "write window: {tumbling: 1h}, {hopping: {size: 1h, every: 15m}} or {session: {gap: 30m, within: 1d}}"

// window reads one of tumbling, hopping and session, and the zone.
func (l *loader) window(m *mapping, w *Window) {
	if m.holdsMapping("tumbling") {
		path, n := m.take("tumbling")
		l.faults.add(path, complain("write tumbling: 1h", "must be a duration, not %s", describe(n)))
	} else {
		m.duration("tumbling", &w.Tumbling)
	}
	m.sectionAs("hopping", "write hopping: {size: 1h, every: 15m}", func(m *mapping) {
		w.Hopping = &Hopping{}
		m.duration("size", &w.Hopping.Size)
		m.duration("every", &w.Hopping.Every)
		m.instead("every", "advance", "slide", "hop", "by", "interval", "step")
		m.instead("size", "length", "duration", "width", "range")
		m.refuse("write it beside hopping, as in window: {hopping: {...}, timezone: Europe/Berlin}", "timezone")
	})
	m.sectionAs("session", "write session: {gap: 30m, within: 1d}", func(m *mapping) {
		w.Session = &Session{}
		m.duration("gap", &w.Session.Gap)
		m.duration("within", &w.Session.Within)
		m.instead("gap", "timeout", "inactivity", "inactivity_gap", "idle", "idle_after")
		m.instead("within", "max", "max_duration", "max_length", "limit", "cut")
		m.refuse("write it beside session, as in window: {session: {...}, timezone: Europe/Berlin}", "timezone")
	})
	m.text("timezone", &w.Timezone)
	if w.Timezone == "UTC" {
		w.Timezone = ""
	}
	l.windowElse(m)
}

// windowElse refuses the windows of other engines.
func (l *loader) windowElse(m *mapping) {
	m.instead("tumbling", "tumble", "fixed")
	m.instead("hopping", "hop")
	m.instead("session", "sessions")
	m.instead("timezone", "tz", "zone", "time_zone")
	m.refuse("use hopping: {size: 1h, every: 1m}: windows that move with each event would be as many as there are events", "sliding", "slide", "rolling")
	m.refuse("use tumbling: 1d with emit: {on_update: 10m}, which publishes the window so far again and again", "cumulate", "cumulative", "cumulating", "expanding")
	m.refuse("windows are cut by event time: use tumbling", "global", "count", "rows", "snapshot")
	m.refuse("windows begin at the epoch, or at midnight of timezone: leave it out", "offset", "align", "origin", "start")
	m.refuse("it belongs to the output, beside window", "allowed_lateness", "grace")
	m.refuse(windowForm, "size", "type", "kind", "gap", "within", "every", "length", "duration")
	for _, e := range m.entries {
		switch e.key {
		case "tumbling", "hopping", "session", "timezone", "tz", "zone", "time_zone", "offset", "align", "allowed_lateness", "grace":
		default:
			if e.taken {
				l.faults.silence(m.path) // that none of the three is there has been said
			}
		}
	}
}
