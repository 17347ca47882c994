package cloud

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// kind is what went wrong, by what the caller must do.
type kind uint8

const (
	other       kind = iota
	notFound         // there is no such object
	exists           // the key is taken
	outOfRange       // the object ends before the range
	noBucket         // there is no such bucket
	denied           // the credentials are missing, wrong, or may not
	elsewhere        // the bucket is in another region
	full             // a quota
	unsupported      // the server doesn't know the request
	passing          // the server is busy or ill: try again
	lost             // no answer: it may have been done or not
	given            // the caller gave up
)

// reply is what a server said of a request that failed.
type reply struct {
	status        int
	code, message string
}

// fault is an error of a bucket. Its text has no URL: that could hold a signature.
type fault struct {
	kind   kind
	doing  string // "put s3://bucket/key"
	reason string
	hint   string
	cause  error
}

// Error says what, where, why and what to do.
func (f *fault) Error() string {
	text := f.doing + ": " + f.reason
	if f.hint != "" {
		text += "; " + f.hint
	}
	return text
}

// Unwrap gives what the package blob promises, and a caller's own cancellation.
func (f *fault) Unwrap() error {
	switch f.kind {
	case notFound:
		return blob.ErrNotFound
	case exists:
		return blob.ErrExists
	case given:
		return f.cause
	}
	return nil
}

// blame makes a *fault of what a client returned; nil of nil.
func (b *bucket) blame(ctx context.Context, op, key string, err error) error {
	if err == nil {
		return nil
	}
	f := &fault{doing: op + " " + b.object(key), cause: err}
	if op == "open bucket" {
		f.doing = op + " " + b.address.String()
	}
	switch r, answered := b.reply(err); {
	case errors.Is(context.Cause(ctx), errNoAnswer):
		f.kind, f.reason = lost, "no answer in "+b.o.Patience.String()
		f.hint = "the store is slow or can't be reached; see the network, or the store's state"
	case ctx.Err() != nil:
		f.kind, f.cause, f.reason = given, ctx.Err(), ctx.Err().Error()
	case answered:
		if f.kind = r.kind(); f.kind == notFound && op != "get" && op != "delete" {
			f.kind = noBucket // nothing else can be missing there
		}
		f.reason = r.text()
		if known := f.Unwrap(); known != nil {
			f.reason = known.Error() + " (" + f.reason + ")"
		}
		f.hint = b.advice(f.kind, op, r)
	default:
		f.kind, f.reason, f.hint = network(err, b.scheme)
	}
	return f
}

// kind tells by the codes of the three clouds first: they are more exact than the status.
func (r reply) kind() kind {
	for k, codes := range map[kind][]string{
		noBucket:   {"NoSuchBucket", "ContainerNotFound", "ContainerBeingDeleted", "ContainerDisabled", "AccountBeingCreated"},
		exists:     {"BlobAlreadyExists"},
		passing:    {"ConditionalRequestConflict", "OperationAborted", "RequestTimeout", "SlowDown", "InternalError", "ServerBusy", "OperationTimedOut"},
		denied:     {"ExpiredToken", "InvalidToken", "InvalidAccessKeyId", "RequestTimeTooSkewed", "AuthorizationHeaderMalformed"},
		full:       {"QuotaExceeded", "StorageQuotaExceeded", "InsufficientStorage"},
		outOfRange: {"InvalidRange"},
	} {
		if r.code != "" && slices.Contains(codes, r.code) {
			return k
		}
	}
	switch r.status {
	case http.StatusNotFound:
		if strings.Contains(r.message, "bucket does not exist") {
			return noBucket
		}
		return notFound
	case http.StatusPreconditionFailed:
		return exists
	case http.StatusRequestedRangeNotSatisfiable:
		return outOfRange
	case http.StatusUnauthorized, http.StatusForbidden:
		return denied
	case http.StatusMovedPermanently, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return elsewhere
	case http.StatusInsufficientStorage:
		return full
	case http.StatusNotImplemented:
		return unsupported
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return passing
	}
	return other
}

// textBytesMax keeps a page of HTML out of an error.
const textBytesMax = 200

func (r reply) text() string {
	message := strings.Join(strings.Fields(r.message), " ")
	if len(message) > textBytesMax {
		message = message[:textBytesMax] + "..."
	}
	switch {
	case r.code == "" && message == "":
		return fmt.Sprintf("the server answers %d %s", r.status, http.StatusText(r.status))
	case message == "" || message == r.code:
		return fmt.Sprintf("the server answers %d %s", r.status, r.code)
	}
	return strings.TrimSpace(fmt.Sprintf("the server answers %d %s", r.status, r.code)) + ": " + message
}

// advice is what to do about it.
func (b *bucket) advice(k kind, op string, r reply) string {
	switch k {
	case noBucket:
		return fmt.Sprintf("there is no bucket %s; create it, or correct the URL", b.address.bucket)
	case denied:
		if r.code == "RequestTimeTooSkewed" {
			return "set this machine's clock"
		}
		return fmt.Sprintf("give credentials that may read, write, list and delete below %s (%s)", b.address, credentialsOf[b.scheme])
	case elsewhere:
		return "the bucket is in another region; add ?region= to the URL, or set AWS_REGION"
	case full:
		return "the store is full; raise its quota, or free space"
	case unsupported:
		if op == "put" {
			return "the server doesn't know conditional writes (If-None-Match), without which two writers would overwrite each other; use a store that does"
		}
		return "the server doesn't know this request; use another store"
	case passing:
		return "it may pass; it was tried again as often as is allowed"
	}
	return ""
}
