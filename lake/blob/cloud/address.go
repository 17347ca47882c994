package cloud

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/tidemark-io/tidemark/lake/blob"
)

// address is a bucket's URL, taken apart.
type address struct {
	scheme, bucket string
	prefix         string // "" or it ends with a slash
	query          url.Values
}

// prefixBytesMax leaves most of the 1024 bytes of a key to the key.
const prefixBytesMax = 256

// parseAddress never repeats what may be a secret: what stands before an @, and the query.
func parseAddress(raw string) (address, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return address{}, errors.New("the bucket's URL can't be read; write scheme://bucket/prefix?name=value")
	}
	a := address{scheme: u.Scheme, bucket: u.Host}
	if u.User != nil {
		return a, fmt.Errorf("%s://...@%s: credentials don't belong in the URL; give them by the environment (%s)", u.Scheme, u.Host, credentialsOf[u.Scheme])
	}
	if u.Host == "" || strings.Contains(u.Host, ":") {
		return a, fmt.Errorf("%s://%s: the URL names no bucket; write %s://bucket/prefix", u.Scheme, u.Host, u.Scheme)
	}
	if u.Fragment != "" {
		return a, fmt.Errorf("%s://%s: the URL has a fragment; a # in it is written %%23", u.Scheme, u.Host)
	}
	if a.query, err = url.ParseQuery(u.RawQuery); err != nil {
		return a, fmt.Errorf("%s://%s: what follows ? can't be read; write name=value, joined by &", u.Scheme, u.Host)
	}
	for name, values := range a.query {
		if len(values) > 1 {
			return a, fmt.Errorf("%s://%s: %s is given %d times", u.Scheme, u.Host, name, len(values))
		}
	}
	if prefix := strings.Trim(u.Path, "/"); prefix != "" {
		if err := blob.ValidateKey(prefix); err != nil {
			return a, fmt.Errorf("%s://%s: prefix: %w", u.Scheme, u.Host, err)
		}
		if len(prefix) > prefixBytesMax {
			return a, fmt.Errorf("%s://%s: a prefix of %d bytes, at most %d are allowed", u.Scheme, u.Host, len(prefix), prefixBytesMax)
		}
		a.prefix = prefix + "/"
	}
	return a, nil
}

// String is the address without its parameters.
func (a address) String() string {
	return strings.TrimSuffix(a.scheme+"://"+a.bucket+"/"+a.prefix, "/")
}

// object is how errors name an object.
func (a address) object(key string) string { return a.scheme + "://" + a.bucket + "/" + a.prefix + key }

// credentialsOf says where each cloud's credentials come from.
var credentialsOf = map[string]string{
	"s3":     "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or the machine's role",
	"gs":     "GOOGLE_APPLICATION_CREDENTIALS, gcloud auth application-default login, or the machine's service account",
	"azblob": "AZURE_STORAGE_ACCOUNT with AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, AZURE_STORAGE_CONNECTION_STRING, or the machine's identity",
}
