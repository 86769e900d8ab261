"""Networks in PyTorch, the same for `imlp dense`, and with its matrices.

networks.py save FOLDER      writes NAME.safetensors and NAME.toml
networks.py compare FOLDER   compares with NAME.dense, .sparse and .fold.safetensors
"""

import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn.functional import gelu, layer_norm, relu

from common import Dense, load, randomize, save


class ConvNet(nn.Sequential):
    """Strides, groups, dilation, padding modes; modules are found by their order."""

    input = (3, 15, 18)
    text = """
        input = [3, 15, 18]
        [[layers]]
        type = "conv2d"
        channels = 8
        kernel = [3, 5]
        stride = [2, 1]
        padding = [[2, 0], [1, 3]]
        [[layers]]
        type = "relu"
        [[layers]]
        type = "conv2d"
        channels = 8
        kernel = 3
        groups = 4
        padding = 1
        padding_mode = "reflect"
        [[layers]]
        type = "relu"
        [[layers]]
        type = "conv2d"
        channels = 8
        kernel = 3
        dilation = 2
        padding = 2
        padding_mode = "circular"
        bias = false
        [[layers]]
        type = "avg-pool2d"
        name = "pool"
        kernel = 3
        stride = 2
        padding = 1
        count_include_pad = false
        [[layers]]
        type = "gelu"
        [[layers]]
        type = "conv2d"
        channels = 8
        kernel = 3
        padding = "same"
        padding_mode = "replicate"
        [[layers]]
        type = "relu"
        [[layers]]
        type = "linear"
        features = 10
    """

    def __init__(self):
        super().__init__(
            nn.ZeroPad2d((1, 3, 2, 0)),
            nn.Conv2d(3, 8, (3, 5), stride=(2, 1)),
            nn.ReLU(),
            nn.Conv2d(8, 8, 3, groups=4, padding=1, padding_mode="reflect"),
            nn.ReLU(),
            nn.Conv2d(8, 8, 3, dilation=2, padding=2, padding_mode="circular", bias=False),
            nn.AvgPool2d(3, stride=2, padding=1, count_include_pad=False),
            nn.GELU(),
            nn.Identity(),
            nn.Identity(),
            # The same shapes as module 5 but for the bias, and after it only
            # if numbers are ordered as numbers.
            nn.Conv2d(8, 8, 3, padding="same", padding_mode="replicate"),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(8 * 4 * 9, 10),
        )

    @staticmethod
    def dense(layer, x):
        x = relu(layer("1", x))
        x = relu(layer("3", x))
        x = layer("5", x)
        if "pool" in layer:
            x = layer("pool", x)
        x = relu(layer("10", gelu(x)))
        return layer("13", x)


class Block(nn.Module):
    def __init__(self, tokens, channels):
        super().__init__()
        self.norm1 = nn.LayerNorm(channels)
        self.tokens1 = nn.Linear(tokens, 5)
        self.tokens2 = nn.Linear(5, tokens)
        self.norm2 = nn.LayerNorm(channels)
        self.channels1 = nn.Linear(channels, 9)
        self.channels2 = nn.Linear(9, channels)

    def forward(self, x):
        y = self.norm1(x).transpose(1, 2)
        x = x + self.tokens2(gelu(self.tokens1(y))).transpose(1, 2)
        return x + self.channels2(gelu(self.channels1(self.norm2(x))))


class Mixer(nn.Module):
    """An MLP-Mixer of 2 blocks; every layer is named."""

    input = (3, 8, 12)
    blocks_text = """
        [[layers]]
        type = "residual"
        layers = [
            {{ type = "layer-norm", name = "blocks.{0}.norm1" }},
            {{ type = "token-mixing", name = "blocks.{0}.tokens1", tokens = 5 }},
            {{ type = "gelu" }},
            {{ type = "token-mixing", name = "blocks.{0}.tokens2", tokens = 6 }},
        ]
        [[layers]]
        type = "residual"
        layers = [
            {{ type = "layer-norm", name = "blocks.{0}.norm2" }},
            {{ type = "channel-mixing", name = "blocks.{0}.channels1", channels = 9 }},
            {{ type = "gelu" }},
            {{ type = "channel-mixing", name = "blocks.{0}.channels2", channels = 7 }},
        ]
    """
    text = (
        """
        input = [3, 8, 12]
        [[layers]]
        type = "patch-embedding"
        name = "patches"
        patch = 4
        channels = 7
    """
        + blocks_text.format(0)
        + blocks_text.format(1)
        + """
        [[layers]]
        type = "layer-norm"
        name = "norm"
        [[layers]]
        type = "mean-tokens"
        name = "mean"
        [[layers]]
        type = "linear"
        name = "head"
        features = 10
    """
    )

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 7, 4, stride=4)
        self.blocks = nn.Sequential(Block(6, 7), Block(6, 7))
        self.norm = nn.LayerNorm(7)
        self.head = nn.Linear(7, 10)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        return self.head(self.norm(self.blocks(x)).mean(1))

    @staticmethod
    def dense(layer, x):
        def norm(name, x):
            tokens = x.reshape(len(x), 6, 7)
            scale, shift = layer.tensors[f"{name}.weight"], layer.tensors[f"{name}.bias"]
            return layer_norm(tokens, [7], scale, shift).flatten(1)

        x = layer("patches", x)
        for block in ["blocks.0", "blocks.1"]:
            y = layer(f"{block}.tokens1", norm(f"{block}.norm1", x))
            x = x + layer(f"{block}.tokens2", gelu(y))
            y = layer(f"{block}.channels1", norm(f"{block}.norm2", x))
            x = x + layer(f"{block}.channels2", gelu(y))
        x = norm("norm", x)
        if "head" in layer:
            return layer("head", layer("mean", x))
        # Folded into the mean, the first of the two.
        return layer("mean", x)


class NormNet(nn.Module):
    """Batch normalisation: after a convolution, in a residual block, without affine."""

    input = (2, 9, 7)
    text = """
        input = [2, 9, 7]
        [[layers]]
        type = "conv2d"
        name = "conv1"
        channels = 4
        kernel = 3
        bias = false
        [[layers]]
        type = "batch-norm"
        name = "norm1"
        [[layers]]
        type = "relu"
        [[layers]]
        type = "residual"
        layers = [
            { type = "conv2d", name = "conv2", channels = 4, kernel = 3, padding = 1 },
            { type = "batch-norm", name = "norm2", epsilon = 0.1 },
        ]
        [[layers]]
        type = "relu"
        [[layers]]
        type = "batch-norm"
        name = "norm3"
        [[layers]]
        type = "adaptive-avg-pool2d"
        name = "pool"
        size = [2, 3]
        [[layers]]
        type = "linear"
        name = "head"
        features = 10
    """

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(2, 4, 3, bias=False)
        self.norm1 = nn.BatchNorm2d(4)
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1)
        self.norm2 = nn.BatchNorm2d(4, eps=0.1)
        self.norm3 = nn.BatchNorm2d(4, affine=False)
        self.pool = nn.AdaptiveAvgPool2d((2, 3))
        self.head = nn.Linear(24, 10)

    def forward(self, x):
        x = relu(self.norm1(self.conv1(x)))
        x = relu(x + self.norm2(self.conv2(x)))
        return self.head(self.pool(self.norm3(x)).flatten(1))

    @staticmethod
    def dense(layer, x):
        if "norm1" in layer:
            x = relu(layer("norm1", layer("conv1", x)))
            x = relu(x + layer("norm2", layer("conv2", x)))
            return layer("head", layer("pool", layer("norm3", x)))
        # Folded: each matrix is named after the first layer in it, and the skip
        # is part of its matrix.
        return layer("norm3", relu(layer("conv2", relu(layer("conv1", x)))))


NETWORKS = [ConvNet, Mixer, NormNet]
# Share of the largest output by which two float32 evaluations may differ.
TOLERANCE = 1e-5


def main(command, folder):
    for network in NETWORKS:
        name = network.__name__
        if command == "save":
            model = randomize(network())
            save(folder / f"{name}.safetensors", model.state_dict())
            (folder / f"{name}.toml").write_text(network.text)
            continue
        model = network()
        model.load_state_dict(load(folder / f"{name}.safetensors"))
        x = torch.randn(5, *network.input)
        with torch.no_grad():
            expected = model.eval()(x)
            for form in ["dense", "sparse", "fold"]:
                layer = Dense(folder / f"{name}.{form}.safetensors")
                got = network.dense(layer, x.flatten(1))
                error = ((got - expected).abs().max() / expected.abs().max()).item()
                print(f"{name} {form}: {error:.1e} of the largest output")
                assert error <= TOLERANCE, f"{name} {form}: {error}"


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
