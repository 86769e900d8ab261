"""Training steps of imlp and of PyTorch, back to back: images per second and
their ratios.

    cargo build --release
    cargo build --release -p imlp-kernels --example peak
    python3 bench/training.py            # needs torch; about 10 minutes

Every round runs each contender once, so that all of them meet the same weather;
the table has the median, smallest and largest of the rounds and of the ratios
within a round. imlp trains as many twins or priors at a time as there are cores,
with its data loading; PyTorch trains on one batch that never changes, as one
process with all cores and as one process per core, whichever is faster.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Of a training step of the twin per image, as imlp counts them: 2 for a multiply-add,
# three products for each matrix and two for the first.
FLOP = 6 * (3072 * 1024 + 2 * 1024 * 1024 + 1024 * 10) - 2 * 3072 * 1024


def output(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        return None, done.stderr.strip().splitlines()[-1:]
    return json.loads(done.stdout.strip().splitlines()[-1]), None


def ours(binary, case, cores):
    command = [binary, "bench", "--json", "--jobs", str(cores), "--steps", str(case["steps"])]
    command += ["--network", "twin" if case["network"] == "twin" else "prior"]
    command += ["--set", f"train.batch_size={case['batch']}"]
    command += ["--set", f"train.precision={case['precision']}"]
    if case["network"] == "mixer":
        command += ["--set", "prior.kind=mixer"]
    return output(command)


def theirs(case, cores, seconds):
    best = None
    for processes, threads in [(1, cores), (cores, 1)]:
        command = [sys.executable, str(ROOT / "bench/peers/steps.py")]
        command += ["--network", case["network"], "--batch", str(case["batch"])]
        command += ["--precision", case["precision"], "--seconds", str(seconds)]
        command += ["--processes", str(processes), "--threads", str(threads)]
        result, error = output(command)
        if result is None:
            return None, error
        if best is None or result["images_per_second"] > best["images_per_second"]:
            best = result
    return best, None


def spread(values, digits=0):
    show = lambda value: f"{value:,.{digits}f}"
    return f"{show(statistics.median(values))} ({show(min(values))}–{show(max(values))})"


def largest(peaks, precision):
    """Of the peaks that were measured: another process can only lower one."""
    return max((peak[precision] for peak in peaks if peak and peak[precision]), default=None)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each PyTorch run")
    parser.add_argument("--imlp", default=str(ROOT / "target/release/imlp"))
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    cases = [
        {"network": "twin", "precision": precision, "batch": batch, "steps": 60}
        for precision in ["f32", "bf16"]
        for batch in [256, 512]
    ]
    cases += [
        {"network": network, "precision": "f32", "batch": 256, "steps": steps}
        for network, steps in [("cnn", 400), ("mixer", 150)]
    ]
    peak_program = ROOT / "target/release/examples/peak"
    peaks = []
    runs = [([], []) for _ in cases]
    refusals = {}
    instructions = set()
    for round_number in range(options.rounds):
        print(f"round {round_number + 1} of {options.rounds}", file=sys.stderr)
        if peak_program.exists():
            peaks.append(output([str(peak_program), str(cores)])[0])
        for index, case in enumerate(cases):
            if index in refusals:
                continue
            a, error = ours(options.imlp, case, cores)
            b, error = theirs(case, cores, options.seconds) if a else (None, error)
            if b is None:
                refusals[index] = (error or ["failed"])[0]
                continue
            print(f"  {case}: {a} {b}", file=sys.stderr)
            instructions.add(a["instructions"])
            runs[index][0].append(a["images_per_second"])
            runs[index][1].append(b["images_per_second"])
    print(f"instructions: {', '.join(sorted(instructions))}")
    print(f"{cores} cores; images per second over all of them, median (smallest–largest)")
    for precision in ["f32", "bf16"]:
        print(f"peak of {precision} multiply-adds that load nothing, GFLOP/s: {largest(peaks, precision)}")
    print("\n| network | precision | batch | imlp | PyTorch | imlp / PyTorch | of the peak |")
    print("|---|---|---|---|---|---|---|")
    for index, case in enumerate(cases):
        start = f"| {case['network']} | {case['precision']} | {case['batch']} |"
        if index in refusals:
            print(f"{start} {refusals[index]} | | | |")
            continue
        a, b = runs[index]
        share = ""
        peak = largest(peaks, case["precision"])
        # AMX multiplies beyond the peak of what the example measures.
        if peak and case["network"] == "twin" and "amx" not in instructions:
            share = f"{statistics.median(a) * FLOP / 1e9 / peak:.0%}"
        ratios = [x / y for x, y in zip(a, b)]
        print(f"{start} {spread(a)} | {spread(b)} | {spread(ratios, 2)} | {share} |")


if __name__ == "__main__":
    main()
