package window

import "encoding/binary"

// The first bytes of state keys (FORMAT.md). They are also the version of what follows: another layout of keys takes
// other bytes.
const (
	prefixWindow       = 0x10 // output, start, group key: one record
	prefixWindowHeader = 0x11 // output, start: number of groups
	prefixMeta         = 0x12 // one key: version, layout, highest watermark closed
	prefixSession      = 0x13 // output, span's start, group key, first event's time: one session
	prefixSessionSpan  = 0x14 // output, span's start: number of its sessions, time of the last event
	prefixSessionDue   = 0x15 // output, closing watermark, group key, first event's time: nothing
	prefixEvent        = 0x20 // expiry, identity: outputs that have counted it
	prefixEventHeader  = 0x21 // expiry: number of identities
	prefixEnd          = 0x30 // no key of this package is at or above it

	windowPrefixLen = 1 + 2 + 8
	eventPrefixLen  = 1 + 8
	identityLen     = 16
)

// appendWindowKey appends the key of a window's header, or the beginning of the keys of its records.
func appendWindowKey(dst []byte, prefix byte, output int, start int64) []byte {
	dst = append(dst, prefix)
	dst = binary.BigEndian.AppendUint16(dst, uint16(output))
	return appendTime(dst, start)
}

func appendEventKey(dst []byte, prefix byte, expiry int64) []byte {
	return appendTime(append(dst, prefix), expiry)
}

// appendTime appends a time so that bytes order as times do.
func appendTime(dst []byte, t int64) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(t)^signBit)
}

func timeAt(b []byte) int64 { return int64(binary.BigEndian.Uint64(b) ^ signBit) }
