# make test is what must pass before a change lands; the rest is for working on it.

GO          ?= go
STATICCHECK ?= honnef.co/go/tools/cmd/staticcheck@v0.8.2
# How often `make crash` kills, and how long each fuzz target runs.
N           ?= 20
FUZZTIME    ?= 30s

.PHONY: demo build test lint race fuzz bench crash meta check-clean

demo:
	$(GO) run ./cmd/tidemark demo flights

build:
	$(GO) build -o bin/tidemark ./cmd/tidemark

# go test's own closing lines come last. Two packages at a time: several of them run brokers. The longest goes first, beside the others.
test:
	$(GO) vet ./...
	$(GO) test -p 2 -timeout 30m ./stream/streamtest ./...

lint:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -d $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./...
	$(GO) run $(STATICCHECK) ./...

race:
	$(GO) test -race -p 1 -timeout 60m ./...

# Every fuzz target in turn, FUZZTIME each.
fuzz:
	@set -e; for package in $$($(GO) list ./...); do \
	  for target in $$($(GO) test -list '^Fuzz' $$package | grep '^Fuzz' || true); do \
	    echo "fuzz $$package $$target"; \
	    $(GO) test -run '^$$' -fuzz "^$$target$$" -fuzztime $(FUZZTIME) $$package; \
	  done; \
	done

bench:
	$(GO) test -run '^$$' -bench . -benchmem -timeout 30m ./...

# kill -9 of the real program on a real broker: N times at drawn hits of named points (package crashpoint), and once at each;
# a tenth of it at random moments. SEED draws.
crash:
	TIDEMARK_CRASHES=$(N) TIDEMARK_SEED=$(SEED) $(GO) test -count 1 -v -timeout 600m -run 'TestCrash' ./stream/streamtest

# Generated pipelines over generated logs against the oracle, CASES of them; TIDEMARK_META_SEED=N runs the one that failed.
CASES ?= 1000000
meta:
	TIDEMARK_META_CASES=$(CASES) $(GO) test -count 1 -v -timeout 600m -run TestMeta ./stream/streamtest

# Nothing that a build, a test or a demo makes may stay behind in the tree.
check-clean:
	@test -z "$$(git status --porcelain)" || { git status --short; echo "the tree is not clean"; exit 1; }
	@test -z "$$(git ls-files -i -c --exclude-standard)" || { git ls-files -i -c --exclude-standard; echo "ignored files are committed"; exit 1; }

# Nexmark's queries over EVENTS events, each checked row by row against DuckDB, and what an event costs in each.
EVENTS ?= 100000
.PHONY: nexmark peers
nexmark:
	TIDEMARK_EVENTS=$(EVENTS) $(GO) test -count 1 -v -timeout 60m -bench . -benchmem ./benchmarks/nexmark

# The same queries through Kafka Streams and through Tidemark.
peers:
	$(GO) test -count 1 -v ./benchmarks/peers

# Whole lives of a pipeline in virtual time, all faults mixed: N of them (500 if N isn't given) from seed SEED on. TIDEMARK_SEED=7 go test
# runs the seventh.
SEED ?= 1
.PHONY: faults
faults:
	TIDEMARK_N=$(if $(filter command,$(firstword $(origin N))),$(N),500) TIDEMARK_SEED=$(SEED) $(GO) test -count 1 -v -timeout 0 -run 'TestSim$$' ./stream/streamtest/sim

# Each type of request x {lost before the broker, lost after it, late, each error that fits it}, one in a whole life, in virtual
# time: N seeds from SEED on. And those of a commit on a real broker, N times over.
.PHONY: matrix
matrix:
	TIDEMARK_N=$(N) TIDEMARK_SEED=$(SEED) $(GO) test -count 1 -v -timeout 0 -run 'TestMatrix$$' ./stream/streamtest/sim
	TIDEMARK_N=$(N) TIDEMARK_SEED=$(SEED) $(GO) test -count 1 -v -timeout 600m -run 'TestCommitRequestsAreStruck$$' ./stream/streamtest

# What is kept, broken: N changes of bytes at rest from seed SEED on, 4 N losses of power, and every operation of disk and bucket that
# fails whose number is 1 more than a multiple of EVERY, for the pipelines of SHAPES.
EVERY  ?= 1
SHAPES ?= tumbling,rekeyed,sessions,join
.PHONY: damage
damage:
	TIDEMARK_N=$(N) TIDEMARK_SEED=$(SEED) TIDEMARK_EVERY=$(EVERY) TIDEMARK_SHAPES=$(SHAPES) $(GO) test -count 1 -v -timeout 600m ./stream/streamtest/damage

# The real program treated roughly on a real broker, N rounds from seed SEED on. KIND is Zombies (stopped past their timeouts, then
# woken), BrokerKilled, BadWeather (of the network), Races (both lanes and the tools at once, with kills), RollingRestart, or
# RebalanceStorm, for SECONDS. WORLDS brokers go side by side.
KIND    ?= Zombies
SECONDS ?= 1800
WORLDS  ?= 4
.PHONY: rough
rough:
	TIDEMARK_N=$(N) TIDEMARK_SEED=$(SEED) TIDEMARK_SECONDS=$(SECONDS) TIDEMARK_WORLDS=$(WORLDS) $(GO) test -count 1 -v -parallel $(WORLDS) -timeout 600m -run 'Test$(KIND)' ./stream/streamtest/rough

# KEYS open keys, one event each, then all of their windows closing at once: the real program on real Kafka must stay within
# BUDGET. It prints the peak and what an event cost.
KEYS   ?= 10000000
BUDGET ?= 512MiB
.PHONY: memory
memory:
	TIDEMARK_KEYS=$(KEYS) TIDEMARK_BUDGET=$(BUDGET) $(GO) test -count 1 -v -timeout 120m -run TestManyOpenKeys ./stream/streamtest/memory

# The tests tested: bugs planted one at a time, of which each must be caught. BUGS names some by a regular expression.
BUGS ?= .
.PHONY: mutants
mutants:
	TIDEMARK_MUTANTS='$(BUGS)' $(GO) test -count 1 -v -timeout 600m -run 'TestMutants' ./stream/streamtest/mutants
