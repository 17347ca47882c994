package stream

import "slices"

// Memory divides a process's budget (state.memory_max) into shares, in bytes. All tasks of the process share each of them:
// what one doesn't use is there for the others. What a share bounds is said beside it; where it is enforced, in the
// code that takes it.
type Memory struct {
	// Total is the budget. What the kernel counts as the process's memory stays below it.
	Total int64
	// Program is what the program takes whatever it does: its code, the runtime, connections.
	Program int64
	// BlockCache is Pebble's cache of tables' blocks. Outside of Go's heap, as the memtables are (with cgo).
	BlockCache int64
	// MemTables is what has been applied to Pebble and is not yet on the disk.
	MemTables int64
	// WriteBack is what tasks keep in memory of open windows, identities and join buffers. Above it a commit is taken at
	// once, and what is stored is dropped from memory.
	WriteBack int64
	// Batch is what has changed since the last commit, and is copied once to be applied: above it a commit is taken at once.
	Batch int64
	// Landing is what waits to be written to the raw lake, of the sources.
	Landing int64
	// Results is the same of curated topics and journal.
	Results int64
	// Fetch is what has been fetched and not yet polled, expanded.
	Fetch int64
	// Records is what has been polled and is not yet processed.
	Records int64
	// Outbox is what the producer holds: outputs and journal entries on their way to the broker.
	Outbox int64
	// Restore is what restores and replays read at a time.
	Restore int64
	// Garbage is what is left for what the collector has not found yet, and for gaps between Pebble's blocks.
	Garbage int64
}

const (
	programBytes = 64 << 20
	// recordBytes is what a small record takes on its way: the client's struct, key and value.
	recordBytes = 512
	// fragmented is how much more than what Pebble asks for the C library's allocator takes from the system (measured, glibc).
	fragmented = 2
	// expansion is how much larger a fetch is in memory than on the wire: compression, and a struct for each record.
	expansion = 8
)

// DivideMemory divides a budget. A small one leaves less to the program than it takes: at least half is shared out.
func DivideMemory(total int64) Memory {
	m := Memory{Total: total, Program: min(programBytes, total/2)}
	of := total - m.Program
	m.BlockCache = of / 16
	m.MemTables = of * 3 / 32
	m.WriteBack = of * 3 / 16
	m.Batch = of / 32
	m.Landing = of * 3 / 32
	m.Results = of / 32
	m.Fetch = of / 16
	m.Records = of / 32
	m.Outbox = of / 32
	m.Restore = of / 32
	m.Garbage = of - m.BlockCache - m.MemTables - m.WriteBack - m.Batch - m.Landing - m.Results - m.Fetch - m.Records - m.Outbox - m.Restore
	return m
}

// Part is one share of the budget, for people and metrics.
type Part struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"` // held now
	Limit int64  `json:"limit"`
}

// Parts are the shares in a fixed order, nothing held.
func (m *Memory) Parts() []Part {
	return []Part{
		{Name: "program", Limit: m.Program}, {Name: "block_cache", Limit: m.BlockCache}, {Name: "memtables", Limit: m.MemTables},
		{Name: "write_back", Limit: m.WriteBack}, {Name: "batch", Limit: m.Batch}, {Name: "landing", Limit: m.Landing},
		{Name: "results", Limit: m.Results}, {Name: "fetch", Limit: m.Fetch}, {Name: "records", Limit: m.Records},
		{Name: "outbox", Limit: m.Outbox}, {Name: "restore", Limit: m.Restore}, {Name: "garbage", Limit: m.Garbage},
	}
}

// parts are the shares that are counted while they are used, with what they hold now.
func (r *runner) parts() []Part {
	m := r.memory
	held, unwritten := int64(0), int64(0)
	for _, t := range r.mine() {
		held += t.flow.Memory()
		unwritten += t.flow.Unwritten() + t.out.bytes
	}
	return []Part{
		{Name: "memtables", Bytes: r.shared.UnflushedBytes(), Limit: m.MemTables},
		{Name: "write_back", Bytes: held, Limit: m.WriteBack},
		{Name: "batch", Bytes: unwritten, Limit: m.Batch},
		{Name: "landing", Bytes: r.budget.Used(), Limit: r.budget.Limit()},
		{Name: "results", Bytes: r.resultBudget.Used(), Limit: r.resultBudget.Limit()},
	}
}

// Heap is what Go's heap and runtime may take: all but the program's code and, where Pebble has memory of its own
// (offHeap), its cache and memtables.
func (m *Memory) Heap(offHeap bool) int64 {
	heap := m.Total - m.Program
	if offHeap {
		heap -= fragmented * (m.BlockCache + m.MemTables)
	}
	return heap
}

// fetchBytes is what one fetch may bring, as it is on the wire. A batch that is larger comes all the same.
func (m *Memory) fetchBytes() int32 {
	return int32(min(max(m.Fetch/expansion, 64<<10), 32<<20))
}

// pollRecords bounds the records of one poll; each of them may open so many windows.
func (m *Memory) pollRecords(windows int64) int {
	return int(min(max(m.Records/(recordBytes*max(windows, 1)), 100), 10_000))
}

// Options.PortionRecordsMax, and the same in bytes.
const (
	portionRecords = 50_000
	portionBytes   = 32 << 20
)

// closeAtOnce bounds the results that a batch may give out at its end, into memory. More of them wait for the commit,
// which streams them to the broker.
const closeAtOnce = 4096

// crowded says that memory asks for a commit now.
func (r *runner) crowded() bool {
	held, unwritten, late := int64(0), int64(0), false
	for _, t := range r.mine() {
		held += t.flow.Memory()
		unwritten += t.flow.Unwritten() + t.out.bytes
		late = late || t.out.overdue
	}
	return late || held > r.memory.WriteBack || unwritten > r.memory.Batch
}

// share divides the write-back memory among the tasks before they write: each may keep as much as the one level allows
// at which all of them together fit. Those that need less leave the rest to the others.
func (r *runner) share(tasks []*task) {
	level := levelOf(tasks, r.memory.WriteBack)
	for _, t := range tasks {
		t.flow.SetMemoryMax(level, r.memory.WriteBack/int64(4*len(tasks)))
	}
}

// levelOf is the highest level with sum(min(memory, level)) <= limit; the limit if all fit.
func levelOf(tasks []*task, limit int64) int64 {
	held := make([]int64, len(tasks))
	for i, t := range tasks {
		held[i] = t.flow.Memory()
	}
	return waterLevel(held, limit)
}

func waterLevel(held []int64, limit int64) int64 {
	slices.Sort(held)
	left := limit
	for i, h := range held {
		if each := left / int64(len(held)-i); h > each {
			return each
		}
		left -= h
	}
	return limit
}
