// Package registry reads the newest schema of a topic from a schema registry with Confluent's API. It reads only, holds
// nothing, and its answers are bounded in size and time.
package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Limits of a request.
const (
	answerBytesMax = 4 << 20
	timeout        = 10 * time.Second
)

// Latest is the newest version of a subject.
type Latest struct {
	Subject string
	Version int
	ID      uint32
	Type    string // AVRO, JSON, PROTOBUF
	Schema  string
}

// answer is what the registry says; SchemaType is missing for Avro.
type answer struct {
	Subject    string            `json:"subject"`
	Version    int               `json:"version"`
	ID         int64             `json:"id"`
	SchemaType string            `json:"schemaType"`
	Schema     string            `json:"schema"`
	References []json.RawMessage `json:"references"`
	Message    string            `json:"message"` // of an error
}

// ErrAddress says that an address is none of a registry.
var ErrAddress = errors.New("a registry's address looks like http://localhost:8081")

// Value reads the newest schema of a topic's values: subject TOPIC-value. The address may hold a user and password.
func Value(ctx context.Context, address, topic string) (*Latest, error) {
	base, err := url.Parse(strings.TrimRight(address, "/"))
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" {
		return nil, ErrAddress
	}
	subject := topic + "-value"
	where := base.JoinPath("subjects", url.PathEscape(subject), "versions", "latest")
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, where.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("registry %s: %w", base.Redacted(), err)
	}
	request.Header.Set("Accept", "application/vnd.schemaregistry.v1+json, application/json")
	client := &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("registry %s: %w", base.Redacted(), errors.Unwrap(err))
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, answerBytesMax+1))
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return nil, fmt.Errorf("registry %s: read the answer: %w", base.Redacted(), err)
	}
	if len(body) > answerBytesMax {
		return nil, fmt.Errorf("registry %s: the answer has more than %d bytes", base.Redacted(), answerBytesMax)
	}
	return read(base.Redacted(), subject, response.StatusCode, body)
}

func read(base, subject string, status int, body []byte) (*Latest, error) {
	var a answer
	bad := json.Unmarshal(body, &a)
	switch {
	case status == http.StatusNotFound:
		return nil, fmt.Errorf("registry %s has no subject %s: %s/subjects lists what it has; is the topic right?", base, subject, base)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return nil, fmt.Errorf("registry %s wants a user and password: write http://USER:PASSWORD@HOST", base)
	case status != http.StatusOK:
		return nil, fmt.Errorf("registry %s, subject %s: status %d %s", base, subject, status, a.Message)
	case bad != nil:
		return nil, fmt.Errorf("registry %s, subject %s: the answer is no JSON: is this a schema registry?", base, subject)
	case a.ID < 1 || a.ID > 1<<31-1 || a.Schema == "":
		return nil, fmt.Errorf("registry %s, subject %s: the answer has no schema with an id: is this a schema registry?", base, subject)
	case len(a.References) > 0:
		return nil, fmt.Errorf("registry %s, subject %s: the schema refers to others, which is not supported: put them into one file and say --schema", base, subject)
	}
	if a.SchemaType == "" {
		a.SchemaType = "AVRO"
	}
	return &Latest{Subject: subject, Version: a.Version, ID: uint32(a.ID), Type: a.SchemaType, Schema: a.Schema}, nil
}
