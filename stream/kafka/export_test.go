package kafka

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// SetStall makes a producer less patient.
func (p *Producer) SetStall(d time.Duration) { p.out.stall = d }

// Sticky divides partitions as sessions do, for clients of the same group.
func Sticky() kgo.GroupBalancer { return newSticky(new(Owned)) }
