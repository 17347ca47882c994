package lake

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"
)

const (
	ocfMagic  = "Obj\x01"
	syncBytes = 16

	metaCodec     = "avro.codec"
	metaSchema    = "avro.schema"
	metaFormat    = "tidemark.format"
	metaTopic     = "tidemark.topic"
	metaPartition = "tidemark.partition"
	metaHour      = "tidemark.hour"
	metaSchemaID  = "tidemark.schema_id"
	metaFirst     = "tidemark.first_offset"
)

// identity is what a file is about: equal identity and equal records give
// equal bytes (invariant 4).
type identity struct {
	topic     string
	topicID   string
	partition int32
	hour      string // "" for quarantine
	schemaID  uint32
	first     int64
	schema    string // the envelope's
}

// marker derives the sync marker from the identity alone, and from the content
// too when it occurs in it: a producer can foresee the first kind and plant it
// in a payload, where it would mislead readers that split files at markers; the
// second kind he cannot.
func (id identity) marker(blocks []block) [syncBytes]byte {
	h := sha256.New()
	for _, part := range []string{
		"tidemark sync v" + envelopeVersion, id.topic, id.topicID, strconv.Itoa(int(id.partition)), id.hour,
		strconv.FormatUint(uint64(id.schemaID), 10), strconv.FormatInt(id.first, 10), id.schema,
	} {
		h.Write(binary.AppendUvarint(nil, uint64(len(part))))
		h.Write([]byte(part))
	}
	marker := [syncBytes]byte(h.Sum(nil))
	for i := range blocks {
		if !bytes.Contains(blocks[i].records(), marker[:]) {
			continue
		}
		for j := range blocks {
			h.Write(blocks[j].records())
		}
		return [syncBytes]byte(h.Sum(nil))
	}
	return marker
}

// header is the file's first part, up to and with the first marker.
func (id identity) header(marker [syncBytes]byte) []byte {
	meta := [][2]string{
		{metaCodec, "null"},
		{metaSchema, id.schema},
		{metaFormat, envelopeVersion},
		{metaTopic, id.topic},
		{metaPartition, strconv.Itoa(int(id.partition))},
		{metaHour, id.hour},
		{metaSchemaID, strconv.FormatUint(uint64(id.schemaID), 10)},
		{metaFirst, strconv.FormatInt(id.first, 10)},
	}
	out := make([]byte, 0, len(id.schema)+512)
	out = append(out, ocfMagic...)
	out = binary.AppendVarint(out, int64(len(meta)))
	for _, m := range meta {
		out = appendBytes(out, []byte(m[0]))
		out = appendBytes(out, []byte(m[1]))
	}
	out = append(out, 0) // end of the metadata
	return append(out, marker[:]...)
}

// pieces frames the blocks in place and returns the whole file in order, with
// its length and SHA-256. The records' bytes are not copied.
func (id identity) pieces(blocks []block) (pieces [][]byte, size int64, sum string) {
	marker := id.marker(blocks)
	pieces = append(make([][]byte, 0, len(blocks)+1), id.header(marker))
	for i := range blocks {
		pieces = append(pieces, blocks[i].frame(marker))
	}
	h := sha256.New()
	for _, p := range pieces {
		h.Write(p)
		size += int64(len(p))
	}
	return pieces, size, hex.EncodeToString(h.Sum(nil))
}

// frame writes count and size before the records and the marker behind them,
// into the room that was left for them. It may be called again.
func (b *block) frame(marker [syncBytes]byte) []byte {
	var head [blockHead]byte
	framed := binary.AppendVarint(head[:0], b.count)
	framed = binary.AppendVarint(framed, int64(len(b.records())))
	start := blockHead - len(framed)
	copy(b.buf[start:], framed)
	end := len(b.buf)
	return append(b.buf, marker[:]...)[start : end+syncBytes]
}
