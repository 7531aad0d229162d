#!/bin/sh
# Installs a Postgres server for the tests, unless there is one: with apt-get on Debian
# and Ubuntu, dnf on Fedora, Homebrew on macOS. Elsewhere it says what is missing.
# The tests start servers of their own; the package's service need not run.
set -eu
. "$(dirname "$0")/as-root.sh"

say() { printf 'install-postgres: %s\n' "$*" >&2; }

# installed looks where internal/pgtest looks.
installed() {
	for dir in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/libexec/postgresql* \
		/opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin \
		/Applications/Postgres.app/Contents/Versions/*/bin \
		"$(pg_config --bindir 2>/dev/null || :)" \
		/opt/homebrew/opt/postgresql/bin /usr/local/opt/postgresql/bin /usr/local/bin /usr/bin; do
		if [ -x "$dir/initdb" ] && [ -x "$dir/postgres" ]; then return; fi
	done
	command -v initdb >/dev/null && command -v postgres >/dev/null
}

install() {
	if command -v apt-get >/dev/null; then
		as_root apt-get update
		as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends postgresql
	elif command -v dnf >/dev/null; then
		as_root dnf install --assumeyes postgresql-server
	elif command -v brew >/dev/null; then
		brew install postgresql@17
	else
		say "there is no Postgres server, and none of apt-get, dnf and brew to install one."
		say "Install Postgres with its programs initdb and postgres, and see that they are on the PATH."
		exit 1
	fi
}

installed && exit
say "there is no Postgres server yet; installing one"
install
installed || {
	say "the package is installed, but there is no server in any place that is known"
	exit 1
}
