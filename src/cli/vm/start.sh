#!/bin/busybox sh
# Runs the enclave in the file system that it is measured with. Its settings are measured too, or else lie in its folder.
if [ -e /nitro.sh ]; then . /nitro.sh; fi
settings=/enclave/vm.env
if [ -e /settings.env ]; then settings=/settings.env; fi
cd /countersign
exec /countersign/node --env-file=$settings FLAGS src/enclave/main.ts
