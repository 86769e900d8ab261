"""Predicted against real peak memory: `imlp check` beside the peak of `imlp sweep`.

    cargo build --release
    imlp data fetch cifar10
    python3 bench/memory.py              # a few minutes

Every run is stopped after some seconds of training: killed, or, where it says so, after
checkpoints all the time.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
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


def predicted(command):
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    number, unit = re.search(r"about ([\d.]+) (\w+) of memory", text).groups()
    return float(number) * UNITS[unit]


def peak(command, seconds):
    """Peak resident bytes of a command that is killed after so many seconds."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    with child.stderr:
        threading.Timer(seconds, child.kill).start()
        text = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    if not os.WIFSIGNALED(status):
        sys.exit(f"{' '.join(command)}\nended too soon:\n{text}")
    return usage.ru_maxrss * 1024


def row(binary, network, optimizer, checkpoints, jobs, seconds):
    common = ["--set", "data.name=cifar10", "--set", f"train.optimizer={optimizer}"]
    common += ["--epochs", "50", "--alphas", "0.5", "--no-ends", "--seeds", str(jobs)]
    common += ["--jobs", str(jobs), "--max-memory", "100GiB"]
    # Trials start at once; a trained prior takes the memory of a small network.
    common += ["--set", "prior.training=untrained"]
    for key in NETWORKS[network]:
        common += ["--set", key]
    with tempfile.TemporaryDirectory() as folder:
        every = "0.2s" if checkpoints else "1h"
        command = [binary, "sweep", *common, "--checkpoint-every", every, "--out", folder + "/out"]
        return predicted([binary, "check", "--no-time", *common]), peak(command, seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--binary", default=str(ROOT / "target/release/imlp"))
    parser.add_argument("--seconds", type=float, default=8, help="of each run")
    parser.add_argument("--json", action="store_true", help="one line of JSON per row")
    arguments = parser.parse_args()
    if not arguments.json:
        print("| network | optimiser | checkpoints | jobs | predicted MiB | peak MiB | ratio |")
        print("|---|---|---|---|---|---|---|")
    for network in NETWORKS:
        for optimizer in ("sgd", "adamw"):
            for checkpoints in (False, True):
                for jobs in (1, 2):
                    told, real = row(arguments.binary, network, optimizer, checkpoints, jobs, arguments.seconds)
                    mib = [round(x / (1 << 20)) for x in (told, real)]
                    if arguments.json:
                        print(json.dumps([network, optimizer, checkpoints, jobs, *mib]))
                    else:
                        yes = "yes" if checkpoints else "no"
                        ratio = real / told
                        print(f"| {network} | {optimizer} | {yes} | {jobs} | {mib[0]} | {mib[1]} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
