package reconcile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// A sealed document is an indented JSON object whose last member is the SHA-256 of all bytes before that member's comma.
// A certificate says of itself alone what can't be computed again: who approved it, by what evidence it corrected. Nothing
// else would show that a bit of that was altered.
const (
	sealHead = ",\n \"sum\": \""
	sealTail = "\"\n}\n"
	sealSize = len(sealHead) + 2*sha256.Size + len(sealTail)
)

// sealJSON adds the checksum to an indented object that ends in a newline.
func sealJSON(b []byte) []byte {
	b = bytes.TrimSuffix(b, []byte("\n}\n"))
	sum := sha256.Sum256(b)
	return append(append(append(b, sealHead...), hex.EncodeToString(sum[:])...), sealTail...)
}

// unsealJSON checks a document's checksum, if it ends in one.
func unsealJSON(data []byte) (sealed bool, err error) {
	at := len(data) - sealSize
	if at < 0 || !bytes.HasPrefix(data[at:], []byte(sealHead)) || !bytes.HasSuffix(data, []byte(sealTail)) {
		return false, nil
	}
	sum := sha256.Sum256(data[:at])
	if want := data[at+len(sealHead) : len(data)-len(sealTail)]; hex.EncodeToString(sum[:]) != string(want) {
		return true, fmt.Errorf("its bytes hash to %x and it says %s: it was altered", sum, want)
	}
	return true, nil
}
