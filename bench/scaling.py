"""How throughput and memory of imlp grow with width, depth, batch, jobs and α.

    cargo build --release
    python3 bench/scaling.py             # about 10 minutes

Every row is the median of the rounds, which take turns over all rows.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def layers(width, depth):
    hidden = f'{{ type = "linear", features = {width} }}, {{ type = "relu" }}'
    return f'[{", ".join([hidden] * depth)}, {{ type = "linear" }}]'


def bench(binary, width=1024, depth=3, batch=256, jobs=None):
    flop = 3 * 2 * (3072 * width + (depth - 1) * width * width)
    # A second or two of work, whatever the size.
    steps = max(6, min(400, int(2.5e11 / (flop * batch))))
    command = [binary, "bench", "--json", "--steps", str(steps)]
    command += ["--set", "prior.kind=custom", "--set", f"prior.layers={layers(width, depth)}"]
    command += ["--set", f"train.batch_size={batch}"]
    if jobs:
        command += ["--jobs", str(jobs)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def sweep(binary, alphas):
    """Seconds of a sweep with that many α > 0 on the built-in data."""
    values = ",".join(str((i + 1) / (alphas + 1)) for i in range(alphas))
    with tempfile.TemporaryDirectory() as folder:
        command = [binary, "sweep", "--quiet", "--no-ends", "--alphas", values, "--seeds", "1"]
        command += ["--epochs", "1", "--set", "prior.training=untrained", "--out", folder + "/out"]
        started = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        return time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--imlp", default=str(ROOT / "target/release/imlp"))
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    cases = [("width", {"width": width}) for width in [256, 512, 1024, 2048, 4096]]
    cases += [("depth", {"depth": depth}) for depth in [1, 2, 3, 6]]
    cases += [("batch", {"batch": batch}) for batch in [64, 128, 256, 512, 1024, 2048]]
    cases += [("jobs", {"jobs": jobs}) for jobs in range(1, cores + 1)]
    runs = [[] for _ in cases]
    alphas = [2, 4, 8, 16]
    sweeps = [[] for _ in alphas]
    for round_number in range(options.rounds):
        print(f"round {round_number + 1} of {options.rounds}", file=sys.stderr)
        for run, (_, case) in zip(runs, cases):
            run.append(bench(options.imlp, **case))
        for run, count in zip(sweeps, alphas):
            run.append(sweep(options.imlp, count))
    print("| varied | value | images/s | GFLOP/s | peak memory, MiB |")
    print("|---|---|---|---|---|")
    for run, (name, case) in zip(runs, cases):
        median = lambda key: statistics.median(result[key] for result in run)
        print(
            f"| {name} | {case[name]} | {median('images_per_second'):,.0f} "
            f"| {median('gflop_per_second'):.1f} | {median('peak_bytes') / 2**20:.0f} |"
        )
    by_jobs = [
        [result["images_per_second"] for result in run]
        for run, (name, _) in zip(runs, cases)
        if name == "jobs"
    ]
    if len(by_jobs) > 1:
        ratios = [last / first / cores for first, last in zip(by_jobs[0], by_jobs[-1])]
        print(
            f"\nparallel efficiency from 1 to {cores} jobs: {statistics.median(ratios):.0%}"
            f" ({min(ratios):.0%}–{max(ratios):.0%})"
        )
    print("\n| α | seconds | seconds per α |")
    print("|---|---|---|")
    for run, count in zip(sweeps, alphas):
        seconds = statistics.median(run)
        print(f"| {count} | {seconds:.1f} | {seconds / count:.2f} |")


if __name__ == "__main__":
    main()
