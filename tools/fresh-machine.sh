#!/bin/bash
# A machine that nobody has used yet, without an emulator: a minimal Debian or Ubuntu in namespaces of its own (mounts,
# processes, network, control groups, /dev/shm), under this host's kernel. Needs root, mmdebstrap and iptables; tried on
# hosts with control groups v1.
#
#   tools/fresh-machine.sh check [SUITE]        the newcomer's whole way, and what it leaves behind (minutes)
#   tools/fresh-machine.sh start [SUITE]        the machine, with this repository's HEAD read-only at /source
#   tools/fresh-machine.sh run COMMAND...       a command in it, as root, with a bare environment
#   tools/fresh-machine.sh stop                 ends it and deletes it; the bootstrapped system is kept
#
# SUITE: trixie (default), bookworm, noble, jammy. FRESH names the folder (default /var/lib/vgpu-fresh): a file system
# that overlay mounts may lie on, 6 GiB. FRESH_PROJECT=N gives machines that run at the same time networks of their own.
set -euo pipefail

fresh=${FRESH:-/var/lib/vgpu-fresh}
number=${FRESH_PROJECT:-77}
link=vgpufresh$number
root=$fresh/root-$number
here=$(cd "$(dirname "$0")/.." && pwd -P)
hierarchies=$(awk '$3 == "cgroup" { print $2 }' /proc/mounts)

bootstrap() {
  [ -d "$fresh/$1" ] && return
  mkdir -p "$fresh"
  case $1 in
    noble | jammy) set -- "$1" "deb [trusted=yes] http://archive.ubuntu.com/ubuntu $1 main universe" ;;
    *) set -- "$1" "deb http://deb.debian.org/debian $1 main" ;;
  esac
  mmdebstrap --quiet --variant=minbase --include=apt,ca-certificates,git,iproute2,procps "$1" "$fresh/$1.new" "$2"
  mv "$fresh/$1.new" "$fresh/$1"
}

start() {
  suite=${1:-trixie}
  [ ! -e "$root" ] || { echo "a machine is there already: $0 stop" >&2; exit 2; }
  bootstrap "$suite"
  cp -a --reflink=auto "$fresh/$suite" "$root"
  # What a site's administrator has put on every machine: its name servers and its own certificate authorities.
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  find /usr/local/share/ca-certificates -name '*.crt' -exec cp {} "$root/usr/local/share/ca-certificates/" \;
  chroot "$root" update-ca-certificates >/dev/null 2>&1
  printf '127.0.0.1 localhost fresh\n' >"$root/etc/hosts"
  mkdir -p "$root/source"

  for mount in $hierarchies; do mkdir -p "$mount/$link"; done
  if [ -d /sys/fs/cgroup/cpuset ]; then
    for f in cpuset.cpus cpuset.mems; do cat /sys/fs/cgroup/cpuset/$f >"/sys/fs/cgroup/cpuset/$link/$f"; done
  fi
  (
    join
    exec unshare --mount --pid --fork --kill-child --uts --ipc --net --cgroup \
      /bin/bash "$here/tools/fresh-machine.sh" inside "$root" >"$fresh/console-$number" 2>&1 </dev/null &
  )
  for tries in $(seq 50); do
    sleep 0.1
    run test -e /run/booted 2>/dev/null && break
    [ "$tries" != 50 ] || { cat "$fresh/console-$number" >&2; exit 1; }
  done
  network
}

# The first process of the machine.
inside() {
  root=$1
  mount --make-rprivate /
  mount --bind "$root" "$root"
  mount -o bind,ro "$here" "$root/source"
  mount -t proc proc "$root/proc"
  mount -t sysfs sysfs "$root/sys"
  mount --bind /dev "$root/dev"
  mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
  for folder in dev/shm run tmp; do mount -t tmpfs -o mode=1777 fresh "$root/$folder"; done
  if [ "$hierarchies" ]; then
    mount -t tmpfs -o mode=755 cgroup "$root/sys/fs/cgroup"
    for mount in $hierarchies; do
      mkdir "$root/sys/fs/cgroup/${mount##*/}"
      options=$(awk -v at="$mount" '$2 == at { print $4 }' /proc/mounts | sed -E 's/(^|,)(rw|nosuid|nodev|noexec|relatime|seclabel)//g; s/^,//')
      mount -t cgroup -o "$options" cgroup "$root/sys/fs/cgroup/${mount##*/}"
    done
  else
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
  fi
  hostname fresh
  ip link set lo up
  cd "$root"
  pivot_root . mnt
  umount -l /mnt
  touch /run/booted
  while :; do sleep 1000 & wait $!; done
}

init() { pgrep -f "fresh-machine.sh inside $root\$" | tail -1; }

network() {
  pid=$(init)
  ip link add "$link" type veth peer name eth0 netns "$pid"
  ip addr add "10.213.$number.1/24" dev "$link"
  ip link set "$link" up
  nsenter -t "$pid" -n ip addr add "10.213.$number.2/24" dev eth0
  nsenter -t "$pid" -n ip link set eth0 up
  nsenter -t "$pid" -n ip route add default via "10.213.$number.1"
  sysctl -q -w net.ipv4.ip_forward=1
  iptables -t nat -I POSTROUTING -s "10.213.$number.0/24" ! -o "$link" -j MASQUERADE
  iptables -I FORWARD -i "$link" -j ACCEPT
  iptables -I FORWARD -o "$link" -j ACCEPT
}

# Puts this shell and what it starts under the machine's control groups.
join() { for mount in $hierarchies; do echo $BASHPID >"$mount/$link/cgroup.procs"; done; }

# In a shell of its own: the one that stops the machine must not be under its control groups.
run() (
  join
  nsenter -t "$(init)" -m -p -u -i -n -C -r -w \
    env -i HOME=/root USER=root TERM=xterm LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
)

stop() {
  pid=$(init || true)
  [ -z "$pid" ] || kill -9 "$pid"
  ip link del "$link" 2>/dev/null || true
  iptables -t nat -D POSTROUTING -s "10.213.$number.0/24" ! -o "$link" -j MASQUERADE 2>/dev/null || true
  iptables -D FORWARD -i "$link" -j ACCEPT 2>/dev/null || true
  iptables -D FORWARD -o "$link" -j ACCEPT 2>/dev/null || true
  sleep 1
  for mount in $hierarchies; do find "$mount/$link" -depth -type d -exec rmdir {} \; 2>/dev/null || true; done
  rm -rf --one-file-system "$root"
}

say() { printf '\n== %s\n' "$*"; }

# What is left of vgpu in the machine: nothing, one hopes.
leftovers() {
  run sh -c '
    pgrep -a "dockerd|containerd|runc|crun"
    pgrep -af "[s]erver.mjs"
    grep -E "vgpu|docker|containerd" /proc/mounts
    find /sys/fs/cgroup -type d \( -name "vgpu-*" -o -name docker \)
    find /dev/shm /run -maxdepth 1 -name "vgpu-*"
    ip -br link | grep -E "^(docker|vgpu|veth)"'
}

check() {
  start "${1:-trixie}"
  trap stop EXIT
  script='import sys, pandas as pd
from sklearn.linear_model import LogisticRegression
data = pd.read_csv(sys.argv[1]); answer = data.pop("species")
print("accuracy:", LogisticRegression(max_iter=1000).fit(data, answer).score(data, answer))'
  run sh -ec "git -c advice.detachedHead=false clone -q /source /root/vgpu; mkdir /root/mine; printf '%s' '$script' >/root/mine/train.py"
  vgpu() { run sh -c "cd /root/mine && exec /root/vgpu/vgpu $*"; }
  say "the first command, on $(run sh -c '. /etc/os-release; echo $PRETTY_NAME'); no terminal"
  time vgpu demo </dev/null 2>&1 | grep --line-buffered -v '^vgpu-worker'
  say 'again'
  time vgpu demo </dev/null 2>&1 | tail -n 12
  say 'doctor, setup'
  vgpu doctor
  vgpu setup </dev/null
  say 'a script and data of its own'
  time vgpu run train.py --data /root/vgpu/examples/datasets/iris.csv --target species --wait
  vgpu metrics
  say 'down'
  vgpu down
  vgpu down --engine
  say 'what is left'
  left=$(leftovers || true)
  echo "${left:-nothing}"
  [ -z "$left" ]
}

# In braces, so that an edit of this file does not reach a machine that runs.
{
  case ${1:-} in
    check | start | stop | run | inside) "$@" ;;
    *) sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 2 ;;
  esac
  exit
}
