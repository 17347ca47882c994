package pipeline

import "time"

// Words of the file.
const (
	// Murmur2 is Kafka's default partitioner: murmur2 of the key's bytes, modulo the number of partitions.
	Murmur2 = "murmur2"
	// LateReconcile: late events are counted, landed, and corrected by the reconciler.
	LateReconcile = "reconcile"
	// LateOff: late events are counted and landed, and the output is not corrected.
	LateOff = "off"
	// EmitOnClose: a window's result is published once, when it closes.
	EmitOnClose = "on_close"
	// EmitOnUpdate: provisional results of open windows are published too, again and again.
	EmitOnUpdate = "on_update"
)

// EnsureDefaults fills in what was left out. What stands in a file stays, zero or not.
func (p *Pipeline) EnsureDefaults() {
	for _, s := range p.allSources() {
		p.sourceDefaults(s)
	}
	joinLateness, _, _ := p.joined()
	for i := range p.Outputs {
		o, path := &p.Outputs[i], element("outputs", i)
		p.text(path+".late", &o.Late, LateReconcile)
		p.text(path+".emit", &o.Emit, EmitOnClose)
		p.duration(path+".allowed_lateness", &o.AllowedLateness, joinLateness)
		if o.Topic.Partitions == 0 && !p.given(path+".topic.partitions") {
			o.Topic.Partitions = 4
		}
	}
	p.duration("kafka.session_timeout", &p.Kafka.SessionTimeout, 45*time.Second)
	p.duration("kafka.transaction_timeout", &p.Kafka.TransactionTimeout, 10*time.Second)
	p.text("lake.bucket", &p.Lake.Bucket, "file://./tidemark-data/lake")
	p.duration("lake.roll.every", &p.Lake.Roll.Every, time.Minute)
	p.size("lake.roll.bytes_max", &p.Lake.Roll.BytesMax, 64<<20)
	if p.Lake.PauseAt == nil {
		share := 0.5
		p.Lake.PauseAt = &share
	}
	p.duration("reconcile.settle", &p.Reconcile.Settle, 2*time.Hour)
	if p.Reconcile.Guard.MaxChangedWindows == nil {
		share := 0.05
		p.Reconcile.Guard.MaxChangedWindows = &share
	}
	p.text("reconcile.guard.else", &p.Reconcile.Guard.Else, ElseHold)
	p.text("state.dir", &p.State.Dir, "./tidemark-data/state")
	p.size("state.memory_max", &p.State.MemoryMax, 512<<20)
	p.size("state.open_max", &p.State.OpenMax, 50_000_000)
	p.duration("state.checkpoint_every", &p.State.CheckpointEvery, 30*time.Second)
	if p.State.Keep == 0 && !p.given("state.keep") {
		p.State.Keep = 5
	}
	p.duration("commit.every", &p.Commit.Every, 200*time.Millisecond)
}

func (p *Pipeline) sourceDefaults(s sourceRef) {
	p.text(s.path+".partitioner", &s.Partitioner, Murmur2)
	p.text(s.path+".start", &s.Start, StartEarliest)
	p.duration(s.path+".watermark.max_future", &s.Watermark.MaxFuture, 24*time.Hour)
	p.duration(s.path+".watermark.idle_after", &s.Watermark.IdleAfter, 5*time.Minute)
	if s.Watermark.Confirm == nil {
		confirm := 3
		s.Watermark.Confirm = &confirm
	}
}

// given reports whether the path stands in the file.
func (p *Pipeline) given(path string) bool {
	_, ok := p.places[path]
	return ok
}

func (p *Pipeline) text(path string, field *string, value string) {
	if *field == "" && !p.given(path) {
		*field = value
	}
}

func (p *Pipeline) duration(path string, field *time.Duration, value time.Duration) {
	if *field == 0 && !p.given(path) {
		*field = value
	}
}

func (p *Pipeline) size(path string, field *int64, value int64) {
	if *field == 0 && !p.given(path) {
		*field = value
	}
}
