#!/usr/bin/env bash
# Kills processes that share an experiment's folder, as often as asked (default
# 200), and compares the results with those of an undisturbed run; then fills a
# small disk, where the system lets this user mount one. docs/reliability.md has
# the figures of such a run.
set -euo pipefail
cd "$(dirname "$0")/.."

kills=${1:-200}
IMLP_FAULT_KILLS=$kills cargo test --workspace --test faults -- --nocapture \
    workers_that_are_killed_at_random_moments_lose_nothing

# Built for the test.
imlp=$PWD/target/debug/imlp
disk=$(mktemp -d)
trap 'umount "$disk" 2>/dev/null; rmdir "$disk"' EXIT
if ! mount -t tmpfs -o size=256k tmpfs "$disk" 2>/dev/null; then
    echo 'full disk: not tried, this user may not mount a file system'
    exit
fi
code=0
said=$("$imlp" sweep --epochs=1 --seeds=1 --quiet --out="$disk/o" 2>&1) || code=$?
echo "full disk: exit code $code: $said"
[ "$code" = 1 ] && grep -q 'free some space' <<<"$said"
mount -o remount,size=64m "$disk"
"$imlp" sweep --epochs=1 --seeds=1 --quiet --out="$disk/o" >"$disk/table"
echo 'full disk: with more space the same command finished what was missing'
