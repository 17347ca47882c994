// Command gcs is a GCS server in memory, for tests: fake-gcs-server.
package main

import (
	"io"
	"log"
	"net"
	"os"
	"strconv"

	"github.com/fsouza/fake-gcs-server/fakestorage"
)

// The arguments are the bucket to make and the address to listen at. It ends with its standard input, so that it outlives no
// test.
func main() {
	host, port, err := net.SplitHostPort(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		log.Fatal(err)
	}
	server, err := fakestorage.NewServerWithOptions(fakestorage.Options{
		Scheme: "http", Host: host, Port: uint16(number), PublicHost: os.Args[2], Writer: io.Discard,
	})
	if err != nil {
		log.Fatal(err)
	}
	server.CreateBucketWithOpts(fakestorage.CreateBucketOpts{Name: os.Args[1]})
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		log.Print(err)
	}
	server.Stop()
}
