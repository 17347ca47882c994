package kafka

import "time"

// SetStall makes a producer less patient.
func (p *Producer) SetStall(d time.Duration) { p.out.stall = d }
