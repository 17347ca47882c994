// Package blobtest is the test kit of lake/blob: the acceptance suite that
// every bucket passes, and a wrapper that injects faults.
package blobtest
