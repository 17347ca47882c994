// Command s3 is an S3 server over a local directory, for tests: versitygw with its posix backend.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/versity/versitygw/backend/meta"
	"github.com/versity/versitygw/backend/posix"
	"github.com/versity/versitygw/embedgw"
)

// The arguments are the directory (a folder in it is a bucket), the directory of the objects' metadata, and the address to
// listen at. It ends with its standard input, so that it outlives no test.
func main() {
	if err := serve(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		log.Fatal(err)
	}
}

func serve(root, sidecar, address string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
			log.Print(err)
		}
		cancel()
	}()
	attributes, err := meta.NewSideCar(sidecar)
	if err != nil {
		return fmt.Errorf("metadata: %w", err)
	}
	backend, err := posix.New(root, attributes, posix.PosixOpts{SideCarDir: sidecar, Concurrency: 64, CopyObjectThreshold: 5 << 30})
	if err != nil {
		return fmt.Errorf("backend: %w", err)
	}
	return embedgw.RunVersityGW(ctx, backend, &embedgw.Config{
		RootUserAccess: os.Getenv("AWS_ACCESS_KEY_ID"), RootUserSecret: os.Getenv("AWS_SECRET_ACCESS_KEY"),
		Region: "us-east-1", Ports: []string{address}, MaxConnections: 1000, MaxRequests: 1000, MultipartMaxParts: 10_000,
		Quiet: true, KeepAlive: true,
	})
}
