package realkafka

import (
	"fmt"
	"net"
)

// ports of one broker.
type ports struct {
	broker, controller int
	proxied, proxy     int // where the broker listens behind a proxy, and where the proxy is to listen
	others             map[string]int
}

// freePorts asks the kernel. Another process may take one before Kafka does: then start tries again.
func freePorts(others map[string]string) (p ports, err error) {
	var open []net.Listener
	defer func() {
		for _, l := range open {
			if closed := l.Close(); err == nil {
				err = closed
			}
		}
	}()
	next := func() int {
		if err != nil {
			return 0
		}
		var l net.Listener
		if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			err = fmt.Errorf("find a free port: %w", err)
			return 0
		}
		open = append(open, l)
		return l.Addr().(*net.TCPAddr).Port
	}
	p = ports{broker: next(), controller: next(), proxied: next(), proxy: next(), others: make(map[string]int)}
	for name := range others {
		p.others[name] = next()
	}
	return p, err
}
