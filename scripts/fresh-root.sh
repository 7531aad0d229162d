#!/usr/bin/env bash
# Proves that a machine with Go, git and make, and nothing else, passes `make test`:
#
#	scripts/fresh-root.sh           the last commit
#	scripts/fresh-root.sh v0.1.0    that one
#
# As root, and with debootstrap, it builds a minimal system of this machine's own Debian
# or Ubuntu in a temporary directory, clones the commit into it and runs `make test`
# there, in namespaces of its own: no compiler for C, no Postgres server, no browser, no
# module and no test result that this machine has is in there. Elsewhere it takes a clone
# and empty caches instead, which proves less, and it says so.
#
# Packages and modules come from where this machine gets them: APT's configuration and
# keys, and the environment's GOPROXY and the like, are taken over, and so is the
# certificate file that SSL_CERT_FILE names. DEBOOTSTRAP_MIRROR names another mirror.
# It needs 6 GB on the disk of TMPDIR, for a quarter of an hour or more.
set -euo pipefail
cd "$(dirname "$0")/.."

commit=$(git rev-parse --verify "${1:-HEAD}^{commit}")
work=$(mktemp -d "${TMPDIR:-/tmp}/fresh-root.XXXXXX")
root=$work/root

say() { printf 'fresh-root: %s\n' "$*"; }

finish() {
	local status=$?
	chmod -R u+w "$work" 2>/dev/null || : # the module cache is read-only
	rm -rf "$work"
	((status == 0)) && say "passed" || say "failed with status $status"
}
trap finish EXIT

# passed_on are settings without which this machine might reach no module.
passed_on() {
	local name
	for name in GOPROXY GOSUMDB GONOSUMDB GONOPROXY GOPRIVATE; do
		printf '%s=%s\n' "$name" "$(go env "$name")"
	done
	for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
		[[ -z ${!name:-} ]] || printf '%s=%s\n' "$name" "${!name}"
	done
}

bootstrap() {
	local codename mirror
	codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
	mirror=${DEBOOTSTRAP_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' "Codename: $codename" | head -n 1)}
	say "debootstrap makes a minimal $codename with git, make and certificates"
	debootstrap --variant=minbase --include=git,make,ca-certificates "$codename" "$root" "$mirror" >"$work/log" 2>&1 ||
		{ tail -n 20 "$work/log"; return 1; }
	# Where packages come from, and how they are verified, as on this machine.
	rm -f "$root/etc/apt/sources.list"
	tar -C / -c etc/apt | tar -C "$root" -x
	cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
	[[ -z ${SSL_CERT_FILE:-} ]] || cp -L "$SSL_CERT_FILE" "$root/etc/ssl/certs/ca-certificates.crt"
	mkdir -p "$root/usr/local/go"
	tar -C "$(go env GOROOT)" -c . | tar -C "$root/usr/local/go" -x
}

# inside runs a command in the new root. All that it mounts and starts ends with it.
inside() {
	unshare --mount --pid --fork bash -euc '
		root=$1 && shift
		mount -t proc proc "$root/proc"
		mount --rbind /dev "$root/dev"
		mount -t tmpfs tmpfs "$root/run"
		exec chroot "$root" "$@"
	' - "$root" env -i HOME=/root PATH=/usr/local/go/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		GOTOOLCHAIN=local "${settings[@]}" "$@"
}

describe='
	. /etc/os-release && echo "$PRETTY_NAME, $(dpkg -l | grep -c ^ii) packages"
	go version; git --version; make --version | head -n 1
	for program in gcc cc psql postgres initdb chromium; do
		! command -v "$program" || exit 1
	done
	echo "and no C compiler, no Postgres, no Chromium, $(go env CGO_ENABLED) for cgo"'

clone() {
	git clone --quiet --no-local . "$src"
	git -C "$src" checkout --quiet --detach "$commit"
}

mapfile -t settings < <(passed_on)
say "the commit is $(git log -1 --format='%h %s' "$commit")"
if [[ $(id -u) -eq 0 ]] && command -v debootstrap >/dev/null && command -v unshare >/dev/null; then
	bootstrap
	src=$root/src
	clone
	inside sh -euc "$describe"
	say "make test in it"
	inside make -C /src test
else
	say "this is not root, or there is no debootstrap or unshare: a clone and empty caches must do,"
	say "and programs of this machine, such as gcc, Postgres and Chromium, may take part"
	src=$work/src
	clone
	mkdir "$work/home"
	env -i HOME="$work/home" PATH="$PATH" TMPDIR="${TMPDIR:-/tmp}" "${settings[@]}" make -C "$src" test
fi
left=$(git -C "$src" status --porcelain)
[[ -z $left ]] || { say "make test leaves behind or changes:"; echo "$left"; exit 1; }
