#!/bin/sh
# Installs Chromium for the tests of web pages, unless there is one or Chrome: with apt-get
# on Debian, dnf on Fedora, Homebrew on macOS. Elsewhere it says what is missing.
set -eu
. "$(dirname "$0")/as-root.sh"

say() { printf 'install-chromium: %s\n' "$*" >&2; }

# installed looks where examples/peers looks.
installed() {
	for browser in chromium chromium-browser google-chrome google-chrome-stable chrome \
		"/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" \
		/Applications/Chromium.app/Contents/MacOS/Chromium; do
		# Ubuntu has a chromium-browser that only says how to get one.
		if command -v "$browser" >/dev/null && "$browser" --version >/dev/null 2>&1; then return; fi
	done
	return 1
}

install() {
	if command -v apt-get >/dev/null; then
		as_root apt-get update
		if ! LC_ALL=C apt-cache policy chromium | grep -q 'Candidate: [0-9]'; then
			say "there is no Chromium and no Chrome, and no package chromium: Ubuntu has it as a snap only."
			say "Install Google Chrome, or that snap, and see that it is on the PATH."
			exit 1
		fi
		as_root env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends chromium
	elif command -v dnf >/dev/null; then
		as_root dnf install --assumeyes chromium
	elif command -v brew >/dev/null; then
		brew install --cask chromium
	else
		say "there is no Chromium and no Chrome, and none of apt-get, dnf and brew to install one."
		say "Install one of them, and see that it is on the PATH."
		exit 1
	fi
}

installed && exit
say "there is no Chromium yet; installing one"
install
installed || {
	say "the package is installed, but there is no Chromium in any place that is known"
	exit 1
}
