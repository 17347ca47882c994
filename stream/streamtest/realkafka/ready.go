package realkafka

import (
	"bytes"
	"context"
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
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	for {
		last := apiVersions(ctx, addr)
		if last == nil {
			return nil
		}
		again, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		select {
		case <-p.done:
			cancel()
			return fmt.Errorf("the broker ended while it started: %w", p.err)
		case <-again.Done():
			cancel()
		}
		if ctx.Err() != nil {
			return fmt.Errorf("the broker did not answer within %s: %w", wait, last)
		}
	}
}

// apiVersions asks the one question that needs no version: ApiVersions (key 18) version 0.
func apiVersions(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
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
