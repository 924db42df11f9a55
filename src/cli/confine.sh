#!/bin/sh
# Builds a file system of nothing but what is named, makes it the root, and executes a command in it. To be run in fresh
# mount and PID namespaces with the right to mount there; dropping rights is the command's first part (setpriv).
#
# confine.sh <mount point> [operation]... -- <command>...
#   link PATH TARGET   symbolic link            ro SOURCE PATH   SOURCE at PATH, read-only
#   hide PATH          empty directory          rw SOURCE PATH   SOURCE at PATH, writable
set -eu
umask 022
PATH=${PATH:-/usr/bin:/bin}:/usr/sbin:/sbin
root=$1
shift

bind() {
  if [ -d "$1" ]; then
    mkdir -p "$root$2"
  elif [ ! -e "$root$2" ]; then
    mkdir -p "$root${2%/*}"
    : >"$root$2"
  fi
  mount --rbind "$1" "$root$2"
}

# Inside a user namespace the flags that a mount has must stay, and the time flags must be named to stay.
read_only() {
  mount -o remount,bind,ro,nosuid,nodev "$1" 2>/dev/null || mount -o remount,bind,ro,nosuid,nodev,noatime "$1"
}

mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs "$root"
mkdir -p "$root/dev/shm" "$root/proc" "$root/tmp" "$root/.old"
chmod 1777 "$root/dev/shm" "$root/tmp"
for device in null zero random urandom; do bind "/dev/$device" "/dev/$device"; done
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"

while [ "$1" != -- ]; do
  case $1 in
    link) ln -s "$3" "$root$2"; shift 3 ;;
    hide) mount -t tmpfs -o mode=0755,nosuid,nodev tmpfs "$root$2"; shift 2 ;;
    ro) bind "$2" "$3"; read_only "$root$3"; shift 3 ;;
    rw) bind "$2" "$3"; shift 3 ;;
    *) echo "confine.sh: unknown operation $1" >&2; exit 2 ;;
  esac
done
shift

cd "$root"
pivot_root . .old
cd /
# -n: without it umount wants to note the change in /run, which is not here.
umount -n -l /.old
rmdir /.old
ulimit -c 0
exec "$@"
