"""Training steps of PyTorch on the CPU: images per second, summed over processes.

    python3 steps.py --network twin --batch 256 --precision f32 --processes 1 --threads 2

The networks are those of imlp: `twin` is 3072-1024-1024-1024-10 with ReLU (or the
sizes given), `cnn` and `mixer` are the presets on 3x32x32 images. The data are
random, on the device before the clock starts, and always the same batch: the peer
pays for nothing but its steps.
"""

import argparse
import json
import multiprocessing
import time


def mlp(sizes):
    from torch import nn

    layers = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def cnn():
    from torch import nn

    layers, inputs = [], 3
    for outputs in [4, 16, 64]:
        layers += [nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), nn.ReLU()]
        inputs = outputs
    return nn.Sequential(nn.Unflatten(1, (3, 32, 32)), *layers, nn.Flatten(), nn.Linear(1024, 10))


def mixer():
    import torch
    from torch import nn

    tokens, channels, hidden = 64, 16, 32

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
            self.tokens = nn.Sequential(nn.Linear(tokens, hidden), nn.GELU(), nn.Linear(hidden, tokens))
            self.channels = nn.Sequential(
                nn.Linear(channels, hidden), nn.GELU(), nn.Linear(hidden, channels)
            )

        def forward(self, x):
            x = x + self.tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)
            return x + self.channels(self.norm2(x))

    class Mixer(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Conv2d(3, channels, 4, stride=4)
            self.blocks = nn.Sequential(Block(), Block())
            self.norm, self.head = nn.LayerNorm(channels), nn.Linear(channels, 10)

        def forward(self, x):
            x = self.embed(x.view(-1, 3, 32, 32)).flatten(2).transpose(1, 2)
            return self.head(self.norm(self.blocks(x)).mean(dim=1))

    return Mixer()


def rate(options, seed, barrier, results):
    import torch
    from torch import nn

    torch.set_num_threads(options.threads)
    torch.manual_seed(seed)
    if options.network == "twin":
        network = mlp([int(size) for size in options.sizes.split("-")])
    else:
        network = {"cnn": cnn, "mixer": mixer}[options.network]()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, fused=True)
    inputs = int(options.sizes.split("-")[0])
    images = torch.randn(options.batch, inputs)
    labels = torch.randint(0, 10, (options.batch,))

    def step():
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=options.precision == "bf16"):
            loss = nn.functional.cross_entropy(network(images), labels)
        loss.backward()
        optimizer.step()

    for _ in range(5):
        step()
    barrier.wait()
    started, steps = time.perf_counter(), 0
    while time.perf_counter() - started < options.seconds:
        step()
        steps += 1
    results.put(steps * options.batch / (time.perf_counter() - started))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", choices=["twin", "cnn", "mixer"], default="twin")
    parser.add_argument("--sizes", default="3072-1024-1024-1024-10")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3.0)
    options = parser.parse_args()
    spawn = multiprocessing.get_context("spawn")
    barrier, results = spawn.Barrier(options.processes), spawn.Queue()
    processes = [
        spawn.Process(target=rate, args=(options, seed, barrier, results))
        for seed in range(options.processes)
    ]
    for process in processes:
        process.start()
    total = sum(results.get() for _ in processes)
    for process in processes:
        process.join()
    print(json.dumps({"images_per_second": round(total, 1)}))


if __name__ == "__main__":
    main()
