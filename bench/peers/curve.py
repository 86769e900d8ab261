"""The α-curve of imlp's CIFAR-10 recipe in plain PyTorch on the CPU.

    python3 curve.py --data DIR --alphas 0,0.1,1 --seeds 3 --epochs 10

DIR holds `data_batch_1.bin` … `test_batch.bin` (`imlp data path cifar10`). Written
as a competent user would: images normalised once and held as one tensor, the prior
trained once per seed with a copy of its weights after every epoch, convolutions
turned into matrices by applying them to the identity, one process per core, fused
SGD, autocast for bf16. The same split, batches, evaluations and interpolations as
imlp; other random numbers. It prints one line of JSON: seconds and accuracies.
"""

import argparse
import copy
import json
import multiprocessing
import time
from pathlib import Path

SIZES = [3072, 1024, 1024, 1024, 10]


def load(folder):
    import numpy as np
    import torch

    def read(names):
        raw = np.concatenate([np.fromfile(Path(folder) / name, np.uint8) for name in names])
        raw = raw.reshape(-1, 3073)
        return torch.from_numpy(raw[:, 1:].astype(np.float32) / 255), torch.from_numpy(
            raw[:, 0].astype(np.int64)
        )

    x, y = read([f"data_batch_{i}.bin" for i in range(1, 6)])
    test_x, test_y = read(["test_batch.bin"])
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(0))
    held, kept = order[: len(x) // 10], order[len(x) // 10 :]
    planes = x[kept].view(-1, 3, 1024)
    mean, deviation = planes.mean((0, 2)), planes.std((0, 2))

    def normal(images):
        images = images.view(-1, 3, 1024)
        return ((images - mean[:, None]) / deviation[:, None]).view(-1, 3072)

    return {
        "train": (normal(x[kept]), y[kept]),
        "validation": (normal(x[held]), y[held]),
        "test": (normal(test_x), test_y),
    }


def twin():
    from torch import nn

    layers = []
    for inputs, outputs in zip(SIZES, SIZES[1:]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def prior():
    from torch import nn

    layers, inputs = [nn.Unflatten(1, (3, 32, 32))], 3
    for outputs in [4, 16, 64]:
        layers += [nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), nn.ReLU()]
        inputs = outputs
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(1024, 10))


def epoch(network, optimizer, data, batch, bf16):
    import torch
    from torch.nn.functional import cross_entropy

    x, y = data
    for indices in torch.randperm(len(x)).split(batch):
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss = cross_entropy(network(x[indices]), y[indices])
        loss.backward()
        optimizer.step()


def accuracy(network, data, bf16=False):
    import torch

    x, y = data
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        right = sum((network(a).argmax(1) == b).sum() for a, b in zip(x.split(512), y.split(512)))
    return float(right) / len(x)


def matrices(network):
    """Dense weight and bias of each linear map of the prior."""
    import torch
    from torch import nn

    found, shape = [], (3, 32, 32)
    for layer in network:
        if isinstance(layer, nn.Conv2d):
            size = shape[0] * shape[1] * shape[2]
            with torch.no_grad():
                out = nn.functional.conv2d(
                    torch.eye(size).view(size, *shape), layer.weight, None, layer.stride, layer.padding
                )
            bias = layer.bias.detach().repeat_interleave(out.shape[2] * out.shape[3])
            found.append((out.reshape(size, -1).T, bias))
            shape = tuple(out.shape[1:])
        elif isinstance(layer, nn.Linear):
            found.append((layer.weight.detach(), layer.bias.detach()))
    return found


def train_prior(options, data, seed):
    import torch

    torch.manual_seed(seed)
    network = prior()
    optimizer = torch.optim.SGD(network.parameters(), lr=options.rate, momentum=0.9, fused=True)
    snapshots = []
    for _ in range(options.epochs):
        epoch(network, optimizer, data["train"], options.batch, False)
        accuracy(network, data["validation"])
        snapshots.append(copy.deepcopy(network.state_dict()))
    accuracy(network, data["test"])
    return snapshots


def trial(options, data, alpha, seed, snapshots):
    import torch
    from torch import nn

    torch.manual_seed(1000 + seed)
    network, structured = twin(), prior()
    optimizer = torch.optim.SGD(network.parameters(), lr=options.rate, momentum=0.9, fused=True)
    linear = [layer for layer in network if isinstance(layer, nn.Linear)]
    bf16 = options.precision == "bf16"
    for state in snapshots:
        epoch(network, optimizer, data["train"], options.batch, bf16)
        accuracy(network, data["validation"], bf16)
        if alpha > 0:
            structured.load_state_dict(state)
            with torch.no_grad():
                for layer, (weight, bias) in zip(linear, matrices(structured)):
                    layer.weight.lerp_(weight, alpha)
                    layer.bias.lerp_(bias, alpha)
            optimizer.state.clear()
            accuracy(network, data["validation"], bf16)
    return accuracy(network, data["test"], bf16)


def work(options, tasks, results):
    import torch

    torch.set_num_threads(options.threads)
    data = load(options.data)
    for task in iter(tasks.get, None):
        if task[0] == "prior":
            results.put(("prior", task[1], train_prior(options, data, task[1])))
        else:
            _, alpha, seed, snapshots = task
            results.put(("trial", (alpha, seed), trial(options, data, alpha, seed, snapshots)))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--alphas", default="0,0.001,0.003,0.01,0.03,0.1,0.3,0.5,0.9,0.99,1")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rate", type=float, default=0.01)
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    alphas = [float(alpha) for alpha in options.alphas.split(",")]
    started = time.perf_counter()
    spawn = multiprocessing.get_context("spawn")
    tasks, results = spawn.Queue(), spawn.Queue()
    workers = [
        spawn.Process(target=work, args=(options, tasks, results)) for _ in range(options.processes)
    ]
    for worker in workers:
        worker.start()
    for seed in range(options.seeds):
        tasks.put(("prior", seed))
    accuracies, left = {}, options.seeds * (1 + len(alphas))
    while left > 0:
        kind, key, value = results.get()
        left -= 1
        if kind == "prior":
            for alpha in alphas:
                tasks.put(("trial", alpha, key, value))
        else:
            accuracies[f"alpha={key[0]},seed={key[1]}"] = value
    seconds = time.perf_counter() - started
    for _ in workers:
        tasks.put(None)
    for worker in workers:
        worker.join()
    print(json.dumps({"seconds": round(seconds, 1), "test_accuracy": accuracies}))


if __name__ == "__main__":
    main()
