// Package page renders the status page: one HTML document without JavaScript, without anything fetched from elsewhere,
// that answers in this order: does it run, how far is it behind, is anything lost, what waits for what.
//
// Invariants:
//
//  1. Every name is escaped (html/template); the policy sent along allows no script at all.
//  2. The page only reads. There is nothing to click that changes anything.
//  3. It shows status.Document and nothing else, so it can't disagree with `tidemark status`.
//
// It shows law L3, the accounting, and law L2's border: windows that are open, and units that are the reconciler's.
package page
