package servers

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
)

// freeAddress is a port of this machine that nobody listens at, a moment ago.
func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}

// startMax is how long a server may take to listen: the machine may be busy.
const startMax = 2 * time.Minute

// start runs a server until the test ends, and returns when it listens.
func start(t testing.TB, address, program string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, args...)
	out := &bytes.Buffer{}
	cmd.Stdout, cmd.Stderr = out, out
	input, hold, err := os.Pipe() // a server of ours ends with its input, even if this process is killed
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin = input
	if err := cmd.Start(); err != nil {
		t.Fatalf("%s: %v", program, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		cancel()
		<-ended
		if err := input.Close(); err != nil {
			t.Error(err)
		}
		if err := hold.Close(); err != nil {
			t.Error(err)
		}
	})
	deadline := time.Now().Add(startMax)
	for {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			return
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%s %v ended: %v\n%s", program, args, err, out)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s %v doesn't listen at %s", program, args, address)
		}
	}
}

func makeContainer(t testing.TB, address string) {
	t.Helper()
	key, err := azblob.NewSharedKeyCredential(account, accountKey)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	options := &container.ClientOptions{ClientOptions: policy.ClientOptions{Transport: &http.Client{Transport: transport}}}
	c, err := container.NewClientWithSharedKeyCredential("http://"+address+"/"+account+"/"+bucketName, key, options)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Create(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
}
