//go:build crashpoints && unix

package kafka

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/tidemark-io/tidemark/crashpoint"
)

// crashHooks tell of the requests of a transaction, which the client sends by itself.
func crashHooks() []kgo.Opt { return []kgo.Opt{kgo.WithHooks(crashHook{})} }

type crashHook struct{}

var (
	_ kgo.HookBrokerWrite = crashHook{}
	_ kgo.HookBrokerRead  = crashHook{}
)

func (crashHook) OnBrokerWrite(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, err error) {
	if err != nil {
		return
	}
	switch kmsg.Key(key) {
	case kmsg.Produce:
		crashpoint.Hit("commit/produce-sent")
	case kmsg.TxnOffsetCommit:
		crashpoint.Hit("commit/offsets-sent")
	case kmsg.EndTxn:
		crashpoint.Hit("commit/end-sent")
	}
}

func (crashHook) OnBrokerRead(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, err error) {
	if err != nil {
		return
	}
	switch kmsg.Key(key) {
	case kmsg.InitProducerID:
		crashpoint.Hit("session/fence-answered")
	case kmsg.JoinGroup:
		crashpoint.Hit("session/join-answered")
	case kmsg.TxnOffsetCommit:
		crashpoint.Hit("commit/offsets-answered")
	case kmsg.EndTxn:
		crashpoint.Hit("commit/end-answered")
	}
}
