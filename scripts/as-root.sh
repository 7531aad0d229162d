# What the scripts that install packages share. It is read by them, not run; say is theirs.

# as_root runs a command as root, by sudo if need be.
as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		say "running with sudo: $*"
		sudo "$@"
	else
		say "this needs root, and there is no sudo: $*"
		exit 1
	fi
}
