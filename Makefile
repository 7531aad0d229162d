# What people run. Everything that a change must pass is `make ci`.

# Each module of the repository, by its directory; the root is first.
modules := . $(patsubst %/go.mod,%,$(wildcard */go.mod */*/go.mod))

# Further flags for go test, as in: make test TESTFLAGS=-v
TESTFLAGS ?=

.PHONY: help test race check fuzz torture bench bench-lock bench-list ci

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

test: ## run every test of every module; installs a Postgres server where there is none
	@scripts/install-postgres.sh
	@for module in $(modules); do \
		echo "go test in $$module"; \
		(cd "$$module" && GOWORK=off FEDKIT_REQUIRE_POSTGRES=1 go test $(TESTFLAGS) ./...) || exit 1; \
	done

race: ## the same under the race detector and in random order
	@.ci/run race

check: ## formatting, vet, staticcheck, go.mod files, builds for other systems
	@.ci/run gofmt vet staticcheck tidy verify cross

fuzz: ## run each fuzz target for 5 to 20 seconds
	@.ci/run fuzz

torture: ## run the long form of what kills, pauses and damages, for about half an hour
	FEDKIT_TORTURE=1 go test -timeout 90m ./fleetlock/...

bench: ## run the benchmarks of every module
	@scripts/install-postgres.sh
	FEDKIT_REQUIRE_POSTGRES=1 go test -run '^$$' -bench . -benchmem work

bench-lock: ## compare fleetlock with other locks, side by side
	go run ./bench/lock

bench-list: ## compare listquery with other ways to the same rows, for half an hour
	@scripts/install-postgres.sh
	go run ./bench/list

ci: ## everything that a change must pass
	@.ci/run
