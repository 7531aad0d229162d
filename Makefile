# What people run. Everything that a change must pass is `make ci`.

# Each module of the repository, by its directory; the root is first.
modules := . $(patsubst %/go.mod,%,$(wildcard */go.mod */*/go.mod))

# Further flags for go test, as in: make test TESTFLAGS=-v
TESTFLAGS ?=

# How often make flakes runs everything.
ROUNDS ?= 20

.PHONY: help test race check fuzz torture flakes fresh cover api licences sbom bench bench-lock bench-store bench-list bench-load bench-fanout bench-go ci

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

# Tests that need a Postgres server or a browser fail where there is none.
require := FEDKIT_REQUIRE_POSTGRES=1 FEDKIT_REQUIRE_CHROMIUM=1

test: ## run every test of every module; installs Postgres and Chromium where there is none
	@scripts/install-postgres.sh
	@scripts/install-chromium.sh
	@for module in $(modules); do \
		echo "go test in $$module"; \
		(cd "$$module" && GOWORK=off $(require) go test $(TESTFLAGS) ./...) || exit 1; \
	done

race: ## the same under the race detector and in random order
	@.ci/run race

check: ## formatting, vet, staticcheck, go.mod files, builds for other systems
	@.ci/run gofmt vet staticcheck tidy verify cross

fuzz: ## run each fuzz target for 4 to 12 seconds
	@.ci/run fuzz

torture: ## run the long form of what kills, pauses, damages and leaks, for about an hour
	@scripts/install-postgres.sh
	FEDKIT_TORTURE=1 FEDKIT_REQUIRE_POSTGRES=1 go test -timeout 90m ./fleetlock/... ./fleetlock/etcdlock/... ./federation/... ./internal/chaos ./bench/load

flakes: ## look for tests that fail now and then, in 20 rounds on a busy machine
	@scripts/install-postgres.sh
	@scripts/install-chromium.sh
	@scripts/flakes.sh $(ROUNDS)

fresh: ## prove that a new system with Go, git and make passes make test; best as root
	@scripts/fresh-root.sh

cover: ## measure which statements of each package the tests of all modules run
	@scripts/install-postgres.sh
	@scripts/install-chromium.sh
	@scripts/cover.sh

api: ## write what hosts see of each package into docs/api.txt
	go run ./internal/api >docs/api.txt

licences: ## write the licences of all that is required into docs/licences.md
	go run ./internal/licences >docs/licences.md

# Run by its version, so that no go.mod requires it. Without its -licenses: it takes the
# licence of the Go authors for another one, and docs/licences.md has them right.
cyclonedx := go run github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0

sbom: ## write a CycloneDX SBOM of each module into dist/sbom
	@mkdir -p dist/sbom
	@for module in $(modules); do \
		file=dist/sbom/fedkit$$(echo "/$$module" | sed 's,/\.$$,,; s,/,-,g').cdx.json; \
		GOWORK=off $(cyclonedx) mod -std -test -type library -json -output $$file $$module && echo $$file || exit 1; \
	done

bench: bench-list bench-load bench-fanout bench-lock bench-store ## run every comparison below, for an hour and more; tables and plots go to dist/bench

# What a comparison is told to write, as $(call written,NAME).
written = -out dist/bench/bench-$(1).md -svg dist/bench/bench-$(1).svg

dist/bench:
	@mkdir -p $@

bench-list: dist/bench ## compare listquery with other ways to the same rows, for a quarter of an hour
	@scripts/install-postgres.sh
	go run ./bench/list $(call written,list)

bench-load: dist/bench ## measure a gateway under load from a second process, for a quarter of an hour
	@scripts/install-postgres.sh
	go run ./bench/load $(call written,load)

bench-fanout: dist/bench ## compare a page over many gateways with that of its slowest one
	go run ./bench/fanout $(call written,fanout)

bench-lock: dist/bench ## compare fleetlock with other locks, side by side
	go run ./bench/lock $(call written,lock)

bench-store: dist/bench ## compare fleetlock on Postgres and etcd with other locks on them
	@scripts/install-postgres.sh
	go run ./bench/store $(call written,store)

bench-go: ## run the benchmarks of packages
	@scripts/install-postgres.sh
	FEDKIT_REQUIRE_POSTGRES=1 go test -run '^$$' -bench . -benchmem work

ci: ## everything that a change must pass
	@.ci/run
