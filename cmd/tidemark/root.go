package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// app is what all commands share: the streams, the flags that stand on every command, and the clock.
type app struct {
	in       io.Reader
	out, err io.Writer
	now      func() time.Time

	file      string // -f
	output    string // -o
	logLevel  string
	logFormat string
	quiet     bool
	noColor   bool
	brokers   []string // --brokers, instead of the file's

	log     *slog.Logger
	started bool // flags and arguments were sound: the command itself runs
}

// execute runs one command line and gives the exit code.
func execute(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	a := &app{in: in, out: out, err: errOut, now: time.Now}
	root := a.root()
	root.SetArgs(args)
	ran, err := root.ExecuteContextC(ctx)
	if err != nil && !a.started {
		err = &codeError{exitUsage, fmt.Errorf("%w (see %s --help)", err, ran.CommandPath())}
	}
	code := exitCode(ctx, err)
	switch {
	case err != nil && code >= exitSignal:
		a.complain("tidemark: %s", context.Cause(ctx))
	case err != nil && err.Error() != "":
		a.complain("%s", shown(err))
	}
	return code
}

// complain writes a line to stderr. When even that fails there is nobody left to tell.
func (a *app) complain(format string, args ...any) {
	if _, err := fmt.Fprintf(a.err, format+"\n", args...); err != nil {
		return
	}
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "tidemark",
		Short: "Windowed results from Kafka topics, exactly once, and corrected when events come late",
		Long: "Tidemark computes windowed results from Kafka topics exactly once, lands every raw event in a lake,\n" +
			"corrects what came late or twice, and proves that stream + corrections = batch truth.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noSuchCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	flags := root.PersistentFlags()
	flags.StringVarP(&a.file, "file", "f", "", "the pipeline file")
	flags.StringVarP(&a.output, "format", "o", "text", "how results are printed: text or json")
	flags.StringSliceVar(&a.brokers, "brokers", nil, "Kafka brokers, HOST:PORT each, instead of those of the pipeline file")
	flags.StringVar(&a.logLevel, "log-level", "warn", "debug, info, warn or error")
	flags.StringVar(&a.logFormat, "log-format", "text", "text or json")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "no progress on stderr")
	flags.BoolVar(&a.noColor, "no-color", false, "no colours, also with NO_COLOR set")
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return a.prepare() }
	root.AddCommand(
		a.devCommand(), a.demoCommand(), a.produceCommand(), a.validateCommand(), a.runCommand(), a.reconcileCommand(), a.consumeCommand(),
		a.auditCommand(), a.explainCommand(), a.statusCommand(), a.lakeCommand(), a.stateCommand(), a.checkpointCommand(), a.versionCommand(),
		a.changeCommand(), a.initCommand(), a.testCommand(), a.schemaCommand(), a.latenessCommand(), a.replayCommand(), a.resumeCommand(),
	)
	return root
}

// prepare checks the shared flags and makes the log.
func (a *app) prepare() error {
	if a.output != "text" && a.output != "json" {
		return fmt.Errorf("-o %s: say text or json", a.output)
	}
	var level slog.Level
	if err := level.UnmarshalText([]byte(a.logLevel)); err != nil {
		return fmt.Errorf("--log-level %s: say debug, info, warn or error", a.logLevel)
	}
	options := &slog.HandlerOptions{Level: level}
	switch a.logFormat {
	case "text":
		a.log = slog.New(slog.NewTextHandler(a.err, options))
	case "json":
		a.log = slog.New(slog.NewJSONHandler(a.err, options))
	default:
		return fmt.Errorf("--log-format %s: say text or json", a.logFormat)
	}
	return nil
}

// command makes RunE of a command: from here on errors are the command's own, not the command line's.
func (a *app) command(do func(ctx context.Context, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		a.started = true
		return do(cmd.Context(), args)
	}
}

// oneArgument wants exactly one argument and names it when it is missing.
func oneArgument(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch len(args) {
		case 0:
			return fmt.Errorf("%s: say which %s", cmd.Name(), what)
		case 1:
			return nil
		}
		return fmt.Errorf("%s: one %s at a time, not also %s", cmd.Name(), what, args[1])
	}
}

// group is a command that only holds others.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: noSuchCommand, SuggestionsMinimumDistance: 2}
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		return fmt.Errorf("%s: say which: %s", cmd.Name(), names(cmd))
	}
	c.AddCommand(commands...)
	return c
}

// noSuchCommand are the arguments of a command that only holds others: any argument is a misspelt command.
func noSuchCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	hint := ""
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		hint = fmt.Sprintf(": did you mean %s?", near[0])
	}
	return fmt.Errorf("no such command: %s%s; there are %s", args[0], hint, names(cmd))
}

func names(cmd *cobra.Command) string {
	list := ""
	for _, c := range cmd.Commands() {
		if c.IsAvailableCommand() {
			if list != "" {
				list += ", "
			}
			list += c.Name()
		}
	}
	return list
}

// isTerminal says whether w is a screen, on which lines can be drawn over.
func isTerminal(w io.Writer) bool {
	f, ok := w.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(f.Fd()))
}

// errNoFile is returned by commands that need a pipeline file.
var errNoFile = errors.New("no pipeline file: say -f FILE")
