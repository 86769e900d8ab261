#!/usr/bin/env python3
"""Dense equivalents of convolutions: imlp-linear against PyTorch's usual way
(convolving the identity) and against plain loops, back to back in one run.

    cargo build --release -p imlp-linear --example conversion_times
    python3 bench/conversion.py

Needs PyTorch and NumPy. Prints one table of seconds (median of the rounds, each
round running every contender once) and of ratios. PyTorch uses every core,
imlp one. Both are warm: each is one process for all rounds.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
OURS = TARGET / "release/examples/conversion_times"
ROUNDS = 5
# Channels and image side of convolutions C→C, 3×3, padding 1.
SIZES = [(3, 32), (8, 32), (16, 16), (16, 32)]
SPARSE_ONLY = (64, 32)


class Ours:
    """Our process for one layer, which times a round whenever it is asked."""

    def __init__(self, channels, side):
        self.process = subprocess.Popen(
            [OURS, str(channels), str(side)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def round(self):
        """Seconds by name."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        seconds = {}
        for line in iter(self.process.stdout.readline, ".\n"):
            name, value = line.split()
            seconds[name] = float(value)
        return seconds


def identity_trick(weight, side):
    """[out, in] by convolving every unit image at once."""
    channels = weight.shape[1]
    n = channels * side * side
    unit_images = torch.eye(n).reshape(n, channels, side, side)
    columns = torch.nn.functional.conv2d(unit_images, weight, padding=1)
    return columns.flatten(1).T.contiguous()


def plain_loops(weight, side):
    """[out, in] by loops over kernel, channels and positions."""
    out_channels, channels, height, width = weight.shape
    dense = np.zeros((out_channels * side * side, channels * side * side), np.float32)
    for o in range(out_channels):
        for i in range(side):
            for j in range(side):
                row = dense[(o * side + i) * side + j]
                for c in range(channels):
                    for u in range(height):
                        for v in range(width):
                            r, s = i + u - 1, j + v - 1
                            if 0 <= r < side and 0 <= s < side:
                                row[(c * side + r) * side + s] = weight[o, c, u, v]
    return dense


def timed(function, *arguments):
    start = time.perf_counter()
    result = function(*arguments)
    seconds = time.perf_counter() - start
    del result
    return seconds


def main():
    if not OURS.exists():
        sys.exit(f"{OURS} is missing: cargo build --release -p imlp-linear --example conversion_times")
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads; median of {ROUNDS} rounds, seconds")
    head = ("layer", "MiB", "dense", "scatter", "sparse", "project", "identity", "loops",
            "identity/dense", "identity/scatter", "loops/dense")
    print(" ".join(f"{h:>16}" for h in head))
    for channels, side in SIZES:
        weight = torch.randn(channels, channels, 3, 3)
        imlp = Ours(channels, side)
        rounds = []
        for _ in range(ROUNDS):
            seconds = imlp.round()
            seconds["identity"] = timed(identity_trick, weight, side)
            seconds["loops"] = timed(plain_loops, weight.numpy(), side)
            rounds.append(seconds)
        median = {name: statistics.median(r[name] for r in rounds) for name in rounds[0]}

        def ratio(slow, fast):
            ratios = [r[slow] / r[fast] for r in rounds]
            return f"{statistics.median(ratios):.1f} ({min(ratios):.1f}-{max(ratios):.1f})"

        n = channels * side * side
        cells = [f"{channels}→{channels} {side}×{side}", f"{n * n * 4 / 2**20:.0f}"]
        cells += [f"{median[k]:.4f}" for k in ("dense", "scatter_add", "sparse", "project", "identity", "loops")]
        cells += [ratio("identity", "dense"), ratio("identity", "scatter_add"), ratio("loops", "dense")]
        print(" ".join(f"{c:>16}" for c in cells), flush=True)
    channels, side = SPARSE_ONLY
    imlp = Ours(channels, side)
    rounds = [imlp.round() for _ in range(ROUNDS)]
    n = channels * side * side
    print(
        f"{channels}→{channels} {side}×{side}: dense would be {n * n * 4 / 1e9:.1f} GB; sparse "
        f"{statistics.median(r['sparse'] for r in rounds):.3f} s, {rounds[0]['sparse_bytes'] / 1e6:.0f} MB"
    )


if __name__ == "__main__":
    main()
