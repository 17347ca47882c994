package pipeline

import (
	"testing"
	"time"
)

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "0s": 0, "200ms": 200 * time.Millisecond, "30m": 30 * time.Minute, "1h30m": 90 * time.Minute,
		"1d12h30m15s7ms": 36*time.Hour + 30*time.Minute + 15*time.Second + 7*time.Millisecond, "366d": 366 * day, "36500d": durationMax,
	} {
		got, c := parseDuration(text)
		if c != nil || got != want {
			t.Errorf("%s is %v, %v", text, got, c)
		}
		if again, c := parseDuration(formatDuration(got)); c != nil || again != got {
			t.Errorf("%s is shown as %s, which is %v, %v", text, formatDuration(got), again, c)
		}
	}
	for _, text := range []string{"", "1", "m", "1.5h", "1,5h", "-1h", "1h1h", "1m1h", "1mo", "1M", "1w", "1y", "1us", "1 h", " 1h", "1h ",
		"36500d1ms", "36501d", "99999999999999999999h", "9223372036854775807ms", "１h", "1e3s", "+1h", "1hour"} {
		if d, c := parseDuration(text); c == nil || c.hint == "" {
			t.Errorf("%q is read as %v, or refused without saying what to do: %v", text, d, c)
		}
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{"1KiB": 1 << 10, "64MiB": 64 << 20, "3GiB": 3 << 30, "0MiB": 0} {
		if got, c := parseSize(text); c != nil || got != want {
			t.Errorf("%s is %d, %v", text, got, c)
		}
	}
	for _, text := range []string{"", "64", "64MB", "64 MiB", "1.5GiB", "-1KiB", "MiB", "9999999999999GiB", "99999999999999999999KiB", "1TiB", "64mib"} {
		if n, c := parseSize(text); c == nil || c.hint == "" {
			t.Errorf("%q is read as %d, or refused without saying what to do: %v", text, n, c)
		}
	}
}

func TestPercentages(t *testing.T) {
	for text, want := range map[string]float64{"5%": 0.05, "0%": 0, "100%": 1, "2.5%": 0.025, "250%": 2.5} {
		if got, c := parsePercent(text); c != nil || got != want {
			t.Errorf("%s is %v, %v", text, got, c)
		}
	}
	for _, text := range []string{"", "5", "0.05", "%", "-5%", "5 %", "1e2%", ".%", "1.2.3%", "NaN%", "Inf%", "0x5%"} {
		if f, c := parsePercent(text); c == nil || c.hint == "" {
			t.Errorf("%q is read as %v, or refused without saying what to do: %v", text, f, c)
		}
	}
}
