#!/usr/bin/env bash
# The two commands of the README where people really clone: root in a folder that only root may enter (as /root is), root in
# one that everybody may read, and a plain user. In each: the picture checks judge and read an honest paper, `make test` runs
# one test on them, and (not in the second, which differs in nothing else) `make demo` answers.
#
# The tracked files and the environment of this checkout are linked, not copied. Without root only the plain user is tried.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
for name in $(compgen -e | grep '^XUEJI_' || true); do unset "$name"; done

paper=portal/demo/papers/s1-household.jpg
nobody=65534
plain=()
[ "$(id -u)" -ne 0 ] || plain=(setpriv --reuid="$nobody" --regid="$nobody" --clear-groups --no-new-privs)
# Beside this checkout, on its file system, unless a plain user could not get there.
beside=$(dirname "$PWD")
if [ -w "$beside" ] && "${plain[@]}" test -x "$beside"; then top=$(mktemp -d -p "$beside" .clone-XXXXXX); else top=$(mktemp -d); fi
demo_pid=

clean_up() {
  local code=$?
  trap - EXIT
  [ -z "$demo_pid" ] || kill -KILL -- "-$demo_pid" 2>/dev/null || true
  rm -rf "$top"
  exit "$code"
}
trap clean_up EXIT

say() { echo "private clone: $*"; }

clone() { # clone FOLDER: the tracked files and .venv, by hard links where the file system allows
  mkdir -p "$1"
  git ls-files -z | xargs -0 cp --parents -l -t "$1" 2>/dev/null || git ls-files -z | xargs -0 cp --parents -p -t "$1"
  cp -al .venv "$1/.venv" 2>/dev/null || cp -a .venv "$1/.venv"
  touch "$1"/.venv/.installed* # what was installed belongs to these files, whatever their copying did to the times
}

attempt() { # attempt NAME FOLDER DATA [demo] -- AS...: what a person would do there, by the account of AS
  local name=$1 folder=$2 data=$3 with_demo=
  shift 3
  [ "$1" != demo ] || { with_demo=1; shift; }
  shift
  local verdict port
  verdict=$(cd "$folder" && HOME=$data TMPDIR=$data "$@" .venv/bin/python -m storage.judge --read "$paper")
  grep -q '"verdict": "pass"' <<<"$verdict" || { say "$name: $verdict"; return 1; }
  grep -q '马晓东\|未安装识读组件' <<<"$verdict" || { say "$name: the paper was not read: $verdict"; return 1; }
  (cd "$folder" && HOME=$data TMPDIR=$data "$@" make test \
    ARGS="-q -p no:cacheprovider tests/storage/test_checks.py -k set_upright") >"$data/test.log" 2>&1 ||
    { tail -n 20 "$data/test.log"; say "$name: make test failed"; return 1; }
  [ -z "$with_demo" ] || serve "$name" "$folder" "$data" "$@" || return 1
  say "$name: ok ($SECONDS s)"
}

serve() { # serve NAME FOLDER DATA AS...
  local name=$1 folder=$2 data=$3 port code=0
  shift 3
  port=$(.venv/bin/python -c 'from tests.services import free_port; print(free_port())')
  (cd "$folder" && HOME=$data TMPDIR=$data exec setsid "$@" make demo PORT="$port" DEMO_DIR="$data/demo") >"$data/demo.log" 2>&1 &
  demo_pid=$!
  .venv/bin/python .ci/wait_for_portal.py "http://127.0.0.1:$port" 120 "$demo_pid" || code=$?
  [ "$code" -ne 0 ] || until grep -q '^\[.*Story 2' "$data/demo.log"; do # the first story's papers were judged and kept
    kill -0 "$demo_pid" 2>/dev/null || { code=1; break; }
    sleep 0.3
  done
  kill -TERM -- "-$demo_pid" 2>/dev/null || true
  for _ in $(seq 100); do kill -0 -- "-$demo_pid" 2>/dev/null || break; sleep 0.2; done
  kill -KILL -- "-$demo_pid" 2>/dev/null && { code=1; say "$name: make demo did not end"; }
  wait "$demo_pid" 2>/dev/null || true
  demo_pid=
  [ "$code" -eq 0 ] || { tail -n 20 "$data/demo.log"; say "$name: make demo failed"; }
  return "$code"
}

if [ "$(id -u)" -ne 0 ]; then
  mkdir "$top/data"
  clone "$top/clone"
  attempt "a plain user" "$top/clone" "$top/data" demo --
  say "not root: what root meets in a private folder was not tried"
  exit 0
fi

chmod 711 "$top"
mkdir -m 700 "$top/private" "$top/private/data"
mkdir -m 755 "$top/open" "$top/open/data"
clone "$top/private/clone"
clone "$top/open/clone"
chmod 755 "$top/open/clone"
attempt "root, private folder" "$top/private/clone" "$top/private/data" demo --
attempt "root, open folder" "$top/open/clone" "$top/open/data" --
mkdir -m 700 "$top/open/user"
chown "$nobody:$nobody" "$top/open/user"
python=$top/open/clone/.venv/bin/python
system=/usr/bin/$(basename "$(readlink -f "$python")")
usable() { "${plain[@]}" test -x "$(readlink -f "$python")"; } # setpriv itself could start what the user could not start again
# An environment made by a Python of root's own: the plain user takes the system's Python of the same version on it.
if ! usable && [ -x "$system" ]; then
  ln -sf "$system" "$python"
  sed -i "s#^home = .*#home = /usr/bin#" "$top/open/clone/.venv/pyvenv.cfg"
fi
if usable; then
  attempt "a plain user" "$top/open/clone" "$top/open/user" demo -- "${plain[@]}"
else
  say "a plain user: not tried, this environment rests on a Python that only root may use"
fi
