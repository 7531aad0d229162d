#!/usr/bin/env bash
# Looks for tests that fail only now and then: runs tests again and again under the race
# detector, in random order, so many packages at once that each has a fraction of a
# processor.
#
#	scripts/flakes.sh                      20 rounds of what .ci/run race runs
#	scripts/flakes.sh 5 ./cursor ./scope   5 rounds of these
#
# It prints which tests failed in how many rounds. What they said, with the seed of the
# order (go test -shuffle SEED), is in dist/flakes/. One failure, or one test that was
# skipped, and the status is 1.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${1:-20}
shift || :
[[ $rounds =~ ^[1-9][0-9]*$ ]] || { echo "usage: $0 [ROUNDS [PACKAGES]]" >&2; exit 2; }
# shellcheck disable=SC2046
(($#)) || set -- $(scripts/race-packages.sh)

logs=dist/flakes
rm -rf "$logs"
mkdir -p "$logs"

failed=
at_once=$((3 * $(getconf _NPROCESSORS_ONLN)))
for ((round = 1; round <= rounds; round++)); do
	log=$logs/$round.log
	began=$SECONDS
	if FEDKIT_REQUIRE_POSTGRES=1 FEDKIT_REQUIRE_CHROMIUM=1 go test -p "$at_once" -race -shuffle=on -count=1 -timeout 30m -v "$@" >"$log" 2>&1 </dev/null; then
		result=passed
	else
		result=FAILED failed=1
	fi
	printf 'round %d of %d: %s, %d tests in %d s\n' "$round" "$rounds" "$result" \
		"$(grep -cE '^ *--- PASS: ' "$log" || :)" $((SECONDS - began))
done

# A test that failed has its line; a package that did not build or was cut off has its own.
bad=$(grep -hE '^ *--- (FAIL|SKIP): |^FAIL\s+\S+|^panic: |^WARNING: DATA RACE' "$logs"/*.log |
	sed -E 's/ \([0-9.]+s\)$//; s/\s+[0-9.]+s$//' | sort | uniq -c | sort -rn) || :
if [[ -n $bad$failed ]]; then
	printf 'failed or skipped, by how often:\n%s\nsee %s\n' "${bad:-no test, but a round did}" "$logs"
	exit 1
fi
rm -r "$logs"
echo "no test failed in $rounds rounds"
