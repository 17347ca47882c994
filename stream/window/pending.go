package window

// pending is keys of groups that have changed since the last Updates and lie in the Backing only: their pane was
// evicted.
type pending struct{ keys [][]byte }
