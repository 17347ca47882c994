// Package pipeline owns the pipeline file: its keys and defaults, the faults it can have, what it compiles to, and the
// fingerprint of what decides its results.
//
// Load reads a file strictly and reports every fault at once, each with its line, its column and what to do. Compile
// turns a pipeline into a Plan: for each source a reader over exactly the fields that are read, compiled expressions and
// rules, the windows and aggregates, and a codec per output. An Eval applies the plan to records, in the stream as in the
// reconciler. A Go program may add aggregates and functions of its own (Extensions); the fingerprint knows an aggregate by its
// Cell and a function by its name and types, so what computes something else must be called something else.
//
// The package reads the pipeline file, the schemas beside it and the files that ${file:...} names, and nothing else; it
// knows no broker, no bucket and no clock. The README of this folder is the reference of the file, and JSONSchema the
// same for editors.
//
// Invariants:
//
//  1. Nothing in a file is ignored. A key or value that Tidemark does not know, or does not have yet, is a fault.
//  2. All faults are reported together, once each, in the order of the file, and every one says what to do.
//  3. Values that came by ${...} never show in a fault, nor in a printed Pipeline.
//  4. A pipeline that loads compiles: schema, types and names have been checked.
//  5. Equal fingerprints mean equal results: whatever decides a result is in it. Settings that decide none (brokers,
//     directories, intervals, budgets) are not, nor is anything about fields that are not read.
//  6. A group lives in one partition: every field of the source's key is in its group_by, or the plan says Rekeyed.
//  7. What an Eval fills in is a function of the record's bytes and the plan.
//  8. No file makes Load panic, or take memory beyond a small multiple of its size, which is limited.
//  9. JSONSchema, the README of this folder and Load know the same keys, words and defaults.
//  10. Rules come before anything else that is computed of an event, in the order of the file. The first that filters or
//     quarantines decides; one whose condition fails or is null fires, and a filter that can't tell quarantines.
//  11. In a co-group an event's fields of other sources are null. What reads none of its own fields and can't be computed
//     from nulls is null as an argument and no rule for it. Of an enrichment without a version the version's fields are null.
//  12. Rows, join keys and the identities of elements are canonical (FORMAT.md): functions of the fields alone.
//
// Laws: L1, since only functions of sets are accepted as aggregates; L2, since the fingerprint tells whose results are
// in force.
//
// # Files
//
//	load.go                            from a path to a Pipeline, and on to a Plan: the order of all that follows
//	yaml.go, mapping.go, scalar.go,
//	units.go, substitute.go            the text of a file
//	pipeline.go, decode*.go,
//	defaults.go, sources.go, topics.go what it says
//	check*.go                          what is wrong with that, without the schema
//	build*.go, coalesce.go             what is wrong with it by the schema, and the parts of the plan
//	call*.go, extensions.go            aggregates as they are called
//	scan.go                            CEL's text, looked through without parsing it
//	fault.go, place.go, hint.go        faults: what, where, and what to do
//	plan.go, plan_describe.go,
//	fingerprint.go                     the plan, in words, and as a hash
//	program.go, eval*.go               the plan, applied to records
//	jsonschema.go                      the file's form, for editors
package pipeline
