"""Searches α and the learning rate with Optuna; `imlp train` runs the trials.

    pip install optuna
    python examples/optuna_search.py --trials 20 --out search

Trials are kept in the folder of --out: a setting that comes up again is not
trained again, and any number of these scripts may share the folder. Whatever
else follows `--` goes to `imlp train`, e.g. `-- --epochs=5 --data=cifar10`.
"""

import argparse
import json
import subprocess
import sys

import optuna

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--imlp", default="imlp", help="the program")
parser.add_argument("--trials", type=int, default=20)
parser.add_argument("--out", default="search", help="folder of the trials")
parser.add_argument("--seed", type=int, default=0, help="of Optuna's sampler")
parser.add_argument("rest", nargs="*", help="more for imlp train")
options = parser.parse_args()

# Exit codes of `imlp train`: the trial failed, the user stopped it.
FAILED, INTERRUPTED = 3, 130


def objective(trial):
    alpha = trial.suggest_float("alpha", 1e-4, 1.0, log=True)
    rate = trial.suggest_float("learning_rate", 1e-3, 1e-1, log=True)
    command = [options.imlp, "train", "--json", f"--alpha={alpha}", f"--out={options.out}"]
    command += [f"--set=train.learning_rate={rate}", *options.rest]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode == INTERRUPTED:
        raise KeyboardInterrupt
    if done.returncode not in (0, FAILED):
        # The message is on the standard error. The same would happen again.
        sys.exit(done.returncode)
    result = json.loads(done.stdout)
    for key in ("trial", "status", "test_accuracy_after"):
        trial.set_user_attr(key, result[key])
    if result["val_accuracy_after"] is None:
        # Diverged or failed: no accuracy, and nothing for the sampler to learn.
        raise optuna.TrialPruned(result["status"])
    # Chosen by validation accuracy; the test set is only reported.
    return result["val_accuracy_after"]


study = optuna.create_study(
    direction="maximize", sampler=optuna.samplers.TPESampler(seed=options.seed)
)
study.optimize(objective, n_trials=options.trials)
try:
    best = study.best_trial
except ValueError:
    sys.exit("no trial has an accuracy")
print(json.dumps({"params": best.params, "val_accuracy": best.value, **best.user_attrs}))
