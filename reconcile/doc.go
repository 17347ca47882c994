// Package reconcile is the slow lane: it recomputes windows from the raw lake, compares them with what is published,
// publishes corrections and certifies the result.
package reconcile
