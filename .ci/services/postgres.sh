#!/usr/bin/env bash
# A private PostgreSQL for tests and for trying things out, on 127.0.0.1 only.
#
#   postgres.sh up DIR PORT     start, wait until it answers, print the database URL as the only line
#   postgres.sh down DIR PORT   stop what `up` started in DIR and remove DIR
#
# PostgreSQL refuses to run as root: root hands over to the account `postgres` (or `nobody`).
# fsync stays on, because the crash tests are about what is really on the disk.
set -euo pipefail

usage() { sed -n '4,5s/^#   //p' "$0" >&2; exit 2; }
[ $# -eq 3 ] || usage
verb=$1 dir=$2 port=$3
[[ $port =~ ^[0-9]+$ ]] || usage
url="postgresql+psycopg://xueji@127.0.0.1:$port/postgres"

say() { echo "postgres: $*" >&2; }

# The newest installed server that Debian's packages put aside, else the one in PATH.
find_binaries() {
  local candidate
  while read -r candidate; do
    if [ -x "$candidate/initdb" ] && [ -x "$candidate/postgres" ]; then echo "$candidate"; return 0; fi
  done < <(ls -d /usr/lib/postgresql/*/bin /usr/pgsql-*/bin 2>/dev/null | sort -rV)
  candidate=$(command -v initdb || true)
  [ -n "$candidate" ] && dirname "$(readlink -f "$candidate")" && return 0
  say "no PostgreSQL server here (apt install postgresql)"
  return 1
}

# Runs a command as the account that owns the cluster.
as_owner() {
  if [ "$(id -u)" -ne 0 ]; then "$@"; else
    setpriv --reuid="$owner" --regid="$(id -g "$owner")" --clear-groups -- "$@"
  fi
}

owner=$(id -un)
if [ "$(id -u)" -eq 0 ]; then
  owner=postgres
  id postgres >/dev/null 2>&1 || owner=nobody
fi

down() {
  [ -f "$dir/data/PG_VERSION" ] || return 0
  local pid
  if [ -s "$dir/data/postmaster.pid" ]; then
    pid=$(head -1 "$dir/data/postmaster.pid")
    if tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF "$(cd "$dir" && pwd)/data"; then
      kill -INT "$pid" 2>/dev/null || true
      for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.2; done
    fi
  fi
  rm -rf "$dir"
}

up() {
  local bin
  bin=$(find_binaries)
  if [ -s "$dir/data/postmaster.pid" ]; then
    if "$bin/pg_isready" -q -h 127.0.0.1 -p "$port" -U xueji -d postgres; then echo "$url"; return 0; fi
    down
  fi
  if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then say "port $port is taken"; exit 1; fi

  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd)
  [ "$(id -u)" -ne 0 ] || chown "$owner" "$dir"
  if ! as_owner test -w "$dir"; then
    say "the account $owner cannot reach $dir; choose a folder whose parents it may enter"
    exit 1
  fi
  cd "$dir"
  as_owner "$bin/initdb" --pgdata "$dir/data" --username xueji --auth trust --encoding UTF8 \
    --locale C --no-instructions >initdb.log 2>&1 || { cat initdb.log >&2; exit 1; }
  as_owner tee -a "$dir/data/postgresql.conf" >/dev/null <<EOF
listen_addresses = '127.0.0.1'
port = $port
unix_socket_directories = ''
max_connections = 200
shared_buffers = 128MB
fsync = on
synchronous_commit = on
timezone = 'UTC'
log_min_messages = warning
EOF
  setsid_as_owner "$bin/postgres" -D "$dir/data"
  for _ in $(seq 150); do
    if "$bin/pg_isready" -q -h 127.0.0.1 -p "$port" -U xueji -d postgres; then echo "$url"; return 0; fi
    sleep 0.2
  done
  say "did not start:"
  tail -n 20 "$dir/postgres.log" >&2
  down
  exit 1
}

# In a session of its own, so that it outlives this script.
setsid_as_owner() {
  if [ "$(id -u)" -ne 0 ]; then
    setsid "$@" </dev/null >"$dir/postgres.log" 2>&1 &
  else
    setsid setpriv --reuid="$owner" --regid="$(id -g "$owner")" --clear-groups -- "$@" \
      </dev/null >"$dir/postgres.log" 2>&1 &
  fi
}

case $verb in
  up) up ;;
  down) down ;;
  *) usage ;;
esac
