// Package windowtest is the suite that an aggregate of one's own must pass.
package windowtest
