#!/usr/bin/env bash
# Kills processes that share an experiment's folder, as often as asked (default
# 200), and compares the results with those of an undisturbed run; fills a small
# disk, where this user may mount one. docs/reliability.md has the figures of
# such a run.
set -euo pipefail
cd "$(dirname "$0")/.."

kills=${1:-200}
for test in workers_that_are_killed_at_random_moments_lose_nothing a_full_disk; do
    IMLP_FAULT_KILLS=$kills cargo test --workspace --test faults -- --nocapture "$test"
done
