// Package infer writes a first pipeline file for a topic, from the schema of its records (`tidemark init`): which field is
// the event time, which ones identify an event, by what to group and what to compute. Every guess is written down with its
// reason, beside the line that it made.
//
// Invariants:
//
//  1. The file is sound as it is written: it has been checked with its schema before it is given out.
//  2. Nothing is guessed that could stop a task or drop events: source.key is never guessed, max_out_of_orderness and
//     allowed_lateness are said to be placeholders.
//  3. The same schema gives the same file.
package infer
