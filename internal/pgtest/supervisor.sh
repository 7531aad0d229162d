# Runs a throwaway Postgres server on behalf of the process at the other end of
# standard input, and outlives it just long enough to remove all traces.
#
#   arguments        the directory of the server programs, the directory to make and,
#                    for a standby, the directory of its primary
#   standard input   lines "start", "stop" and "kill"; its end is the end of the server
#   standard output  "ok" when a line is done; if it cannot be done the reason,
#                    and then the end of the server
#
# The kernel closes the pipes of a process that dies, whatever it dies of. So
# standard input ends even when nobody is left to say stop.
set -eu
programs=$1
dir=$2
primary=${3-}
server=

# Ctrl-C and a hang-up are meant for the tests, and a test binary that is gone does
# not read what is written to it: none of these may keep the end from being reached.
trap '' HUP INT TERM PIPE

mkdir -m 700 "$dir"

start() {
	[ -z "$server" ] || return 0
	"$programs/postgres" -D "$dir/data" >>"$dir/log" 2>&1 &
	server=$!
	until grep -q '^ready' "$dir/data/postmaster.pid" 2>/dev/null; do
		kill -0 "$server" 2>/dev/null || fail
		sleep 0.05
	done
}

# stop SIGNAL: INT is Postgres's fast shutdown, which keeps what was committed, QUIT
# the immediate one, which does not care.
stop() {
	[ -n "$server" ] || return 0
	kill -"$1" "$server" 2>/dev/null || :
	wait "$server" || :
	server=
}

fail() {
	tail -n 20 "$dir/log"
	exit 1
}

leave() {
	stop QUIT
	rm -rf "$dir"
}
trap leave EXIT

make_primary() {
	"$programs/initdb" --pgdata="$dir/data" --username=postgres --auth=trust \
		--encoding=UTF8 --locale=C --no-sync >"$dir/log" 2>&1 || fail

	# dynamic_shared_memory_type: the default keeps files outside of the directory.
	cat >>"$dir/data/postgresql.conf" <<SETTINGS
listen_addresses = ''
unix_socket_directories = '$dir'
port = 5432
max_connections = 200
shared_buffers = 32MB
dynamic_shared_memory_type = mmap
fsync = off
synchronous_commit = off
full_page_writes = off
timezone = 'Asia/Kathmandu'
log_timezone = 'UTC'
SETTINGS
}

make_standby() {
	"$programs/pg_basebackup" --pgdata="$dir/data" --host="$primary" --port=5432 --username=postgres \
		--write-recovery-conf --checkpoint=fast --no-sync >"$dir/log" 2>&1 || fail
	echo "unix_socket_directories = '$dir'" >>"$dir/data/postgresql.conf"
}

if [ -z "$primary" ]; then make_primary; else make_standby; fi

while read -r command; do
	case $command in
	start) start ;;
	stop) stop INT ;;
	kill) stop QUIT ;;
	esac
	echo ok
done
