package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/tidemark-io/tidemark/cmd/internal/telemetry"
	"github.com/tidemark-io/tidemark/lake/blob"
	"github.com/tidemark-io/tidemark/lake/blob/cloud"
	"github.com/tidemark-io/tidemark/stream/kafka"
	"github.com/tidemark-io/tidemark/stream/pipeline"
)

// opened is a pipeline with what a command needs to work on it.
type opened struct {
	plan   *pipeline.Plan
	kafka  kafka.Options
	bucket blob.Bucket
	// requests counts those to the bucket.
	requests *telemetry.Requests
}

// load reads and compiles the pipeline file. What is wrong with it is a usage error: nothing was touched.
func (a *app) load() (*pipeline.Plan, error) {
	if a.file == "" {
		return nil, &codeError{exitUsage, errNoFile}
	}
	p, err := pipeline.Load(a.file, os.LookupEnv)
	if err != nil {
		return nil, &codeError{exitUsage, err}
	}
	if len(a.brokers) > 0 {
		p.Kafka.Brokers = a.brokers
	}
	plan, err := p.Compile()
	if err != nil {
		return nil, &codeError{exitUsage, err}
	}
	return plan, nil
}

// open loads the pipeline and opens its bucket.
func (a *app) open(ctx context.Context) (*opened, error) {
	plan, err := a.load()
	if err != nil {
		return nil, err
	}
	options, err := a.kafkaOf(plan.Pipeline)
	if err != nil {
		return nil, err
	}
	requests := telemetry.NewRequests(plan.Pipeline.Name)
	bucket, err := cloud.Open(ctx, plan.Pipeline.Lake.Bucket, plan.Pipeline.Dir, cloud.Options{
		Now: a.now, Observe: func(r cloud.Request) { requests.Observe(r.Op, r.Result, r.Took) },
	})
	if err != nil {
		return nil, fmt.Errorf("open the lake of pipeline %s: %w", plan.Pipeline.Name, err)
	}
	return &opened{plan: plan, kafka: options, bucket: bucket, requests: requests}, nil
}

// kafkaOf is how to reach a pipeline's brokers.
func (a *app) kafkaOf(p *pipeline.Pipeline) (kafka.Options, error) {
	o := kafka.Options{Brokers: p.Kafka.Brokers, Log: a.log}
	if t := p.Kafka.TLS; t != nil {
		ca := ""
		if t.CA != "" {
			ca = p.Path(t.CA)
		}
		config, err := kafka.TLSConfig(ca)
		if err != nil {
			return o, usagef("kafka.tls of pipeline %s: %w", p.Name, err)
		}
		o.TLS = config
	}
	if s := p.Kafka.SASL; s != nil {
		o.SASL = kafka.SASL{Mechanism: s.Mechanism, User: s.Username.Reveal(), Password: s.Password.Reveal()}
	}
	return o, nil
}

// close releases what was opened, and joins what goes wrong to err.
func (o *opened) close(err error) error {
	if closer, ok := o.bucket.(interface{ Close() error }); ok {
		return errors.Join(err, closer.Close())
	}
	return err
}
