// Package aggregates owns the built-in aggregates beyond those that the engine of stream/window keeps in words.
package aggregates
