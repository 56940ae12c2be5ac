# Everything that people and CI run, by the same names. `make` builds; `make quick` needs seconds and no root;
# `make test` is the whole and installs what it needs. CONTRIBUTING.md says when to use which.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
export CGO_ENABLED ?= 0

SEEDS ?= 1000
T ?= 30s
BENCH ?= .
# Tests that take longer than a second leave themselves out when -short is given; `make test` gives none.
SHORT ?= -short
# Where goroutines meet: the race detector's part of `make test`. `make race RACE=./...` is everything.
RACE ?= ./journal/... ./effects/... ./replay/... ./cmd/...
LAB := .lab
# Those that wait for exchanges of later versions are named in next.txt.
SCENARIOS = $(filter-out $(patsubst %,replay/simulate/testdata/%.txt,B-36 $(shell grep -o '^B-[0-9]*' replay/simulate/testdata/next.txt)),\
	$(wildcard replay/simulate/testdata/B-*.txt))
INTEROP := cmd/ikejd/interop
VM := effects/kernel/linux

# Shows what failed, in full, and what was left out; under CI nothing may be left out.
report := | go run ./cmd/ikejd/internal/noskip

.PHONY: build quick test check format unit fresh race fuzz sim fresh-seeds mutants journals interop shutdown vm peers packages bench demo generate bisect clean

build:
	go build -trimpath -o bin/ikejd ./cmd/ikejd

quick: format
	go vet ./...
	$(MAKE) --no-print-directory unit

# Unit, datadriven and testscript tests, architecture among them.
unit:
	go test -json $(SHORT) -timeout 15m ./... $(report)

format:
	@bad=$$(git ls-files -co --exclude-standard '*.go' | xargs -r ls 2>/dev/null | xargs -r gofmt -l); \
	[ -z "$$bad" ] || { printf 'not formatted; try: gofmt -w\n%s\n' "$$bad" >&2; exit 1; }

check: format fresh
	go vet ./...
	go vet -tags interop ./$(INTEROP)/...
	go vet -tags vm ./$(VM)
	go tool staticcheck ./...
	go tool staticcheck -tags interop ./$(INTEROP)/...
	go tool staticcheck -tags vm ./$(VM)
	go test -json -count=1 ./cmd/ikejd/internal/arch $(report)

generate:
	go generate ./...

# Generated files must be what the generators of this commit make.
fresh:
	@sums() { git ls-files -co --exclude-standard | sort | xargs -r -d '\n' sha256sum 2>/dev/null || true; }; \
	before=$$(sums); go generate ./...; after=$$(sums); \
	[ "$$before" = "$$after" ] || { echo 'generated files were stale and have been renewed; commit them:' >&2; \
		diff <(echo "$$before") <(echo "$$after") | sed -n 's/^> [0-9a-f]*//p' >&2; exit 1; }

test: packages
	$(MAKE) --no-print-directory build
	$(MAKE) --no-print-directory check
	$(MAKE) --no-print-directory quick SHORT=
	$(MAKE) --no-print-directory race
	$(MAKE) --no-print-directory fresh-seeds
	$(MAKE) --no-print-directory journals
	$(MAKE) --no-print-directory interop

race:
	CGO_ENABLED=1 go test -race -short -timeout 20m $(RACE)

# Each fuzz target in turn, T long.
fuzz:
	@git grep -o -E '^func Fuzz[A-Za-z0-9_]*' -- '*_test.go' | while IFS=: read -r file name; do \
		echo "$${file%/*} $${name#func }"; \
		go test -run '^$$' -fuzz "^$${name#func }\$$" -fuzztime $(T) -fuzzminimizetime 2s "./$${file%/*}" </dev/null; \
	done

# Seeds, every scenario with a hundred seeds and with every death there can be, and B-36's search with up to two losses.
sim: build
	bin/ikejd simulate --seeds $(SEEDS) --seed 1 --nodes 2 --for 10m --faults all
	bin/ikejd simulate --seeds 100 --seed 1 --deaths $(SCENARIOS)
	bin/ikejd simulate --seed 1 replay/simulate/testdata/B-36.txt

# Seeds that nobody has played before, five minutes of them at most; the first is printed.
fresh-seeds: build
	bin/ikejd simulate --seeds 2000 --limit 5m --nodes 2 --for 10m --faults all

# Every reducer that is wrong on purpose must be caught by the rule that names it.
mutants:
	go test -v -count=1 -timeout 30m -run '^TestMutant' ./replay/mutants

# Every journal kept in the repository against this reducer: old journals are regression tests.
journals: build
	@n=0; for j in $$(git ls-files '*.ikej'); do n=$$((n + 1)); echo "$$j"; bin/ikejd replay --journal "$$j"; done; \
	[ $$n -gt 0 ] || { echo 'no .ikej file in the repository: nothing was replayed' >&2; exit 1; }

interop: build peers
	go test -json -count=1 -tags interop -timeout 20m -parallel 12 ./$(INTEROP) $(report)

# The kernel's own ESP, in a virtual machine with Debian's kernel: the dataplane, then daemons. Some minutes; it wants the
# packages qemu-system-x86 busybox-static cpio iputils-ping nftables, and unpacks a kernel and strongSwan.
vm: build
	$(INTEROP)/lab/fetch-peers.sh $(LAB)/peers kernel strongswan
	go test -tags vm -c -o $(LAB)/linux.test ./$(VM)
	$(INTEROP)/lab/vm-run.sh -k $(LAB)/peers/kernel -t 600 -b ping $(LAB)/linux.test -test.v
	$(INTEROP)/lab/vm-run.sh -k $(LAB)/peers/kernel -t 600 -M 1024 -b ping -b unshare -b mount -b grep -b seq -b sleep -b nft \
		-c bin/ikejd:/usr/bin/ikejd -c $(INTEROP)/lab:/lab -c $(LAB)/peers/strongswan:/ $(INTEROP)/lab/vm-ikejd.sh

# What a shutdown leaves at the peer, with loss and with 10,000 SAs; docs/shutdown.md has the table. On a quiet machine, since
# here the time counts too. `make interop` plays each once, whatever it takes.
RUNS ?= 5
shutdown: build peers
	SHUTDOWN_TIMES=1 go test -count=$(RUNS) -v -tags interop -timeout 60m -parallel 8 -run '^TestShutdown(Loss|Many)$$' ./$(INTEROP)

# The peers are unpacked, not installed: the host's own daemons and configuration stay as they are.
peers: packages $(LAB)/lossy $(LAB)/fakexfrm.so
	$(INTEROP)/lab/fetch-peers.sh $(LAB)/peers strongswan libreswan

$(LAB)/lossy: $(wildcard $(INTEROP)/lossy/*.go) go.mod
	go build -o $@ ./$(INTEROP)/lossy

$(LAB)/fakexfrm.so: $(INTEROP)/lab/fakexfrm.c
	mkdir -p $(LAB)
	cc -shared -fPIC -O2 -o $@ $< -ldl

# Debian's packages that tests start programs of. Nothing happens where all of them are there.
packages:
	@missing=''; for p in gcc:gcc libc6-dev:/usr/include/stdlib.h iproute2:ip nftables:nft tcpdump:tcpdump tshark:tshark \
			openssl:openssl util-linux:unshare strace:strace; do \
		what=$${p#*:}; [ -e "$$what" ] || command -v "$$what" >/dev/null || missing="$$missing $${p%%:*}"; done; \
	need=$$missing; [ -e $(LAB)/peers/libreswan/.complete ] || need="$$need peers"; \
	[ -n "$$need" ] || exit 0; \
	if [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then \
		echo "make test wants root on Debian 12: network namespaces, and the packages:$$missing; try: make quick" >&2; exit 1; fi; \
	apt-get -q update >/dev/null; \
	[ -z "$$missing" ] || DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends $$missing >/dev/null

# docs/performance.md says what the figures mean. The last are of a daemon under load, so they come alone.
bench:
	go test -run '^$$' -bench '$(BENCH)' -benchmem $$(go list ./... | grep -v /internal/bench$$)
	go test -run '^$$' -bench '$(BENCH)' -benchtime 20000x ./cmd/ikejd/internal/bench

demo: build
	bin/ikejd demo

# The commit from which on JOURNAL replays differently: make bisect JOURNAL=case.ikej GOOD=v0.1.0
bisect:
	@[ -n "$(JOURNAL)" ] && [ -n "$(GOOD)" ] || { echo 'usage: make bisect JOURNAL=case.ikej GOOD=v0.1.0' >&2; exit 2; }
	git bisect start HEAD $(GOOD)
	git bisect run sh -c 'make -s build || exit 125; bin/ikejd replay --journal "$(abspath $(JOURNAL))"'
	git bisect reset

clean:
	rm -rf bin
