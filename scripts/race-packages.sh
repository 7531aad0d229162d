#!/usr/bin/env bash
# Prints the packages of all modules, one workspace, that are tested under the race detector:
# all but internal/drivertest, which is the suite of listquery once more, and SQLite is
# twenty times as slow there; and but for what runs nothing at the same time.
set -euo pipefail
cd "$(dirname "$0")/.."
go list work | grep -vE '/internal/(drivertest|contractcheck|licences)$'
