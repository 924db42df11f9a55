#!/bin/sh
# Not tested on hardware. Builds the image for AWS Nitro and prints its registers; the same input gives the same bytes.
#   deploy/nitro/build.sh <bzImage> <settings.env> <output folder>
# Needs musl-gcc (musl-tools), busybox (busybox-static) and cpio.
set -eu
kernel=$1
settings=$2
out=$3
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
${CC:-musl-gcc} -static -O2 -Wl,--build-id=none -o "$work/bridge" "$here/bridge.c"

mkdir -p "$work/boot/bin" "$work/boot/dev"
install -m 755 "$(command -v busybox)" "$work/boot/bin/busybox"
install -m 755 "$work/bridge" "$work/boot/bridge"
install -m 755 "$here/init.sh" "$work/boot/init"
find "$work/boot" -exec touch -h -d @0 {} +
(cd "$work/boot" && find . -mindepth 1 -printf '%P\0' | LC_ALL=C sort -z |
  cpio --null --create --format=newc --reproducible --owner=0:0 --quiet) >"$work/boot.cpio"

node "$here/../../bin/countersign.mjs" vm build --out "$out" --kernel "$kernel" --boot "$work/boot.cpio" \
  --add "bridge=$work/bridge" --add "nitro.sh=$here/nitro.sh" --add "settings.env=$settings"
