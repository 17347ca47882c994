package lake

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/tidemark-io/tidemark/lake/blob"
)

const (
	quarantineDir = "_quarantine"
	logDir        = "_log/"
	startDir      = "_log/_start/"
	schemaDir     = "_schema/"
	shaPrefix     = 16 // hex digits of a file's SHA-256 in its name
)

// topicPrefix is where everything of a topic lies, with the last slash.
func topicPrefix(topic string) string { return "raw/" + blob.EncodeName(topic) + "/" }

func declarationKey(topic string) string { return topicPrefix(topic) + "_topic.json" }

func schemaKey(topic string, id uint32) string {
	return fmt.Sprintf("%s%s%010d.json", topicPrefix(topic), schemaDir, id)
}

func startKey(topic string, partition int32) string {
	return fmt.Sprintf("%s%s%010d.json", topicPrefix(topic), startDir, partition)
}

func entryKey(topic string, partition int32, first int64) string {
	return fmt.Sprintf("%s%s%d/%020d.json", topicPrefix(topic), logDir, partition, first)
}

// fileKey is the key of a raw file, or of a quarantine file when hour is "".
func fileKey(topic, hour string, partition int32, first int64, sha string) string {
	if hour == "" {
		hour = quarantineDir
	}
	return fmt.Sprintf("%s%s/%d-%d-%s.avro", topicPrefix(topic), hour, partition, first, sha[:shaPrefix])
}

// entryName and dataName recognise the two kinds of names by their text below
// the topic's prefix.
var (
	entryName = regexp.MustCompile(`^_log/(0|[1-9][0-9]{0,9})/([0-9]{20})\.json$`)
	startName = regexp.MustCompile(`^_log/_start/([0-9]{10})\.json$`)
	dataName  = regexp.MustCompile(`^(dt=[0-9]{4}-[0-9]{2}-[0-9]{2}/hr=[0-9]{2}|_quarantine)/(0|[1-9][0-9]{0,9})-(0|[1-9][0-9]{0,18})-[0-9a-f]{16}\.avro$`)
)

// place is what the name of an object says about it.
type place struct {
	partition int32
	first     int64
}

// parsePlace reads a name that one of the patterns matched, partition and
// offset being the groups at and at+1.
func parsePlace(groups []string, at int) (place, bool) {
	partition, err := strconv.ParseInt(groups[at], 10, 32)
	if err != nil {
		return place{}, false
	}
	first := int64(0)
	if at+1 < len(groups) {
		if first, err = strconv.ParseInt(groups[at+1], 10, 64); err != nil {
			return place{}, false
		}
	}
	return place{partition: int32(partition), first: first}, true
}

// parseName applies one of the patterns to a key of the topic.
func parseName(topic, key string, pattern *regexp.Regexp, at int) (place, bool) {
	groups := pattern.FindStringSubmatch(strings.TrimPrefix(key, topicPrefix(topic)))
	if groups == nil {
		return place{}, false
	}
	return parsePlace(groups, at)
}
