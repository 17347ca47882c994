// Package memory holds a process against its budget (state.memory_max): the real program on a real broker, one event for
// each of very many keys in windows that are all open, landing and checkpoints on, and then all of them closing at once.
//
// Invariant: what the kernel counts as the process's memory (VmHWM) stays at or below the budget, and every result comes
// once. `make memory KEYS=10000000` is the claim; `make test` runs the same in little, in one process, where what the
// engine counts against its shares is looked at instead of what the kernel sees.
package memory
