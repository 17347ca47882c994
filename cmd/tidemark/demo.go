package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/cmd/internal/broker"
	"github.com/tidemark-io/tidemark/cmd/internal/flights"
)

func (a *app) demoCommand() *cobra.Command {
	return group("demo", "The main job on real data, on an embedded broker: flights", a.demoFlightsCommand())
}

type demoFlags struct {
	out    string
	chaos  string
	seed   uint64
	fresh  bool
	kills  int
	beside string // a chaos run is compared with the demo in this folder
}

func (a *app) demoFlightsCommand() *cobra.Command {
	var f demoFlags
	c := &cobra.Command{
		Use:   "flights",
		Short: "January 2013 of New York's departures: stream, land, reconcile, audit",
		Long: "Runs the whole job on an embedded broker: produces a month of departures in the order in which the aeroplanes\n" +
			"left, runs the pipeline to the end, reconciles what came late, and audits the result. Everything stays in the\n" +
			"folder --out. A run that was interrupted goes on where it was; one that is complete shows what it found.",
		Args: cobra.NoArgs,
	}
	c.RunE = a.command(func(ctx context.Context, _ []string) error {
		if !c.Flags().Changed("log-level") {
			a.logLevel = "error" // a session that is rebuilt is the engine's daily bread, and no part of the story
			if err := a.prepare(); err != nil {
				return err
			}
		}
		if err := f.check(); err != nil {
			return err
		}
		if f.kills > 0 {
			f.beside, f.fresh = f.out, true
			f.out = f.path("chaos")
		}
		return a.demoFlights(ctx, f)
	})
	c.Flags().StringVar(&f.out, "out", defaultOut, "folder for everything that the demo makes")
	c.Flags().StringVar(&f.chaos, "chaos", "", "kill=N: begin anew in a folder of its own within --out, and kill -9 the run and the reconciliation N times")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "draws the moments of --chaos")
	c.Flags().BoolVar(&f.fresh, "fresh", false, "begin anew: what is in the folder is moved aside")
	return c
}

// path is a file of the folder as it is told: as --out was written.
func (f *demoFlags) path(name string) string { return strings.TrimRight(f.out, "/") + "/" + name }

// defaultOut is the folder of the demo and of dev.
const defaultOut = "./tidemark-data"

// killsMax bounds --chaos: each kill costs a restart.
const killsMax = 1000

func (f *demoFlags) check() error {
	if f.chaos == "" {
		return nil
	}
	if n, err := fmt.Sscanf(f.chaos, "kill=%d", &f.kills); n != 1 || err != nil || f.chaos != fmt.Sprintf("kill=%d", f.kills) {
		return usagef("demo: --chaos %s: say kill=N", f.chaos)
	}
	if f.kills < 1 || f.kills > killsMax {
		return usagef("demo: --chaos %s: kill 1 to %d times", f.chaos, killsMax)
	}
	return nil
}

func (a *app) demoFlights(ctx context.Context, f demoFlags) error {
	if f.fresh {
		if err := a.moveAside(f.out); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	if err := writeDemoFiles(f.out); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	b, err := startBroker(f.out, 0)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	err = a.demoOn(ctx, f, b)
	if err := errors.Join(err, b.Close()); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	return nil
}

// demoOn tells the story on a broker that runs.
func (a *app) demoOn(ctx context.Context, f demoFlags, b *broker.Broker) error {
	a.file, a.brokers = filepath.Join(f.out, "flights.yaml"), []string{b.Addr()}
	o, err := a.open(ctx)
	if err != nil {
		return err
	}
	d := &demo{a: a, o: o, f: f, p: a.printer(), facts: &demoFacts{Out: f.out}}
	err = d.tell(ctx)
	if err == nil && a.output == "json" {
		err = a.result("DemoReport", d.facts, nil)
	}
	return o.close(errors.Join(err, d.p.flush()))
}

// writeDemoFiles puts the pipeline, its schema and the events into the folder. A file that was changed is not
// overwritten: the demo's numbers hold for its own.
func writeDemoFiles(dir string) error {
	departures, _, err := flights.January()
	if err != nil {
		return err
	}
	var lines bytes.Buffer
	if err := flights.WriteLines(&lines, flights.Replay(departures)); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the folder: %w", err)
	}
	for _, file := range []struct {
		name string
		text []byte
	}{{"flights.yaml", flights.Pipeline}, {"flights.avsc", flights.Schema}, {"flights.jsonl", lines.Bytes()}} {
		name := filepath.Join(dir, file.name)
		have, err := os.ReadFile(name)
		switch {
		case errors.Is(err, os.ErrNotExist):
			if err := writeWhole(name, file.text); err != nil {
				return err
			}
		case err != nil:
			return err
		case !bytes.Equal(have, file.text):
			return usagef("%s isn't the demo's own: say --fresh, which moves the folder aside, or --out another folder", name)
		}
	}
	return nil
}

// writeWhole writes a file so that a crash leaves all of it or none under its name.
func writeWhole(name string, text []byte) error {
	part := name + ".part"
	if err := os.WriteFile(part, text, 0o644); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	if err := os.Rename(part, name); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
