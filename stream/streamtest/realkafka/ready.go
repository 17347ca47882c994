package realkafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

var errPortTaken = errors.New("another process took the port")

// answers waits until the broker answers a request: in KRaft mode it does so only when it is registered and
// unfenced. It ends early when the process does.
func (p *process) answers(addr string, wait time.Duration) error {
	deadline := time.Now().Add(wait)
	var last error
	for time.Now().Before(deadline) {
		if last = apiVersions(addr); last == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("Kafka ended while it started: %w", p.err)
		case <-time.After(50 * time.Millisecond):
		}
	}
	return fmt.Errorf("Kafka did not answer within %s: %w", wait, last)
}

// apiVersions asks the one question that needs no version: ApiVersions (key 18) version 0.
func apiVersions(addr string) error {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return err
	}
	request := []byte{
		0, 0, 0, 14, // size
		0, 18, 0, 0, // key, version
		0, 0, 0, 1, // correlation id
		0, 4, 't', 'e', 's', 't', // client id
	}
	if _, err := conn.Write(request); err != nil {
		return err
	}
	var head [10]byte // size, correlation id, error code
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return err
	}
	if code := binary.BigEndian.Uint16(head[8:]); code != 0 {
		return fmt.Errorf("error code %d", code)
	}
	return nil
}

// tail is the end of a log, for a message.
func tail(path string) []byte {
	log, err := os.ReadFile(path)
	if err != nil {
		return []byte(err.Error())
	}
	return bytes.TrimSpace(log[max(0, len(log)-4000):])
}
