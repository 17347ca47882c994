package main

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// asCommand makes the test binary behave as the program itself, so that tests, and the demo's chaos, can start it and kill it.
const asCommand = "TIDEMARK_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
		return
	}
	goleak.VerifyTestMain(m)
}

// result is what one command line gave.
type result struct {
	code     int
	out, err string
}

// tidemark runs one command line in this process.
func tidemark(t *testing.T, args ...string) result {
	t.Helper()
	return tidemarkIn(t.Context(), t, "", args...)
}

func tidemarkIn(ctx context.Context, t *testing.T, stdin string, args ...string) result {
	t.Helper()
	var out, errOut bytes.Buffer
	code := execute(ctx, args, strings.NewReader(stdin), &out, &errOut)
	return result{code, out.String(), errOut.String()}
}

// must runs one command line and wants this exit code.
func must(t *testing.T, code int, args ...string) result {
	t.Helper()
	r := tidemark(t, args...)
	if r.code != code {
		t.Fatalf("tidemark %s: exit %d, want %d\n%s%s", strings.Join(args, " "), r.code, code, r.out, r.err)
	}
	return r
}
