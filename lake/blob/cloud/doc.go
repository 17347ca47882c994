// Package cloud owns the buckets on S3, GCS and Azure, behind blob.Bucket. They come from gocloud.dev/blob; what is here
// makes of them what the lake needs. It is a package of its own because their clients are large: only programs link them.
//
// # Invariants
//
//  1. A call ends: every request has a deadline that grows with its bytes, and there are attemptsMax of them. No other layer
//     repeats requests: the clients' own retries are off.
//  2. PutIfAbsent says ErrExists only of other bytes. If an answer was lost and a repetition finds the key taken, the object
//     is read and compared: what is equal is ours. (So of several writers of equal bytes more than one may be told that it
//     was first.)
//  3. No conditional put is made in a store that has not refused one before the eyes of this process: see fence.go. A
//     conditional put to S3 is one request: some servers ignore the condition when a put of several parts completes.
//  4. Only "no such object" is ErrNotFound. A missing bucket, a refusal or a lost connection never is: to the lake an absent
//     log entry is the end of the log.
//  5. Credentials come from the environment (variables and files of the clouds' own making), never from the URL, and are in
//     no error: no error holds a request's URL.
//  6. A listing is in byte order of the keys, each at most once, also if it had to be repeated.
//
// # Laws
//
// L3 and L4 rest on invariants 1 to 3 of package blob, which the stores give, and on 2 to 4 here.
//
// # Files
//
//	open.go      Open, Options: which URL is which bucket
//	address.go   what a URL may say
//	s3.go gcs.go azure.go   the clients: credentials, endpoints, how their errors look
//	bucket.go    the operations, one request each
//	list.go      listings
//	fence.go     is put-if-absent one?
//	patience.go  deadlines of requests
//	fault.go     what went wrong, and what to do
//	network.go   what went wrong on the way
//	retry.go     repetition, and what it must not break
//	observe.go   counts and durations
package cloud
