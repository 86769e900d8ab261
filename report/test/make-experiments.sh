#!/usr/bin/env bash
# Real experiments in every state, for the tests of the page: make-experiments.sh IMLP OUT.
# IMLP is the program; OUT becomes a folder of experiments (about a minute on 2 cores).
set -euo pipefail
imlp=$(realpath "$1")
mkdir -p "$2"
cd "$2"

tiny=(--quiet --set data.train_images=600)
sweep() { "$imlp" sweep "${tiny[@]}" --out "$@" >/dev/null; }

sweep finished --set train.epochs=2 --alphas 0,0.1,0.3,1 --seeds 3
sweep one-seed --set train.epochs=2 --alphas 0,0.3,1 --seeds 1
sweep compared --set train.epochs=2 --alphas 0,0.1,0.3,1 --seeds 3 --prior mixer
sweep configurations --set train.epochs=2 --alphas 0,0.3,1 --seeds 2 \
    --set 'sweep.grid={"interpolation.allocation" = ["all", "first"]}'
sweep many-trials --set train.epochs=1 --alphas two-sided:1e-3:20 --seeds 10
# The twins' steps are too large, the prior's are not: α = 1 alone comes to an end.
sweep diverged --set train.epochs=2 --set train.learning_rate=1e12 --set prior.learning_rate=0.01 \
    --alphas 0,0.3,1 --seeds 2 || true

# Killed after its first results as no program can notice.
"$imlp" sweep "${tiny[@]}" --out running --set train.epochs=8 --alphas 0,0.1,0.3,1 --seeds 3 --jobs 1 >/dev/null 2>&1 &
pid=$!
for _ in $(seq 1200); do
    results=$({ find running -name result.json 2>/dev/null || true; } | wc -l)
    if [ "$results" -ge 4 ] || ! kill -0 "$pid" 2>/dev/null; then break; fi
    sleep 0.05
done
kill -KILL "$pid" 2>/dev/null || true
wait "$pid" 2>/dev/null || true
