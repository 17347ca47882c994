package realkafka

import (
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed pom.xml
var pom []byte

// artefacts is the directory of the jars of a version, which it fills the first time.
func artefacts(version string) (string, error) {
	base, err := cache()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(pom)
	libs := filepath.Join(base, fmt.Sprintf("kafka-%s-%x", version, sum[:4]))
	if complete(libs) {
		return libs, nil
	}
	unlock, err := lock(filepath.Join(base, "lock"))
	if err != nil {
		return "", fmt.Errorf("lock %s: %w", base, err)
	}
	defer unlock()
	if complete(libs) { // another process was quicker
		return libs, nil
	}
	if err := download(base, libs, version); err != nil {
		return "", err
	}
	return libs, nil
}

func cache() (string, error) {
	base := os.Getenv("TIDEMARK_TEST_CACHE")
	if base == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("no cache directory (set TIDEMARK_TEST_CACHE): %w", err)
		}
		base = filepath.Join(user, "tidemark")
	}
	if err := os.MkdirAll(base, 0o755); err != nil {
		return "", fmt.Errorf("cache directory: %w", err)
	}
	return filepath.Abs(base)
}

func complete(libs string) bool {
	_, err := os.Stat(libs)
	return err == nil
}

// download copies the jars beside their place and renames them into it (invariant 1).
func download(base, libs, version string) (err error) {
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return errors.New("mvn is not on the PATH: the tests that run on real Kafka fetch it by Maven (Debian: apt-get install openjdk-17-jre-headless maven)")
	}
	dir, err := os.MkdirTemp(base, "download-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.WriteFile(filepath.Join(dir, "pom.xml"), pom, 0o600); err != nil {
		return err
	}
	cmd := exec.Command(mvn, "-q", "-B", "-f", filepath.Join(dir, "pom.xml"), "dependency:copy-dependencies",
		"-DoutputDirectory="+filepath.Join(dir, "libs"), "-Dkafka.version="+version)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("fetch Kafka %s by Maven: %w\n%s", version, err, out)
	}
	if err := os.Rename(filepath.Join(dir, "libs"), libs); err != nil {
		return fmt.Errorf("move Kafka %s into the cache: %w", version, err)
	}
	return nil
}
