// Package blobtest is the test kit of lake/blob: the acceptance suite that
// every bucket passes, and a wrapper that injects faults.
//
//  1. Acceptance tests what blob.Bucket states and nothing more, so a backend
//     that passes it can stand in for any other.
//  2. Faulty changes nothing but the outcome: what it lets through reaches the
//     wrapped bucket unchanged.
//
// It upholds no law; the tests of the packages above prove theirs with it.
package blobtest
