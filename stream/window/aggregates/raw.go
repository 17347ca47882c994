package aggregates

import (
	"encoding/binary"
	"fmt"

	"github.com/tidemark-io/tidemark/schema"
)

// avroOf is the Avro schema, as JSON, of values of type t inside a composite result. It has no named types: an enum is a
// string, a fixed is bytes, as in the rest of a curated record.
func avroOf(t schema.Type) string {
	switch t.Kind {
	case schema.KindBool:
		return `"boolean"`
	case schema.KindInt:
		switch t.Logical {
		case "timestamp-millis", "timestamp-micros", "local-timestamp-millis", "local-timestamp-micros", "time-micros":
			return fmt.Sprintf(`{"type":"long","logicalType":%q}`, t.Logical)
		case "date", "time-millis":
			return fmt.Sprintf(`{"type":"int","logicalType":%q}`, t.Logical)
		}
		return `"long"`
	case schema.KindFloat:
		return `"double"`
	case schema.KindString:
		return `"string"`
	}
	if t.Decimal() {
		return fmt.Sprintf(`{"type":"bytes","logicalType":"decimal","precision":%d,"scale":%d}`, t.Precision, t.Scale)
	}
	return `"bytes"`
}

// rawOf is the type of a composite result with an Avro schema.
func rawOf(avro string) schema.Type {
	return schema.Type{Kind: schema.KindBytes, Avro: "raw", Raw: avro, Nullable: true}
}

// appendAvro appends the value with a key as an Avro datum of avroOf's schema.
func (f form) appendAvro(dst []byte, key string) []byte {
	v := f.value([]byte(key))
	switch f.kind {
	case schema.KindBool:
		return append(dst, byte(v.Num))
	case schema.KindInt:
		return binary.AppendVarint(dst, v.Int())
	case schema.KindFloat:
		return binary.LittleEndian.AppendUint64(dst, v.Num)
	}
	dst = binary.AppendVarint(dst, int64(len(v.Bytes)))
	return append(dst, v.Bytes...)
}
