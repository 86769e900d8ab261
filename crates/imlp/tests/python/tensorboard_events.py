"""What TensorBoard itself reads from the event files of an experiment.

    tensorboard_events.py FOLDER

compares every scalar and hyper-parameter with the results of the trials, and the runs of
the priors with theirs.
"""

import csv
import json
import math
import sys
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

folder = Path(sys.argv[1])
rows = {row["trial"]: row for row in csv.DictReader((folder / "results.csv").open())}
runs = sorted((folder / "tensorboard").iterdir())
priors = [run for run in runs if run.name.startswith("prior,")]
runs = [run for run in runs if run not in priors]
assert len(runs) == len(rows), (runs, list(rows))
assert len(priors) == len(list((folder / "priors").glob("*/result.json"))), priors


def close(a, b):
    # Event files hold single precision.
    return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-7)


compared = 0
for run in runs:
    (file,) = run.glob("events.out.tfevents.*")
    trial = file.name.rsplit(".", 1)[1]
    row = rows.pop(trial)
    record = json.loads((folder / "trials" / trial / "result.json").read_text())["content"]
    events = EventAccumulator(str(run), size_guidance={"scalars": 0, "tensors": 0})
    events.Reload()
    scalars = {tag: events.Scalars(tag) for tag in events.Tags()["scalars"]}

    # Points in order, at increasing steps.
    points = record["result"]["points"]
    for moment in ("before", "after"):
        for subset in ("train", "validation", "test"):
            for quantity in ("accuracy", "loss"):
                expected = [p[moment][subset][quantity] for p in points if p[moment].get(subset)]
                found = scalars.pop(f"{quantity}/{subset}_{moment}", [])
                assert len(found) == len(expected), (run, quantity, subset, moment)
                for event, value in zip(found, expected):
                    assert close(event.value, value), (event, value)
                    compared += 1
                steps = [event.step for event in found]
                assert steps == sorted(set(steps)), steps
    running = scalars.pop("loss/train_running")
    assert [close(e.value, p["train_loss"]) for e, p in zip(running, points)] == [True] * len(points)
    # An epoch may end without an interpolation.
    applied = [p["alphas"] for p in points if p["alphas"]]
    for layer, alphas in enumerate(zip(*applied)):
        found = [event.value for event in scalars.pop(f"interpolation/alpha_layer{layer}")]
        assert len(found) == len(alphas) and all(map(close, found, alphas)), (found, alphas)
        compared += len(found)
    rates = scalars.pop("learning_rate")
    assert len(rates) == len(points), rates
    assert all(close(e.value, p["learning_rate"]) for e, p in zip(rates, points)), rates
    assert close(scalars.pop("interpolation/alpha")[0].value, float(row["alpha"]))
    share = scalars.pop("interpolation/effective_prior_share")[0].value
    assert close(share, float(row["effective_prior_share"]))
    for subset, column in (("train", "train"), ("validation", "val"), ("test", "test")):
        for quantity in ("accuracy", "loss"):
            found = scalars.pop(f"result/{subset}_{quantity}", None)
            if found and (text := row.get(f"{column}_{quantity}_after")):
                assert close(found[0].value, float(text)), (run, subset, quantity)
                compared += 1
    assert not scalars, f"nobody expects {list(scalars)}"

    # As the HParams plugin reads it.
    metadata = events.PluginTagToContent("hparams")
    start = plugin_data_pb2.HParamsPluginData.FromString(metadata["_hparams_/session_start_info"])
    hparams = start.session_start_info.hparams
    assert hparams["alpha"].number_value == float(row["alpha"])
    assert hparams["seed"].number_value == float(row["seed"])
    assert hparams["data.name"].string_value == "fashion-mini"
    assert hparams["train.epochs"].number_value == float(row["epochs"])
    end = plugin_data_pb2.HParamsPluginData.FromString(metadata["_hparams_/session_end_info"])
    assert end.session_end_info.status == 1
    assert end.session_end_info.end_time_secs >= start.session_start_info.start_time_secs > 1.7e9
    assert f"alpha={row['alpha'].removesuffix('.0')}" in run.name, run.name

for run in priors:
    (file,) = run.glob("events.out.tfevents.*")
    prior = file.name.rsplit(".", 1)[1]
    content = json.loads((folder / "priors" / prior / "result.json").read_text())["content"]
    record = content["result"]["record"]
    assert run.name == f"prior,seed={record['seed']}", run
    events = EventAccumulator(str(run), size_guidance={"scalars": 0, "tensors": 0})
    events.Reload()
    scalars = {tag: events.Scalars(tag) for tag in events.Tags()["scalars"]}
    epochs = record["epochs"]
    running = scalars.pop("loss/train_running")
    assert [close(e.value, p["train_loss"]) for e, p in zip(running, epochs)] == [True] * len(epochs)
    # Each epoch has as many steps.
    assert [e.step * epochs[-1]["epoch"] for e in running] == [
        p["epoch"] * running[-1].step for p in epochs
    ], running
    for subset in ("train", "validation"):
        for quantity in ("accuracy", "loss"):
            expected = [p[subset][quantity] for p in epochs if p.get(subset)]
            found = [e.value for e in scalars.pop(f"{quantity}/{subset}_after", [])]
            assert len(found) == len(expected) and all(map(close, found, expected)), (run, found)
            compared += len(found)
    for subset in ("validation", "test"):
        for quantity in ("accuracy", "loss"):
            (found,) = scalars.pop(f"result/{subset}_{quantity}")
            assert close(found.value, record[subset][quantity]), (run, found)
    assert not scalars, f"nobody expects {list(scalars)}"

assert not rows and compared > 50, (rows, compared)
print(f"{len(runs)} runs, {len(priors)} priors, {compared} values agree")
