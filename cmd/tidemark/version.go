package main

import (
	"context"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by release builds: -ldflags "-X main.version=v0.1.0".
var version = "dev"

// build tells which program this is. The revision is empty where Go was told not to stamp it.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func thisBuild() build {
	b := build{Version: version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if module := info.Main.Version; b.Version == "dev" && module != "" && module != "(devel)" {
		b.Version = module // of `go install module@version`, or stamped from the checkout
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			b.Revision = setting.Value
		}
	}
	return b
}

// origin says what the program was built from.
func (b build) origin() string {
	switch {
	case b.Revision != "":
		return "revision " + b.Revision
	case b.Version == "dev":
		return "built from source, without a version or revision in it"
	}
	return "no revision in it"
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print which program this is",
		Args:  cobra.NoArgs,
		RunE: a.command(func(context.Context, []string) error {
			b := thisBuild()
			return a.result("Version", b, func(p *printer) {
				p.line("tidemark %s (%s) %s %s", b.Version, b.origin(), b.Go, b.Platform)
			})
		}),
	}
}
