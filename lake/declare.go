package lake

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// schemaBytesMax bounds the text of a writer schema, which is in the header of
// every file.
const schemaBytesMax = 4 << 20

// Declaration says what an event of a topic is. It is made once per topic and
// holds for every pipeline that reads it, because the places of records in the
// lake follow from it.
type Declaration struct {
	Topic     string
	TopicID   string   // Kafka's, as text; "" when not known
	EventTime string   // path of the field that is the event time
	EventID   []string // paths of the fields that identify an event; may be empty
	Format    string   // how record values carry the datum, such as "avro" or "json"
	Schemas   []SchemaDecl
}

// SchemaDecl is one writer schema of a topic.
type SchemaDecl struct {
	ID   uint32 // 0 when records carry no id
	JSON string // the schema: an Avro record; or {"type":"bytes", ...} for values that are no Avro
}

// declaration is Declaration as it is stored; schemas are objects of their own.
type declaration struct {
	Version   int      `json:"version"`
	Topic     string   `json:"topic"`
	TopicID   string   `json:"topic_id"`
	EventTime string   `json:"event_time"`
	EventID   []string `json:"event_id"`
	Format    string   `json:"format"`
}

type schemaObject struct {
	Version int             `json:"version"`
	ID      uint32          `json:"id"`
	Schema  json.RawMessage `json:"schema"`
}

func (d *Declaration) validate() error {
	switch {
	case d.Topic == "":
		return errors.New("declare a topic in the lake: the topic has no name")
	case d.EventTime == "":
		return fmt.Errorf("declare topic %s in the lake: no event time", d.Topic)
	case d.Format == "":
		return fmt.Errorf("declare topic %s in the lake: no format", d.Topic)
	}
	if err := blob.ValidateKey(declarationKey(d.Topic)); err != nil {
		return fmt.Errorf("declare topic %q in the lake: %w", d.Topic, err)
	}
	seen := map[uint32]bool{}
	for _, s := range d.Schemas {
		if seen[s.ID] {
			return fmt.Errorf("declare topic %s in the lake: schema %d is given twice", d.Topic, s.ID)
		}
		seen[s.ID] = true
		if err := validateSchema(s.JSON); err != nil {
			return fmt.Errorf("declare topic %s in the lake: schema %d: %w", d.Topic, s.ID, err)
		}
	}
	return nil
}

// validateSchema asks only what the envelope needs; what the schema means is
// the business of package schema.
func validateSchema(text string) error {
	var top struct {
		Type string `json:"type"`
	}
	if len(text) > schemaBytesMax {
		return fmt.Errorf("it has %d bytes, at most %d are allowed", len(text), schemaBytesMax)
	}
	if err := json.Unmarshal([]byte(text), &top); err != nil {
		return fmt.Errorf("it is no Avro record schema: %w", err)
	}
	if top.Type != "record" && top.Type != "bytes" {
		return fmt.Errorf("it is no Avro record schema, nor bytes: its type is %q", top.Type)
	}
	return nil
}

// declare stores d unless the topic is declared, and returns what is stored.
func declare(ctx context.Context, b blob.Bucket, d *Declaration) (declaration, error) {
	want := declaration{
		Version: formatVersion, Topic: d.Topic, TopicID: d.TopicID,
		EventTime: d.EventTime, EventID: append([]string{}, d.EventID...), Format: d.Format,
	}
	have, err := readDeclaration(ctx, b, d.Topic)
	if errors.Is(err, blob.ErrNotFound) {
		have, err = want, putSealed(ctx, b, declarationKey(d.Topic), want)
		if errors.Is(err, blob.ErrExists) {
			have, err = readDeclaration(ctx, b, d.Topic)
		}
	}
	if err != nil {
		return declaration{}, fmt.Errorf("declare topic %s in the lake: %w", d.Topic, err)
	}
	return have, have.compare(want)
}

// putSealed puts a JSON object if absent.
func putSealed(ctx context.Context, b blob.Bucket, key string, v any) error {
	data, err := sealJSON(v)
	if err != nil {
		return err
	}
	return b.PutIfAbsent(ctx, key, data)
}

func readDeclaration(ctx context.Context, b blob.Bucket, topic string) (declaration, error) {
	key := declarationKey(topic)
	data, err := b.Get(ctx, key)
	if err != nil {
		return declaration{}, err
	}
	var d declaration
	if err := openObject(key, data, formatVersion, &d); err != nil {
		return declaration{}, err
	}
	if d.Topic != topic {
		return declaration{}, &CorruptError{Path: key, What: fmt.Sprintf("it is of topic %q", d.Topic)}
	}
	return d, nil
}

// compare refuses what would put records of one topic into places that follow
// from two definitions. The order of the id's fields does not matter.
func (have *declaration) compare(want declaration) error {
	haveID, wantID := slices.Sorted(slices.Values(have.EventID)), slices.Sorted(slices.Values(want.EventID))
	fixed := "it is declared once per topic; use the declared one, or land in another bucket"
	switch {
	case have.TopicID != want.TopicID && have.TopicID != "" && want.TopicID != "":
		return &DeclarationError{Topic: have.Topic, Field: "topic_id", Have: have.TopicID, Want: want.TopicID,
			Hint: "the topic was deleted and created anew: its offsets mean other records now; land it in another bucket"}
	case have.EventTime != want.EventTime:
		return &DeclarationError{Topic: have.Topic, Field: "event_time", Have: have.EventTime, Want: want.EventTime, Hint: fixed}
	case !slices.Equal(haveID, wantID):
		return &DeclarationError{Topic: have.Topic, Field: "event_id", Have: fieldList(haveID), Want: fieldList(wantID), Hint: fixed}
	case have.Format != want.Format:
		return &DeclarationError{Topic: have.Topic, Field: "format", Have: have.Format, Want: want.Format, Hint: fixed}
	}
	return nil
}

func fieldList(paths []string) string { return "[" + strings.Join(paths, ", ") + "]" }

// declareSchema stores a writer schema unless its id is taken, and returns the
// stored text: every writer puts that one into files, so that they are equal.
func declareSchema(ctx context.Context, b blob.Bucket, topic string, s SchemaDecl) (string, error) {
	want, err := compactJSON(s.JSON)
	if err != nil {
		return "", fmt.Errorf("declare schema %d of topic %s: %w", s.ID, topic, err)
	}
	key := schemaKey(topic, s.ID)
	have, err := readSchema(ctx, b, topic, s.ID)
	if errors.Is(err, blob.ErrNotFound) {
		have, err = want, putSealed(ctx, b, key, schemaObject{formatVersion, s.ID, json.RawMessage(want)})
		if errors.Is(err, blob.ErrExists) {
			have, err = readSchema(ctx, b, topic, s.ID)
		}
	}
	if err != nil {
		return "", fmt.Errorf("declare schema %d of topic %s: %w", s.ID, topic, err)
	}
	if have != want && !equalJSON(have, want) {
		return "", &DeclarationError{Topic: topic, Field: fmt.Sprintf("schema %d", s.ID), Have: "another schema than the given one (see " + key + ")",
			Want: "the given one", Hint: "an id keeps its schema for ever; give a changed schema another id"}
	}
	return have, nil
}

func readSchema(ctx context.Context, b blob.Bucket, topic string, id uint32) (string, error) {
	key := schemaKey(topic, id)
	data, err := b.Get(ctx, key)
	if err != nil {
		return "", err
	}
	var s schemaObject
	if err := openObject(key, data, formatVersion, &s); err != nil {
		return "", err
	}
	if s.ID != id {
		return "", &CorruptError{Path: key, What: fmt.Sprintf("it is of schema %d", s.ID)}
	}
	if err := validateSchema(string(s.Schema)); err != nil {
		return "", &CorruptError{Path: key, What: err.Error()}
	}
	return string(s.Schema), nil
}

func compactJSON(text string) (string, error) {
	var out bytes.Buffer
	if err := json.Compact(&out, []byte(text)); err != nil {
		return "", err
	}
	return out.String(), nil
}

// equalJSON compares meaning: spaces and the order of members do not count.
func equalJSON(a, b string) bool {
	var parsed [2]any
	for i, text := range []string{a, b} {
		dec := json.NewDecoder(strings.NewReader(text))
		dec.UseNumber()
		if dec.Decode(&parsed[i]) != nil {
			return false
		}
	}
	return reflect.DeepEqual(parsed[0], parsed[1])
}
