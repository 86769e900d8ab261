"""What trunks save: sweeps with and without sharing, back to back, and their ratios.

    cargo build --release
    python3 bench/sharing.py             # about 20 minutes; --epochs 3 for a short look

One seed, one trial at a time, CIFAR-10 if it is installed (else --data fashion-mini), an
untrained prior so that twins are all that is trained, and as few evaluations as there can
be. Prints, for each timing:

  wall        seconds of `imlp sweep` with sharing, without, and their ratio
  per trial   seconds of training with sharing, trunk and all, as a multiple of one trial
              without sharing
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ALPHAS = 11
# What the project asks for.
BOUNDS = {"test-time": ("per trial", 1.3), "training-time": ("wall", 0.93)}


def records(folder):
    for path in sorted(folder.glob("trials/*/result.json")):
        yield json.loads(path.read_text())["content"]["result"]


def timeless(record):
    return {k: v for k, v in record.items() if "second" not in k and k != "trunk"}


def sweep(arguments, timing, folder, sharing):
    command = [arguments.binary, "sweep", "--data", arguments.data, "--out", folder, "--quiet"]
    command += ["--alphas", f"linear:0..1:{ALPHAS}", "--seeds", "1", "--jobs", "1"]
    command += ["--epochs", arguments.epochs]
    for key in [
        f"interpolation.timing={timing}",
        "prior.training=untrained",
        "evaluation.train_images=0",
        "data.validation_fraction=0.01",
    ]:
        command += ["--set", key]
    if not sharing:
        command.append("--no-sharing")
    began = time.perf_counter()
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    seconds = time.perf_counter() - began
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr}")
    return seconds, list(records(folder))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--binary", default=ROOT / "target/release/imlp")
    parser.add_argument("--data", default="cifar10")
    parser.add_argument("--epochs", type=int, default=10)
    arguments = parser.parse_args()
    for timing, (bounded, bound) in BOUNDS.items():
        with tempfile.TemporaryDirectory() as scratch:
            shared = sweep(arguments, timing, Path(scratch) / "shared", True)
            apart = sweep(arguments, timing, Path(scratch) / "apart", False)
        assert [timeless(r) for r in shared[1]] == [timeless(r) for r in apart[1]], "other results"
        assert len(shared[1]) == ALPHAS
        trunks = {r["trunk"]["train_seconds"] for r in shared[1] if "trunk" in r}
        training = sum(r["train_seconds"] for r in shared[1]) + sum(trunks)
        one = sum(r["train_seconds"] for r in apart[1]) / ALPHAS
        ratios = {"wall": shared[0] / apart[0], "per trial": training / one}
        print(f"{timing}, {arguments.epochs} epochs, {ALPHAS} α")
        print(f"  wall       {shared[0]:.1f} s, {apart[0]:.1f} s without sharing: {ratios['wall']:.3f}")
        print(f"  per trial  {training:.1f} s of training, {one:.1f} s in one trial: {ratios['per trial']:.3f}")
        verdict = "met" if ratios[bounded] <= bound else "MISSED"
        print(f"  bound      {bounded} ≤ {bound}: {verdict}")


if __name__ == "__main__":
    main()
