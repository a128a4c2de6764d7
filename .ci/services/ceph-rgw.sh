#!/usr/bin/env bash
# A real S3 server for tests and for trying things out: Ceph's RADOS gateway with one monitor and
# one in-memory OSD, all on 127.0.0.1. Versioning, object lock and every refusal are the real ones.
#
#   ceph-rgw.sh up DIR PORT     start, wait until it answers, print the store URL as the only line
#   ceph-rgw.sh down DIR PORT   stop what `up` started in DIR and remove DIR
#
# Needs Debian's packages radosgw, ceph-mon and ceph-osd. Ports: PORT (S3), PORT+1 (monitor) and
# PORT+10..PORT+29 (OSD). What is stored lives in memory and ends with `down`; that is what tests want.
set -euo pipefail

usage() { sed -n '5,6s/^#   //p' "$0" >&2; exit 2; }
[ $# -eq 3 ] || usage
verb=$1 dir=$2 port=$3
[[ $port =~ ^[0-9]+$ ]] || usage

# Fixed keys, for a server on this machine's loopback only.
access_key=XUEJITESTACCESSKEY01
secret_key=xuejiTestSecretKeyOnLoopbackOnly00000001
url="s3+http://$access_key:$secret_key@127.0.0.1:$port/evidence"

say() { echo "ceph-rgw: $*" >&2; }

# Ends one daemon by the pid that `up` wrote, and only while that pid still is that daemon.
# At once: everything it holds is in memory and goes with it.
end() {
  local pid_file=$dir/$1.pid pid
  [ -s "$pid_file" ] || return 0
  pid=$(cat "$pid_file")
  if tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF "$dir/ceph.conf"; then
    kill -KILL "$pid" 2>/dev/null || true
  fi
  rm -f "$pid_file"
}

down() {
  [ -f "$dir/ceph.conf" ] || return 0
  dir=$(cd "$dir" && pwd)
  end radosgw
  end osd
  end mon
  rm -rf "$dir"
}

start() { # start NAME COMMAND...: a daemon of its own session, with its pid kept
  local name=$1
  shift
  setsid "$@" </dev/null >"$dir/$name.out" 2>&1 &
  echo $! >"$dir/$name.pid"
}

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; }

write_config() {
  cat >"$dir/ceph.conf" <<EOF
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon host = v2:127.0.0.1:$((port + 1))
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv6 = false
ms bind msgr1 = false
ms bind port min = $((port + 10))
ms bind port max = $((port + 29))
auth cluster required = none
auth service required = none
auth client required = none
ms mon client mode = crc
ms mon service mode = crc
ms mon cluster mode = crc
keyring = $dir/keyring
admin socket =
run dir = $dir
crash dir = $dir/crash
log file = $dir/\$name.log
log to stderr = false
err to stderr = true
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 4
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
rgw rados pool pg num min = 4
mon allow pool size one = true
mon max pg per osd = 1000
mon warn on pool no redundancy = false
paxos propose interval = 0.05
paxos min wait = 0.02

[mon]
mon data = $dir/mon
mon cluster log file = $dir/cluster.log
mon data avail crit = 1
mon data avail warn = 1

[osd]
osd data = $dir/osd
osd objectstore = memstore
memstore device bytes = 4294967296
osd crush update on start = true
osd class load list = *
osd class default list = *
osd op num shards = 2
osd scrub auto repair = false
osd scrub begin hour = 3
osd scrub end hour = 4

[client]
rgw frontends = beast endpoint=127.0.0.1:$port
rgw thread pool size = 32
rgw enable usage log = false
rgw enable ops log = false
rgw dynamic resharding = false
rgw run sync thread = false
rgw enable quota threads = false
rgw override bucket index max shards = 1
EOF
}

up() {
  local program began=$SECONDS
  for program in ceph ceph-mon ceph-osd monmaptool radosgw radosgw-admin; do
    command -v "$program" >/dev/null || { say "$program is missing (apt install radosgw ceph-mon ceph-osd)"; exit 1; }
  done
  if [ -f "$dir/ceph.conf" ]; then
    if answers; then echo "$url"; return 0; fi
    down
  fi
  answers && { say "port $port is taken"; exit 1; }

  mkdir -p "$dir"
  dir=$(cd "$dir" && pwd)
  mkdir -p "$dir/mon" "$dir/osd" "$dir/crash"
  : >"$dir/keyring"
  trap 'code=$?; [ $code -eq 0 ] || { say "did not start; the last lines of each log:"; tail -n 5 "$dir"/*.out "$dir"/*.log >&2 || true; down; }' EXIT
  write_config
  export CEPH_CONF=$dir/ceph.conf
  local conf=(--conf "$dir/ceph.conf") fsid osd_uuid
  fsid=$(sed -n 's/^fsid = //p' "$dir/ceph.conf")
  osd_uuid=$(cat /proc/sys/kernel/random/uuid)

  monmaptool --create --clobber --fsid "$fsid" --addv a "[v2:127.0.0.1:$((port + 1))]" "$dir/monmap" >/dev/null
  ceph-mon "${conf[@]}" --id a --mkfs --monmap "$dir/monmap" --keyring "$dir/keyring" >"$dir/mkfs.out" 2>&1
  start mon ceph-mon "${conf[@]}" --id a --foreground

  ceph "${conf[@]}" --connect-timeout 30 osd new "$osd_uuid" 0 >"$dir/osd-new.out" 2>&1
  ceph-osd "${conf[@]}" --id 0 --mkfs --osd-uuid "$osd_uuid" >>"$dir/mkfs.out" 2>&1
  start osd ceph-osd "${conf[@]}" --id 0 --foreground

  # Waits by itself until the OSD is up: the first call creates the zone and its pools.
  timeout 60 radosgw-admin "${conf[@]}" user create --uid xueji --display-name "Xueji tests" \
    --access-key "$access_key" --secret-key "$secret_key" >"$dir/user.out" 2>&1
  start radosgw radosgw "${conf[@]}" --name client.rgw --foreground

  for _ in $(seq 300); do
    if answers; then
      say "ready after $((SECONDS - began)) s"
      echo "$url"
      return 0
    fi
    kill -0 "$(cat "$dir/radosgw.pid")" 2>/dev/null || break
    sleep 0.2
  done
  exit 1
}

case $verb in
  up) up ;;
  down) down ;;
  *) usage ;;
esac
