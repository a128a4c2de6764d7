#!/usr/bin/env bash
# A real MinIO server for tests and for trying things out, on 127.0.0.1 only. Versioning and object lock are the real ones.
#
#   minio.sh up DIR PORT     start, wait until it answers, print the store URL as the only line
#   minio.sh down DIR PORT   stop what `up` started in DIR and remove DIR
#
# The URL has keys of a user of its own, who may do what storage/s3.py needs and nothing else: deploy/minio-policy.json,
# made as deploy/README.md says. The server's root keys stay here.
#
# Takes the program that MINIO names, else `minio` in PATH or in ~/go/bin. Where there is none but a Go toolchain, build it
# once (10 minutes of one core, 2 GB of disk): go install github.com/minio/minio@MINIO_VERSION, see below.
set -euo pipefail

usage() { sed -n '4,5s/^#   //p' "$0" >&2; exit 2; }
[ $# -eq 3 ] || usage
verb=$1 dir=$2 port=$3
[[ $port =~ ^[0-9]+$ ]] || usage
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

version=v0.0.0-20260212201848-7aac2a2c5b7c # the newest that its Go module gives
# Fixed keys, for a server on this machine's loopback only.
root_user=xueji-root root_password=xueji-root-on-loopback-only
access_key=xueji-portal secret_key=xuejiTestSecretKeyOnLoopbackOnly00000002
url="s3+http://$access_key:$secret_key@127.0.0.1:$port/evidence"

say() { echo "minio: $*" >&2; }

find_program() {
  local candidate
  for candidate in "${MINIO:-}" "$(command -v minio || true)" "${GOBIN:-${GOPATH:-$HOME/go}/bin}/minio"; do
    if [ -n "$candidate" ] && [ -x "$candidate" ]; then echo "$candidate"; return 0; fi
  done
  say "no MinIO here. Where Go is: go install github.com/minio/minio@$version (10 minutes), or name a program in MINIO"
  return 1
}

down() {
  [ -f "$dir/minio.pid" ] || return 0
  dir=$(cd "$dir" && pwd)
  local pid
  pid=$(cat "$dir/minio.pid")
  if tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF "$dir/data"; then
    kill -TERM "$pid" 2>/dev/null || true
    for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    kill -KILL "$pid" 2>/dev/null || true
  fi
  rm -rf "$dir"
}

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }

# The portal's user, by the `minio` package that the portal itself uses: no mc is needed.
make_user() {
  "${PYTHON:-$here/.venv/bin/python}" "$here/deploy/minio_user.py" "127.0.0.1:$port" --insecure >&2
}

up() {
  local program began=$SECONDS
  program=$(find_program) || exit 1
  if [ -f "$dir/minio.pid" ]; then
    if answers; then echo "$url"; return 0; fi
    down
  fi
  answers && { say "port $port is taken"; exit 1; }
  mkdir -p "$dir/data"
  dir=$(cd "$dir" && pwd)
  trap 'code=$?; [ $code -eq 0 ] || { say "did not start:"; tail -n 20 "$dir/minio.out" >&2 || true; down; }' EXIT
  MINIO_ROOT_USER=$root_user MINIO_ROOT_PASSWORD=$root_password MINIO_BROWSER=off MINIO_UPDATE=off MINIO_CI_CD=1 HOME=$dir \
    setsid "$program" server --quiet --address "127.0.0.1:$port" "$dir/data" </dev/null >"$dir/minio.out" 2>&1 &
  echo $! >"$dir/minio.pid"
  for _ in $(seq 300); do
    if answers && MINIO_ROOT_USER=$root_user MINIO_ROOT_PASSWORD=$root_password \
      S3_ACCESS_KEY=$access_key S3_SECRET_KEY=$secret_key S3_BUCKET='*' make_user; then
      say "ready after $((SECONDS - began)) s"
      echo "$url"
      return 0
    fi
    kill -0 "$(cat "$dir/minio.pid")" 2>/dev/null || break
    sleep 0.2
  done
  exit 1
}

case $verb in
  up) up ;;
  down) down ;;
  *) usage ;;
esac
