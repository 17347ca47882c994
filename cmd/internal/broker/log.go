package broker

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"
)

// errorsMax bounds what is kept of what the broker calls an error.
const errorsMax = 20

// brokerLog passes on what the broker says, and keeps its errors: the broker only logs that it could not save.
type brokerLog struct {
	log *slog.Logger

	mu     sync.Mutex
	faults []error
}

var _ kfake.Logger = (*brokerLog)(nil)

// Logf is called by the broker.
func (l *brokerLog) Logf(level kfake.LogLevel, format string, args ...any) {
	if level > kfake.LogLevelWarn || level == kfake.LogLevelNone {
		return
	}
	line := fmt.Sprintf(format, args...)
	if level == kfake.LogLevelError {
		l.mu.Lock()
		if len(l.faults) < errorsMax {
			l.faults = append(l.faults, errors.New(line))
		}
		l.mu.Unlock()
	}
	if l.log != nil {
		l.log.Warn("embedded broker: " + line)
	}
}

// take returns the errors since the last call.
func (l *brokerLog) take() []error {
	l.mu.Lock()
	defer l.mu.Unlock()
	faults := l.faults
	l.faults = nil
	return faults
}
