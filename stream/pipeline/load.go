package pipeline

// Load reads, checks and completes a pipeline file. env looks up environment variables, as os.LookupEnv does. What is
// wrong with the file's contents comes as Faults, all together; any other error is of reading it.
func Load(path string, env func(string) (string, bool)) (*Pipeline, error) { panic("not yet") }

// EnsureDefaults fills in what was left out.
func (p *Pipeline) EnsureDefaults() { panic("not yet") }

// Validate checks the pipeline, its schema and its expressions, and gives all Faults at once, or nil.
func (p *Pipeline) Validate() error { panic("not yet") }

// Compile makes the plan. It reads the schema file. A pipeline from Load compiles; others may give Faults.
func (p *Pipeline) Compile() (*Plan, error) { panic("not yet") }

const journalSuffix = "-journal"

type program struct{}
