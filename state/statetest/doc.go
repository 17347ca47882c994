// Package statetest is a test kit for what lives on package state: file
// systems that lose power, fail, or tell what is done to them, and a bucket
// that does the last two. It hands them out under state's own names, so that
// a test of another package needs no import of Pebble.
package statetest
