package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tidemark-io/tidemark/cmd/internal/broker"
	"github.com/tidemark-io/tidemark/cmd/internal/page"
	"github.com/tidemark-io/tidemark/cmd/internal/status"
	"github.com/tidemark-io/tidemark/lake/blob/cloud"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

type devFlags struct {
	data      string
	kafkaPort int
	port      int
	fresh     bool
}

func (a *app) devCommand() *cobra.Command {
	var f devFlags
	c := &cobra.Command{
		Use:   "dev",
		Short: "Run the embedded broker and a status page, for trying things out on this machine",
		Long: "Runs a Kafka broker inside this process that keeps its topics in the data folder, and a page that shows every\n" +
			"pipeline file of that folder. It listens on this machine only. The broker is a stand-in for development: it keeps\n" +
			"everything in memory as well, and makes no promise about disks.",
		Args: cobra.NoArgs,
		RunE: a.command(func(ctx context.Context, _ []string) error { return a.dev(ctx, f) }),
	}
	c.Flags().StringVar(&f.data, "data", defaultOut, "folder for the broker's topics; pipeline files in it are shown on the page")
	c.Flags().IntVar(&f.kafkaPort, "kafka-port", 9092, "port of the broker; 0 takes a free one")
	c.Flags().IntVar(&f.port, "port", 7071, "port of the page; 0 takes a free one")
	c.Flags().BoolVar(&f.fresh, "fresh", false, "begin with an empty broker: what it held is moved aside")
	return c
}

// brokerDir is where the embedded broker of a data folder keeps its topics.
func brokerDir(data string) string { return filepath.Join(data, "broker") }

func (a *app) dev(ctx context.Context, f devFlags) error {
	if f.kafkaPort < 0 || f.kafkaPort > 65535 || f.port < 0 || f.port > 65535 {
		return usagef("dev: a port is a number from 0 to 65535")
	}
	if f.fresh {
		if err := a.moveAside(brokerDir(f.data)); err != nil {
			return fmt.Errorf("dev: %w", err)
		}
	}
	b, err := startBroker(f.data, f.kafkaPort)
	if err != nil {
		return fmt.Errorf("dev: %w", err)
	}
	served, err := serve(net.JoinHostPort("127.0.0.1", strconv.Itoa(f.port)), a.devPage(f.data, b.Addr()))
	if err != nil {
		return fmt.Errorf("dev: %w", errors.Join(err, b.Close()))
	}
	started := struct {
		Broker string `json:"broker"`
		Page   string `json:"page"`
		Data   string `json:"data"`
	}{b.Addr(), served.url(), f.data}
	err = a.result("DevStarted", started, func(p *printer) {
		p.line("broker %s   page %s   data %s   Ctrl-C ends", started.Broker, started.Page, started.Data)
	})
	if err == nil {
		<-ctx.Done()
	}
	if err := errors.Join(err, served.stop(), b.Close()); err != nil {
		return fmt.Errorf("dev: %w", err)
	}
	return nil
}

// startBroker starts the embedded broker over a data folder. Only one process may do so at a time.
func startBroker(data string, port int) (*broker.Broker, error) {
	dir := brokerDir(data)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	b, err := broker.Start(broker.Options{DataDir: dir, Port: port})
	if err != nil {
		return nil, fmt.Errorf("start the embedded broker on port %d over %s: %w", port, dir, err)
	}
	return b, nil
}

// moveAside renames a folder out of the way; nothing is ever deleted here.
func (a *app) moveAside(dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	aside := dir + ".aside-" + a.now().UTC().Format("20060102T150405.000")
	if err := os.Rename(dir, aside); err != nil {
		return fmt.Errorf("move %s aside: %w", dir, err)
	}
	a.complain("moved %s to %s", dir, aside)
	return nil
}

func (a *app) devPage(data, brokers string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	for _, path := range []string{"/metrics", "/readyz", "/api/v1/status"} {
		mux.HandleFunc("GET "+path, func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, path+" is served by tidemark run, at its own --listen address; dev serves the page and /healthz", http.StatusNotFound)
		})
	}
	mux.Handle("GET /", page.Handler(page.Options{
		Title: "dev", Empty: "No pipeline file (*.yaml) in " + data + " yet. Put one there with kafka: {brokers: [\"" + brokers +
			"\"]}, and in another terminal run it: tidemark run -f " + filepath.Join(data, "FILE.yaml") + " --listen :7071", Notes: []string{"broker " + brokers, "data " + data}, Version: thisBuild().Version, Now: a.now,
		Views: func(ctx context.Context) []page.View { return a.devViews(ctx, data, brokers) },
	}))
	return mux
}

// pipelinesMax bounds how many pipeline files the page of a data folder shows.
const pipelinesMax = 20

// devViews looks at every pipeline file of the data folder from outside, on the embedded broker.
func (a *app) devViews(ctx context.Context, data, brokers string) []page.View {
	files, err := filepath.Glob(filepath.Join(data, "*.yaml"))
	if err != nil {
		return []page.View{{Name: data, Problem: err.Error()}}
	}
	files = slices.DeleteFunc(files, func(f string) bool { return strings.HasSuffix(f, "_test.yaml") }) // those of tidemark test
	slices.Sort(files)
	var views []page.View
	for _, file := range files[:min(len(files), pipelinesMax)] {
		v := page.View{Name: filepath.Base(file)}
		if d, err := a.look(ctx, file, brokers); err != nil {
			v.Problem = err.Error()
		} else {
			v.Document = d
		}
		views = append(views, v)
	}
	return views
}

func (a *app) look(ctx context.Context, file, brokers string) (*status.Document, error) {
	p, err := pipeline.Load(file, os.LookupEnv)
	if err != nil {
		return nil, err
	}
	p.Kafka.Brokers, p.Kafka.TLS, p.Kafka.SASL = []string{brokers}, nil, nil
	plan, err := p.Compile()
	if err != nil {
		return nil, err
	}
	options, err := a.kafkaOf(p)
	if err != nil {
		return nil, err
	}
	bucket, err := cloud.Open(ctx, p.Lake.Bucket, p.Dir, cloud.Options{Now: a.now})
	if err != nil {
		return nil, err
	}
	o := &opened{plan: plan, kafka: options, bucket: bucket}
	d, err := status.Collect(ctx, status.Source{Plan: plan, Kafka: options, Bucket: bucket, Now: a.now})
	return d, o.close(err)
}
