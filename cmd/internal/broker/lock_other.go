//go:build !unix

package broker

// lock does nothing here: that a directory has one broker is left to the user.
func lock(string) (unlock func() error, err error) { return func() error { return nil }, nil }
