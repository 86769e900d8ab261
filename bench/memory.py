"""Predicted against real peak memory: `imlp check` beside the peak of `imlp sweep`.

    cargo build --release
    imlp data fetch cifar10
    python3 bench/memory.py              # a few minutes

Every run trains two epochs of 2,500 images, and saves checkpoints all the time where it
says so.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}

WIDE = '[{ type = "linear", features = %d }, { type = "relu" }, { type = "linear" }]'
NETWORKS = {
    "cnn": ["prior.kind=cnn"],
    "mixer": ["prior.kind=mixer"],
    "mlp 3072-512-10": ["prior.kind=custom", "prior.layers=" + WIDE % 512],
    "mlp 3072-4096-10": ["prior.kind=custom", "prior.layers=" + WIDE % 4096],
}


def peak(command):
    """Peak resident bytes of a command that must succeed, and what it printed."""
    with tempfile.TemporaryFile("w+") as out:
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        _, status, usage = os.wait4(child.pid, 0)
        out.seek(0)
        text = out.read()
    if status != 0:
        sys.exit(f"{' '.join(command)}\n{text}")
    return usage.ru_maxrss * 1024, text


def predicted(text):
    number, unit = re.search(r"about ([\d.]+) (\w+) of memory", text).groups()
    return float(number) * UNITS[unit]


def row(binary, network, optimizer, checkpoints, jobs):
    common = ["--set", "data.name=cifar10", "--set", "data.validation_fraction=0.95"]
    common += ["--set", f"train.optimizer={optimizer}", "--epochs", "2", "--alphas", "0.5"]
    common += ["--no-ends", "--seeds", str(jobs), "--jobs", str(jobs), "--max-memory", "100GiB"]
    for key in NETWORKS[network]:
        common += ["--set", key]
    _, text = peak([binary, "check", "--no-time", *common])
    with tempfile.TemporaryDirectory() as folder:
        every = "0.2s" if checkpoints else "1000s"
        command = [binary, "sweep", *common, "--checkpoint-every", every, "--out", folder + "/out"]
        real, _ = peak(command)
    return predicted(text), real


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=str(ROOT / "target/release/imlp"))
    parser.add_argument("--json", action="store_true", help="one line of JSON per row")
    arguments = parser.parse_args()
    if not arguments.json:
        print("| network | optimiser | checkpoints | jobs | predicted MiB | peak MiB | ratio |")
        print("|---|---|---|---|---|---|---|")
    for network in NETWORKS:
        for optimizer in ("sgd", "adamw"):
            for checkpoints in (False, True):
                for jobs in (1, 2):
                    told, real = row(arguments.binary, network, optimizer, checkpoints, jobs)
                    mib = [round(x / (1 << 20)) for x in (told, real)]
                    if arguments.json:
                        print(json.dumps([network, optimizer, checkpoints, jobs, *mib]))
                    else:
                        yes = "yes" if checkpoints else "no"
                        ratio = real / told
                        print(f"| {network} | {optimizer} | {yes} | {jobs} | {mib[0]} | {mib[1]} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
