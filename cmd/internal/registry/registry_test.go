package registry

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const latest = `{"subject":"shop.orders-value","version":3,"id":17,"schema":"{\"type\":\"string\"}"}`

func serve(t *testing.T, status int, body string) (*httptest.Server, *http.Request) {
	t.Helper()
	seen := &http.Request{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*seen = *r
		w.WriteHeader(status)
		if _, err := w.Write([]byte(body)); err != nil {
			t.Log(err) // the client may have gone
		}
	}))
	t.Cleanup(s.Close)
	return s, seen
}

func TestLatestSchemaOfATopic(t *testing.T) {
	s, seen := serve(t, 200, latest)
	got, err := Value(t.Context(), strings.Replace(s.URL, "http://", "http://me:secret@", 1)+"/", "shop.orders")
	if err != nil {
		t.Fatal(err)
	}
	if want := (Latest{"shop.orders-value", 3, 17, "AVRO", `{"type":"string"}`}); *got != want {
		t.Errorf("got %+v, want %+v", *got, want)
	}
	if seen.Method != "GET" || seen.URL.Path != "/subjects/shop.orders-value/versions/latest" {
		t.Errorf("asked %s %s", seen.Method, seen.URL.Path)
	}
	if user, password, ok := seen.BasicAuth(); !ok || user != "me" || password != "secret" {
		t.Errorf("said %q %q", user, password)
	}
}

// Whatever the registry answers, the message says what and where, and never the password.
func TestAnswersThatAreNoSchema(t *testing.T) {
	for _, c := range []struct {
		status     int
		body, want string
	}{
		{404, `{"error_code":40401,"message":"Subject not found."}`, "has no subject orders-value"},
		{401, `{}`, "wants a user and password"},
		{500, `{"error_code":50001,"message":"store is down"}`, "status 500 store is down"},
		{200, `<html>`, "is this a schema registry?"},
		{200, `{}`, "is this a schema registry?"},
		{200, `{"id":1,"schema":"x","references":[{"name":"a"}]}`, "refers to others"},
		{200, `{"id":1,"schema":"` + strings.Repeat("x", answerBytesMax) + `"}`, "more than 4194304 bytes"},
	} {
		s, _ := serve(t, c.status, c.body)
		_, err := Value(t.Context(), strings.Replace(s.URL, "http://", "http://me:secret@", 1), "orders")
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("status %d, %.40s: %v, want %q", c.status, c.body, err, c.want)
		}
	}
}

func TestAddressesThatAreNone(t *testing.T) {
	for _, address := range []string{"", "localhost:8081", "ftp://x", "http://", "http://%zz"} {
		if _, err := Value(t.Context(), address, "orders"); err == nil || !strings.Contains(err.Error(), "looks like") {
			t.Errorf("%q: %v", address, err)
		}
	}
}

// A registry that doesn't answer is given up when the caller does.
func TestGivesUp(t *testing.T) {
	stop := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(s.Close)
	defer close(stop)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Value(ctx, s.URL, "orders"); err == nil {
		t.Error("an answer from nobody")
	}
}
