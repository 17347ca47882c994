package pipeline

// sourceRef is a source and where it stands in the file.
type sourceRef struct {
	name string // empty if there is but one
	path string // source or sources.<name>
	*Source
}

// allSources lists the sources of the pipeline, one or several, in order.
func (p *Pipeline) allSources() []sourceRef {
	if len(p.Sources) == 0 {
		return []sourceRef{{path: "source", Source: &p.Source}}
	}
	refs := make([]sourceRef, len(p.Sources))
	for i := range p.Sources {
		s := &p.Sources[i]
		refs[i] = sourceRef{name: s.Name, path: join("sources", s.Name), Source: &s.Source}
	}
	return refs
}
