// Package expr compiles the expressions of a pipeline (`let`, aggregate
// arguments) with CEL.
package expr

import "github.com/tidemark-io/tidemark/schema"

// Env is what an expression can name: fields of the event, and lets.
type Env struct {
	Fields map[string]schema.Type // by path
	Lets   map[string]*Program    // compiled before; a let hides a field of its name
}

// Program is a compiled expression: immutable, safe for concurrent use.
type Program struct{}

// Compile parses and type-checks an expression. Faults of the expression are
// *Error, several of them joined (errors.Join).
func Compile(src string, env Env) (*Program, error) { panic("not yet") }

// Error is a fault in an expression's text.
type Error struct {
	Line, Column int // from 1, within the expression
	Msg          string
	Hint         string // what to do; may be empty
}

// Error is the fault in one line.
func (e *Error) Error() string { panic("not yet") }

// Type is the type of the result.
func (p *Program) Type() schema.Type { panic("not yet") }

// Fields are the event fields that the expression reads, directly and through
// lets, sorted.
func (p *Program) Fields() []string { panic("not yet") }

// Source is the expression's text.
func (p *Program) Source() string { panic("not yet") }

// NewEval binds the program to rows: index gives the place of each field in
// them, or -1 ((*schema.Decoder).Index). An Eval belongs to one goroutine.
func (p *Program) NewEval(index func(field string) int) (*Eval, error) { panic("not yet") }

// Eval evaluates one program for one event after another.
type Eval struct{}

// Eval evaluates the program over a row. The result's Bytes may alias the row.
// A failure is a *schema.RecordError with reason "expression".
func (e *Eval) Eval(row []schema.Value) (schema.Value, error) { panic("not yet") }
