package pipeline

import "github.com/tidemark-io/tidemark/stream/window"

// window is the output's windows, without aggregates. What is wrong with the sizes themselves has been said by check.
func (b *builder) window(i int) window.Output {
	o, path := &b.p.Outputs[i], element("outputs", i)+".window"
	w := window.Output{Name: o.Name, Size: o.Window.Tumbling.Milliseconds(), Lateness: o.AllowedLateness.Milliseconds(),
		Updates: o.Emit == EmitOnUpdate}
	switch {
	case o.Window.Hopping != nil:
		w.Size, w.Every = o.Window.Hopping.Size.Milliseconds(), o.Window.Hopping.Every.Milliseconds()
	case o.Window.Session != nil:
		w.Size, w.Gap = o.Window.Session.Within.Milliseconds(), o.Window.Session.Gap.Milliseconds()
	}
	if o.Window.Timezone == "" || !b.fs.clean(path) {
		return w
	}
	zone, err := window.LoadZone(o.Window.Timezone)
	if err != nil {
		b.fs.add(path+".timezone", complain("write an IANA name, as in America/New_York or Europe/Berlin", "%v", err))
		return w
	}
	w.Zone = zone
	return w
}

// checkEngine asks the engine whether it takes the outputs: some limits are on all of them together.
func (b *builder) checkEngine(plan *Plan) bool {
	if _, err := window.NewEngine(plan.Outputs, nil, window.EngineOptions{}); err != nil {
		b.fs.add("outputs", complain("use larger steps of hopping windows, or several pipelines", "%v", err))
		return false
	}
	return true
}
