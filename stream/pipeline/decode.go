package pipeline

import (
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// apiVersion is the only version of the file's form.
const apiVersion = "tidemark/v1"

// decode reads the whole tree into the Pipeline. Every key of a section is taken in the order of the documented example; what
// isn't built yet is refused with what to do instead. It is false if there is nothing to read at all.
func (l *loader) decode(root ast.Node) bool {
	m := l.mapping("", root)
	if m == nil {
		return false
	}
	var version string
	m.choice("apiVersion", &version, apiVersion)
	m.text("pipeline", &l.p.Name)
	m.sectionAs("kafka", "write kafka: {brokers: [localhost:9092]}", l.kafka)
	l.sources(m)
	l.joins(m)
	l.lets(m)
	l.rules(m)
	l.outputs(m)
	m.section("lake", l.lake)
	m.section("reconcile", l.reconcile)
	m.section("state", l.state)
	m.section("commit", func(m *mapping) { m.duration("every", &l.p.Commit.Every) })
	m.later("check the curated topic where it is read for now", "checks")
	m.later("leave it out: costs are not computed", "cost")
	m.later("leave it out: tidemark test is told which fixtures to run", "tests")
	m.instead("pipeline", "name")
	m.instead("outputs", "output", "sinks", "sink")
	m.instead("let", "lets", "define", "vars")
	m.instead("rules", "rule", "filters")
	m.refuse("it is a property of an output here: outputs: [{name: n, group_by: [k], window: {tumbling: 1h}, aggregate: {n: count()}}]", "windows", "aggregations")
	m.done()
	l.faults.required("apiVersion", version == "", "begin the file with apiVersion: "+apiVersion)
	return true
}

func (l *loader) kafka(m *mapping) {
	k := &l.p.Kafka
	var addresses []string
	m.texts("brokers", &addresses, l.address)
	for i, a := range addresses { // one variable may hold several addresses, as in KAFKA_BROKERS=a:9092,b:9092
		path := element("kafka.brokers", i)
		for _, b := range strings.Split(a, ",") {
			b = strings.TrimSpace(b)
			if c := checkAddress(b, l.p.hidden[path]); c != nil && a != "" {
				l.faults.add(path, c)
			}
			k.Brokers = append(k.Brokers, b)
		}
	}
	m.section("tls", func(m *mapping) {
		k.TLS = &TLS{}
		if path, n := m.take("ca"); n != nil {
			k.TLS.CA, _ = l.address(path, n)
		}
		m.later("brokers are checked against ca; log in with sasl", "cert", "key", "server_name")
		m.later("name the authority in ca: a connection that isn't checked can be read by anybody", "insecure", "insecure_skip_verify")
	})
	m.section("sasl", func(m *mapping) {
		k.SASL = &SASL{}
		m.choiceElse("mechanism", &k.SASL.Mechanism, saslLater, "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
		if path, n := m.take("username"); n != nil {
			text, _ := l.address(path, n)
			k.SASL.Username = Secret(text)
		}
		if path, n := m.take("password"); n != nil {
			k.SASL.Password, _ = l.secret(path, n)
		}
	})
	m.duration("session_timeout", &k.SessionTimeout)
	m.duration("transaction_timeout", &k.TransactionTimeout)
	m.instead("brokers", "bootstrap_servers", "bootstrap.servers", "bootstrap", "servers", "broker", "hosts", "addresses")
	m.refuse("write tls: {} to encrypt, and sasl: {mechanism: ..., username: ..., password: ${NAME}} to log in", "security_protocol", "security.protocol", "username", "password", "ssl")
	m.instead("session_timeout", "session.timeout.ms", "session_timeout_ms")
	m.instead("transaction_timeout", "transaction.timeout.ms", "transaction_timeout_ms")
	m.refuse("it is the pipeline's name", "group", "group_id", "group.id", "consumer_group")
	m.later("name the schema's file in source.schema.file and its registry ids in source.schema.ids", "schema_registry")
}

// saslLater are mechanisms that Kafka has and Tidemark does not.
var saslLater = func() map[string]*complaint {
	c := complain("use SCRAM-SHA-512 or PLAIN, over tls", "not built yet")
	return map[string]*complaint{"GSSAPI": c, "OAUTHBEARER": c, "AWS_MSK_IAM": c}
}()

func (l *loader) lets(m *mapping) {
	m.sectionAs("let", "write a name for each expression, as in let: {far: distance > 3000}", func(m *mapping) {
		m.free = true
		for _, e := range m.entries {
			if path, text, ok := m.scalar(e.key, "an expression"); ok {
				l.p.Let = append(l.p.Let, Let{Name: e.key, Expr: text})
			} else if e.value != nil {
				l.faults.silence(path)
				l.p.Let = append(l.p.Let, Let{Name: e.key})
			}
		}
	})
}

func (l *loader) lake(m *mapping) {
	if path, n := m.take("bucket"); n != nil {
		if text, ok := l.address(path, n); ok {
			l.p.Lake.Bucket = text
		}
	}
	m.section("roll", func(m *mapping) {
		m.duration("every", &l.p.Lake.Roll.Every)
		m.size("bytes_max", &l.p.Lake.Roll.BytesMax)
	})
	l.p.Lake.PauseAt = m.percent("pause_at")
	m.later("the lake keeps everything for now: leave it out", "retention")
	m.later("files are written without compression for now: leave it out", "compression")
}

func (l *loader) reconcile(m *mapping) {
	r := &l.p.Reconcile
	m.duration("settle", &r.Settle)
	m.duration("lookback", &r.Lookback)
	m.section("guard", func(m *mapping) {
		r.Guard.MaxChangedWindows = m.percent("max_changed_windows")
		m.sectionAs("max_change", "write the name of an aggregate and a share, as in max_change: {flights: 2%}", func(m *mapping) {
			m.free = true
			for _, e := range m.entries {
				if f := m.percent(e.key); f != nil {
					if r.Guard.MaxChange == nil {
						r.Guard.MaxChange = make(map[string]float64)
					}
					r.Guard.MaxChange[e.key] = *f
				}
			}
		})
		m.choice("else", &r.Guard.Else, ElseHold, ElsePublish, ElseFail)
	})
	m.later("let cron, Airflow or a Kubernetes CronJob run tidemark reconcile run", "schedule")
	m.later("hours are UTC for now: leave it out", "timezone")
	m.later("one process reconciles for now: leave it out", "workers")
	m.later("limit the process from outside for now: leave it out", "budget")
}

func (l *loader) state(m *mapping) {
	s := &l.p.State
	m.text("dir", &s.Dir)
	m.size("memory_max", &s.MemoryMax)
	if n, ok := m.integer("open_max", 1, openMax); ok {
		s.OpenMax = n
	}
	m.duration("checkpoint_every", &s.CheckpointEvery)
	if n, ok := m.integer("keep", keepMin, keepMax); ok {
		s.Keep = int(n)
	}
	m.later("a task restores from its checkpoint in the lake's bucket: leave it out", "standbys")
}
