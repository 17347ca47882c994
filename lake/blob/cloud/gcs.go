package cloud

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"

	"cloud.google.com/go/storage"
	"gocloud.dev/blob/gcsblob"
	"gocloud.dev/gcp"
	"google.golang.org/api/googleapi"
	"google.golang.org/api/option"
)

// connectGCS makes the client. STORAGE_EMULATOR_HOST, which the SDK itself reads, stands for a server that wants no
// credentials.
func connectGCS(ctx context.Context, a address) (*bucket, error) {
	anonymous := os.Getenv("STORAGE_EMULATOR_HOST") != ""
	for name := range a.query {
		if name != "anonymous" {
			return nil, fmt.Errorf("unknown parameter %q; anonymous is known", name)
		}
		yes, err := strconv.ParseBool(a.query.Get(name))
		if err != nil {
			return nil, errors.New("anonymous is true or false")
		}
		anonymous = anonymous || yes
	}
	transport := connections()
	client := &http.Client{Transport: transport}
	if !anonymous {
		credentials, err := gcp.DefaultCredentials(ctx)
		if err != nil {
			return nil, fmt.Errorf("no credentials; give them by %s", credentialsOf["gs"])
		}
		signed, err := gcp.NewHTTPClient(transport, credentials.TokenSource)
		if err != nil {
			return nil, errors.New(plain(err))
		}
		client = &signed.Client
	}
	api, err := storage.NewClient(ctx, option.WithHTTPClient(client), storage.WithJSONReads())
	if err != nil {
		return nil, errors.New(plain(err))
	}
	api.SetRetry(storage.WithPolicy(storage.RetryNever)) // see retry.go
	store, err := gcsblob.OpenBucket(ctx, nil, a.bucket, &gcsblob.Options{Client: api})
	if err != nil {
		return nil, errors.Join(errors.New(plain(err)), api.Close())
	}
	return &bucket{store: store, reply: replyGCS, sorted: true, release: transport.CloseIdleConnections}, nil
}

func replyGCS(err error) (reply, bool) {
	var api *googleapi.Error
	if errors.As(err, &api) {
		return reply{status: api.Code, message: api.Message}, true
	}
	if errors.Is(err, storage.ErrObjectNotExist) {
		return reply{status: http.StatusNotFound}, true
	}
	if errors.Is(err, storage.ErrBucketNotExist) {
		return reply{status: http.StatusNotFound, code: "NoSuchBucket"}, true
	}
	return reply{}, false
}
