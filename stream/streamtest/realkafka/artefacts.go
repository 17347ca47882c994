package realkafka

import (
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/tidemark-io/tidemark/lake/testcache"
)

//go:embed pom.xml
var pom []byte

// artefacts is the directory of the jars of a version, which it fills the first time (invariant 1).
func artefacts(version string) (string, error) {
	sum := sha256.Sum256(pom)
	return testcache.Fill(fmt.Sprintf("kafka-%s-%x", version, sum[:4]), func(dir string) error { return download(dir, version) })
}

// download copies the jars into a directory.
func download(dir, version string) error {
	mvn, err := exec.LookPath("mvn")
	if err != nil {
		return errors.New("mvn is not on the PATH: the tests that run on real Kafka fetch it by Maven (Debian: apt-get install openjdk-17-jre-headless maven)")
	}
	file := filepath.Join(dir, "pom.xml")
	if err := os.WriteFile(file, pom, 0o600); err != nil {
		return err
	}
	cmd := exec.Command(mvn, "-q", "-B", "-f", file, "dependency:copy-dependencies", "-DoutputDirectory="+dir, "-Dkafka.version="+version)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("fetch Kafka %s by Maven: %w\n%s", version, err, out)
	}
	return nil
}
