#!/bin/sh
# postgres.sh -- a private PostgreSQL cluster: on a unix socket only, with checksums, fsync on.
# SPDX-License-Identifier: Apache-2.0
#
#   test/postgres.sh start DIR   makes the cluster at first, starts it if needed, prints its URL
#   test/postgres.sh stop DIR    stops it; the data stays
#
# PostgreSQL refuses to run as root: then it runs as the user postgres. Where that user cannot reach DIR (a clone in
# /root), or DIR is too long for a socket's address (107 bytes), the cluster stands in /var/tmp and DIR/place says so.
set -eu

fail() { echo "postgres.sh: $*" >&2; exit 1; }
[ $# = 2 ] || fail "usage: test/postgres.sh start|stop DIR"
mkdir -p "$2"
dir=$(cd "$2" && pwd)
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
[ -n "$bin" ] || bin=$(pg_config --bindir 2>/dev/null) || fail "PostgreSQL is missing: apt-get install postgresql"
[ -x "$bin/postgres" ] || fail "there is no server in $bin: apt-get install postgresql"

as() { if [ "$(id -u)" = 0 ]; then (cd / && exec runuser -u postgres -- "$@"); else "$@"; fi; }

if [ -f "$dir/place" ]; then
    home=$(cat "$dir/place")
else
    home=$dir/cluster
    mkdir -p "$home"
    if [ "$(id -u)" = 0 ]; then chown postgres: "$home"; fi
    if [ ${#home} -gt 80 ] || ! as test -w "$home"; then
        rmdir "$home"
        home=/var/tmp/stagedoor-postgres.$(printf '%s' "$dir" | sha256sum | cut -c1-12)
        mkdir -p "$home"
        if [ "$(id -u)" = 0 ]; then chown postgres: "$home"; fi
    fi
    chmod 700 "$home"
    echo "$home" >"$dir/place"
fi
url="postgresql://stagedoor@/stagedoor?host=$(printf '%s' "$home" | sed 's/%/%25/g; s/ /%20/g; s/+/%2B/g; s/&/%26/g')"
running() { as "$bin/pg_ctl" -D "$home/data" status >/dev/null 2>&1; }

start() {
    if ! as test -f "$home/data/ready"; then
        as rm -rf "$home/data"
        as "$bin/initdb" -D "$home/data" -U stagedoor --auth=trust --encoding=UTF8 --locale=C --data-checksums \
            >"$dir/initdb.log" 2>&1 || fail "initdb failed: $(tail -3 "$dir/initdb.log")"
        as sh -c 'cat >>"$1/data/postgresql.conf"' sh "$home" <<-END
			listen_addresses = ''
			unix_socket_directories = '$home'
			unix_socket_permissions = 0700
			max_connections = 200
			log_min_messages = warning
		END
    fi
    if ! running; then
        as "$bin/pg_ctl" -D "$home/data" -l "$home/server.log" -w start >/dev/null 2>&1 </dev/null ||
            fail "it does not start: $(as tail -3 "$home/server.log")"
    fi
    if ! as test -f "$home/data/ready"; then
        as "$bin/createdb" -h "$home" -U stagedoor stagedoor
        as touch "$home/data/ready"
    fi
    echo "$url"
}

case $1 in
start) start ;;
stop) if running; then as "$bin/pg_ctl" -D "$home/data" -m fast -w stop >/dev/null; fi ;;
*) fail "start or stop, not $1" ;;
esac
