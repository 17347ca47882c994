//go:build !crashpoints || !unix

package kafka

import "github.com/twmb/franz-go/pkg/kgo"

func crashHooks() []kgo.Opt { return nil }
