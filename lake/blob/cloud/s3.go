package cloud

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	gcaws "gocloud.dev/aws"
	"gocloud.dev/blob/s3blob"
)

// connectS3 makes the client: the SDK reads the variables and files that every tool for AWS reads.
func connectS3(ctx context.Context, a address) (*bucket, error) {
	pathStyle := false
	if text := a.query.Get("use_path_style"); text != "" {
		var err error
		if pathStyle, err = strconv.ParseBool(text); err != nil {
			return nil, errors.New("use_path_style is true or false")
		}
	}
	a.query.Del("use_path_style")
	config, err := gcaws.V2ConfigFromURLParams(ctx, a.query)
	if err != nil {
		return nil, errors.New(plain(err))
	}
	if config.Region == "" {
		return nil, errors.New("no region; add ?region= to the URL, or set AWS_REGION")
	}
	if config.Credentials == nil {
		return nil, fmt.Errorf("no credentials; give them by %s", credentialsOf["s3"])
	}
	if _, err := config.Credentials.Retrieve(ctx); err != nil {
		return nil, fmt.Errorf("no credentials; give them by %s: %w", credentialsOf["s3"], err)
	}
	transport := connections()
	client := s3.NewFromConfig(config, func(o *s3.Options) {
		o.Retryer = aws.NopRetryer{} // see retry.go
		o.HTTPClient = &http.Client{Transport: transport}
		o.UsePathStyle = pathStyle
		o.Logger = logging.Nop{} // it warns of what is no fault; errors are returned
	})
	store, err := s3blob.OpenBucket(ctx, client, a.bucket, &s3blob.Options{RequestChecksumCalculation: config.RequestChecksumCalculation})
	if err != nil {
		return nil, errors.New(plain(err))
	}
	return &bucket{
		store: store, reply: replyS3, sorted: true, release: transport.CloseIdleConnections,
		putOne: func(ctx context.Context, key string, body *pieces, absent bool) error {
			in := &s3.PutObjectInput{
				Bucket: &a.bucket, Key: &key, Body: body, ContentLength: &body.size, ContentType: aws.String("application/octet-stream"),
			}
			if absent {
				in.IfNoneMatch = aws.String("*")
			}
			_, err := client.PutObject(ctx, in)
			return err
		},
		// The store's own way asks for the object first; S3 doesn't mind an absent one.
		drop: func(ctx context.Context, key string) error {
			_, err := client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &a.bucket, Key: &key})
			return err
		},
	}, nil
}

func replyS3(err error) (reply, bool) {
	var r reply
	var api smithy.APIError
	if errors.As(err, &api) {
		r.code, r.message = api.ErrorCode(), api.ErrorMessage()
	}
	var response *awshttp.ResponseError
	if errors.As(err, &response) && response.Response != nil {
		r.status = response.HTTPStatusCode()
	}
	return r, r.status >= 300
}

// connections is a pool of a bucket's own, so that closing it closes them.
func connections() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = connectionsMax, connectionsMax
	return t
}

// connectionsMax are kept open for the next request: a restore reads with as many at once.
const connectionsMax = 32
