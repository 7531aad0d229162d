#!/usr/bin/env bash
# Measures which statements of the library the tests of all modules run, those of other
# packages included: listquery is tested through SQLite and pgx in modules of their own,
# and federation by programs.
#
#	scripts/cover.sh             by the tests of all packages
#	scripts/cover.sh ./cursor    by those of this one
#
# It prints a table by package. What no test runs is in dist/cover/uncovered.txt, a line
# for each block, and `go tool cover -html dist/cover/profile` shows it. What a process
# runs that a test starts is not counted, nor what is for another system.
set -euo pipefail
cd "$(dirname "$0")/.."
# The program of internal/programtest has nothing of the library in it, of which Go
# complains on its standard error when it ends; its tests find that there.
# shellcheck disable=SC2046
(($#)) || set -- $(go list work | grep -v '/internal/programtest$')

out=dist/cover
mkdir -p "$out"

# What a host can compile in; the rest is programs, and machinery of tests.
library=$(go list work | grep -vE '/fedkit$|/(bench|examples)(/|$)|/fedkit/internal/|/internal/model|test$' | paste -sd,)
library+=,github.com/mosaicstack/fedkit/internal/strictjson

status=0
FEDKIT_REQUIRE_POSTGRES=1 FEDKIT_REQUIRE_CHROMIUM=1 go test -count=1 -timeout 60m -coverpkg="$library" -coverprofile="$out/profile" "$@" >"$out/log" 2>&1 || status=$?
grep -vE '^ok|^warning: no packages being tested|no test files|coverage: 0.0% of statements' "$out/log" || :

# A line of the profile is FILE:BLOCK STATEMENTS COUNT, once for each test binary.
awk -v uncovered="$out/uncovered.txt" '
	NR == 1 { next }
	{ statements[$1] = $2; if ($3) ran[$1] = 1 }
	END {
		for (block in statements) {
			package = block
			sub(/\/[^\/]*$/, "", package)
			all[package] += statements[block]
			if (ran[block]) hit[package] += statements[block]
			else print block, statements[block] | ("sort -V >" uncovered)
		}
		for (package in all)
			printf "%s %d %d %.1f\n", package, all[package], all[package] - hit[package], 100 * hit[package] / all[package] | "sort"
	}' "$out/profile" >"$out/packages.txt"

printf '| package | statements | not run | run |\n|---|---:|---:|---:|\n'
awk '{ sub(/^github.com\/mosaicstack\/fedkit\//, "", $1); printf "| %s | %d | %d | %s %% |\n", $1, $2, $3, $4; all += $2; not += $3 }
	END { printf "| all | %d | %d | %.1f %% |\n", all, not, 100 * (all - not) / all }' "$out/packages.txt"
exit "$status"
